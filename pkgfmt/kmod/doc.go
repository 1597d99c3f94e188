// Package kmod makes packages of compiled modules: it builds a source for
// kernels that are named, in a scratch directory and without being root, reads
// from the modules what they need and what they offer, and composes the
// packages of both formats.
//
// What a module is built like is kbuild's business, what is read from it
// kbuild/ko's; how a package becomes a file is pkgfmt/write's.
package kmod
