// Package write puts a pkgfmt.Package into a file: a .deb, an .rpm or a
// .src.rpm. It decides nothing about what is in the package, and translates
// nothing; what a format cannot say is an error before anything is written.
//
// The same Package gives the same bytes, whatever the directory, the umask and
// the number of processors. What is written is written beside its place and
// renamed when it is whole.
//
// The control side of a .deb is made by nfpm and the headers of an .rpm by
// rpmpack. The payloads are made here, in a stream: both libraries hold what
// they pack in memory, neither knows levels of xz, and rpmpack writes names
// that unpack over the machine's own files.
package write
