// Package srcpkg makes of a described source the packages NAME-dkms, which
// bring it to /usr/src and have dkms-hook, or where that is not installed dkms
// itself, build the modules: Compose says what is in one.
//
// It reads no directory, which source has done, and writes no package, which
// write does. The scripts lie in templates/mkpkg.
package srcpkg
