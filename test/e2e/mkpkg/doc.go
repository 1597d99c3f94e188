// Package mkpkg tests dkms-mkpkg as its users meet it: what it makes of real
// sources is installed, upgraded and removed by the real apt, dpkg, rpm and dnf,
// on our engine and on Debian's dkms, in throw-away roots.
//
// The tests have the build tag e2e; -full runs them whole.
package mkpkg
