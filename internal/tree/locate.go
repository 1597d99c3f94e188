package tree

import (
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Locate returns the file of a module in a kernel's directory that an install
// would compare itself with: the first in extra/, in updates/, at dest
// (DEST_MODULE_LOCATION, may be empty), or anywhere.
func (t Tree) Locate(release, module, dest string) (path string, ok bool) {
	return t.Locator(release)(module, dest)
}

// Locator returns Locate for one kernel as it is now: its directory is walked
// once, for any number of modules.
func (t Tree) Locator(release string) func(module, dest string) (path string, ok bool) {
	return indexKernel(t.KernelDir(release)).original
}

// IsInstalled reports whether r is the active version.
func (t Tree) IsInstalled(r dkms.Ref) bool {
	active, ok := t.activeRef(r.Name, r.KernelID)
	return ok && active == r
}

// BuiltFile returns the name, in ModuleDir, of the file that was built of a
// module, such as "it87.ko.xz".
func (t Tree) BuiltFile(r dkms.Ref, module string) (file string, ok bool) {
	entries, err := os.ReadDir(t.ModuleDir(r))
	if err != nil {
		return "", false
	}
	for _, e := range entries {
		if name, isModule := ModuleName(e.Name()); isModule && name == module {
			return e.Name(), true
		}
	}
	return "", false
}
