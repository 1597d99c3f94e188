// Package source reads a directory with a dkms.conf: the files that go into a
// package, and everything that can be said of them there.
package source
