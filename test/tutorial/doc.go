// Package tutorial reads docs/mkpkg-tutorial.md and types what stands there, for
// the tests of what it promises: test/script types what a user does, and
// test/e2e/mkpkg what root does on the machines of others.
package tutorial
