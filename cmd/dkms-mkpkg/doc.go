// Dkms-mkpkg makes distribution packages of kernel modules: of a directory with
// a dkms.conf, .deb and .rpm that bring the source, or the built modules; and it
// looks into any such package.
//
// This package holds flags, signals and the exit status; what is done is in
// pkgfmt and the packages below it.
package main
