package plan

import "github.com/dkms-hook/dkms-hook/internal/dkms"

// Have is what the machine has: the DKMS tree as far as a plan depends on it.
type Have struct {
	Packages []HavePackage
	Refs     []HaveRef
}

// HavePackage is a package that is registered.
type HavePackage struct {
	dkms.Package
	// Broken says why its source cannot be reached; empty: it can.
	Broken string
}

// HaveRef is a package that is built for a kernel.
type HaveRef struct {
	dkms.Ref
	// State is Built or Installed; Installed makes this version the active one
	// of its name on that kernel.
	State dkms.State
	// Stale says why a build would give something else than what is there;
	// empty: it would not.
	Stale string
	// Drift says how the kernel's module directory differs from what was
	// installed ("it87.ko is missing"); empty: it does not. Only for Installed.
	Drift string
	// BuiltWith maps the name of each dependency of a BUILD_DEPENDS_REBUILD
	// package to the version that was active when it was built: the .dep_NAME
	// files of the tree.
	BuiltWith map[string]string
}
