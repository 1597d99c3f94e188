package kmod

import (
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Built are the modules of one package for one kernel, and what they were
// built from.
type Built struct {
	Kernel  kbuild.Kernel
	Recipe  kbuild.Recipe
	Modules []Module // by file name
	// Symvers are what the kernel exports.
	Symvers ko.Symvers
	// Modversions tells that the kernel has checksums of its symbols.
	Modversions bool
	// Native is what dpkg knows of the kernel.
	Native Native

	// Warnings are one line each, without the name of the package.
	Warnings []string
	Phases   []kbuild.Phase
	Log      string // path of make.log

	// What provenance tells. The hashes are SHA-256 in hexadecimal, empty
	// where the kernel has no such file.
	ConfigHash, SymversHash string
	// Against is the hash of the Module.symvers of each of BUILD_DEPENDS.
	Against map[string]string
	// KernelCompiler is what the kernel says that it was compiled by,
	// Fingerprint.Compiler what compiled the modules.
	KernelCompiler string
	Fingerprint    kbuild.Fingerprint
}

// Module is one module as it will be installed.
type Module struct {
	kbuild.BuiltModule
	Path string // of the file on this machine
	Size int64  // bytes
	// Debug is the path of the module before debug information was removed;
	// empty when it has none, or nobody asked.
	Debug     string
	DebugSize int64
	// Facts are what it says of itself; where it is installed is not in them,
	// since that differs between formats.
	Facts Facts
}
