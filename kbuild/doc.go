// Package kbuild builds one package for one kernel: it finds kernels by what
// is on disk, reads their configuration, chooses the compiler, runs the make
// command of a Recipe in a private copy of the source, and verifies, strips,
// signs and compresses what came out.
//
// It knows nothing of the DKMS tree's states or of other packages: what it is
// given is a Recipe and a Kernel, what it returns is a directory of modules
// that nobody has seen yet. Single module files are the business of kbuild/ko.
package kbuild
