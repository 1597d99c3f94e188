// Package probe remembers what a compiler said when a kernel's makefiles asked
// it.
//
// Before it builds anything, kbuild asks some thirty times whether the compiler
// knows an option: each time a shell, mkdir, the compiler driver, the compiler,
// the assembler and rm, and again in each make of each build. The answers depend
// on the programs that are asked and on the question, so a Memory keeps them.
//
// All those questions go through one variable of the kernel's makefiles,
// try-run. A Session writes a makefile which make reads first (MAKEFILES) and
// which overrides that variable: a question that is in memory is answered with
// no program at all, any other is asked with the kernel's own text and noted
// down. What is compiled, and how, is not touched.
//
// Nothing is believed without reason: a question is remembered only when its
// command names no file (command.go), with the identity of every program in it
// (identity.go), and a "no" only when two builds have heard it, because a full
// disk says no, too. Whatever is unclear is asked, as if this package was not
// there.
package probe
