// Package ko is about one module file: it reads what a .ko says of itself,
// verifies it against the kernel it was built for, removes its debug
// information, signs it and compresses it.
//
// Everything read here may come from a stranger's archive, so sizes are
// bounded and no input may make it panic. Which modules a package builds, and
// where they go, is the business of kbuild and internal/tree.
package ko
