// Package makefile reads Kbuild files and Makefiles, and says what modules
// they build, where, and under what conditions.
//
// It follows the files as make would when the kernel's build system reads them
// (Documentation/kbuild/makefiles.rst, modules.rst), but runs nothing. What
// only a kernel or a shell knows stays open: a condition is kept beside the
// module that hangs on it, and what cannot be understood is returned as
// Unclear. Nothing is guessed. How to write a dkms.conf from it is another
// room's affair.
package makefile
