package main

// What both formats say of us.
const (
	name       = "dkms-hook"
	homepage   = "https://github.com/dkms-hook/dkms-hook"
	maintainer = "dkms-hook maintainers <dkms-hook@users.noreply.github.com>"
	summary    = "rebuild out-of-tree kernel modules for every kernel"

	// dkmsLevel is the DKMS whose interface we offer: packages depend on it
	// by number. cmd/dkms-hook prints it for `dkms --version`.
	dkmsLevel = "3.4.3"
)

// description is paragraphs of at most 79 columns.
const description = `Rebuilds, verifies, signs and installs the kernel modules that are registered
by their dkms.conf, whenever a kernel, its headers or a module changes: all of
them in one parallel run for each transaction of the package manager.

Called as dkms it speaks the command line of DKMS, on the same tree, so that
packages made for DKMS work as they are. One module that does not compile
breaks neither other modules nor the package manager; dkms-hook check tells
before a reboot whether a module is missing.`
