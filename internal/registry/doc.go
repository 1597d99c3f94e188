// Package registry says which packages of the tree count: it retires those whose
// place is about to be taken, has them count again when nothing comes, and names
// what may go. With that it keeps what the transactions of a package manager
// need to know of each other: what one run at the end is still to do, what rpm
// has just upgraded, who waits for a kernel's headers.
//
// It builds and installs nothing.
package registry
