// Package apt tests the Debian package of dkms-hook as its users meet it: with
// the real apt and dpkg, Debian's own kernels and dkms packages, in throw-away
// overlays of a Debian that tools/rootfs makes. Debian's own dkms, in the same
// overlays, is the oracle for what has to be on disk.
//
// The tests have the build tag e2e; -full runs them whole.
package apt
