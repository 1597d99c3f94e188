// Package source reads a directory with a dkms.conf: the files that go into a
// package, and everything that can be said of them there.
//
// Read is the way in: walk collects the tree (ignore, pattern: what is left
// out), hash reads its files, macros, licence, debian, spec and git find what
// is said of it, config is dkms-mkpkg.yaml, and identity evaluates the dkms.conf
// and fills in what it leaves to others. How a package is made of a Description
// is the business of the packages srcpkg, kmod and recipe.
//
// A source is a stranger's: what is read is bounded, nothing outside of the
// directory is read but the git repository that it lies in, and its dkms.conf
// starts harmless programs only.
package source
