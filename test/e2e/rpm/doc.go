// Package rpm tests the built RPM package as a Fedora machine meets it: with
// the real rpm, dnf and kernel-install, real kernel headers and a real compiler,
// in throw-away roots (package box) over the one that tools/rpmroot makes. The
// kernels and the packages of modules are stubs, built by rpmbuild in the
// tests: what their scriptlets call, and when, is as in the distributions. The
// tests have the build tag e2e; -full runs those that do not fit into CI.
package rpm
