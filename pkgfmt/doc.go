// Package pkgfmt holds the words for distribution packages: a Package is one
// .deb or .rpm, complete, before it is written.
//
// The rooms below it each do one part: source reads a directory with a
// dkms.conf, srcpkg and kmod make Packages of it, write puts them into files,
// read takes any package apart, lint judges, recipe writes the sources of
// packages for those who must go through rpmbuild or dpkg-buildpackage.
package pkgfmt
