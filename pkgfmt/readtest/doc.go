// Package readtest compares what pkgfmt/read says of a package with what rpm and
// dpkg-deb say: for the tests of read, and of all that makes packages.
package readtest
