package kbuild

import "github.com/dkms-hook/dkms-hook/internal/dkms"

// A Recipe is a package resolved for one kernel: what to run and what must
// come out. conf makes it; Build consumes it.
type Recipe struct {
	dkms.Ref

	// Make is the shell command that builds, complete with the arguments that
	// DKMS adds (-jN, KERNELRELEASE=, LLVM=1). dkms.conf(5): MAKE, MAKE_MATCH.
	Make string
	// Patches are file names below patches/, in order; they apply with -p1.
	Patches []string
	// PreBuild and PostBuild are command lines relative to the source, words
	// split on white space; empty means none.
	PreBuild, PostBuild string
	// Modules are those not excluded for this kernel, in dkms.conf's order.
	Modules []Module
	// Skipped are the modules that BUILD_EXCLUSIVE rules leave out here.
	Skipped []Skipped
	// Depends are the names in BUILD_DEPENDS, in order.
	Depends []string
	// RebuildOnDepends is BUILD_DEPENDS_REBUILD=yes.
	RebuildOnDepends bool
	// SetsExtraSymbols tells that the make command names
	// KBUILD_EXTRA_SYMBOLS itself, so that Build must not.
	SetsExtraSymbols bool

	// Scripts of the other actions, words as for PreBuild.
	PostAdd, PreInstall, PostInstall, PostRemove string

	Autoinstall       bool // AUTOINSTALL=yes
	NoWeakModules     bool // NO_WEAK_MODULES=yes
	RemakeInitrd      bool // REMAKE_INITRD=yes (deprecated, honoured)
	ModprobeOnInstall bool // MODPROBE_ON_INSTALL of dkms.conf or framework.conf
}

// Module is one .ko of a recipe.
type Module struct {
	Index    int    // position in the dkms.conf's arrays
	Built    string // BUILT_MODULE_NAME, without .ko
	BuiltDir string // BUILT_MODULE_LOCATION, relative to the build directory; may be empty
	Dest     string // DEST_MODULE_NAME, without .ko
	DestDir  string // DEST_MODULE_LOCATION, such as /kernel/drivers/net
	Strip    bool   // remove debug information
}

// Skipped is a module that a BUILD_EXCLUSIVE rule leaves out.
type Skipped struct {
	Module Module
	Why    string // `BUILD_EXCLUSIVE_CONFIG[1]="CONFIG_PCI": not set in the kernel's configuration`
}
