package kbuild

import (
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// HasImage reports whether the kernel itself is here, so that it may be booted:
// its image, or what every distribution installs with it and depmod does not
// make. A directory that holds headers and our modules only is none.
func (k Kernel) HasImage() bool {
	for _, name := range []string{"vmlinuz", "kernel", "modules.builtin", "modules.order"} {
		if system.Exists(filepath.Join(k.ModuleDir, name)) {
			return true
		}
	}
	return system.Exists(filepath.Join("/boot", "vmlinuz-"+k.Release))
}

// Vanished reports whether neither image nor headers are left of the kernel:
// what is still in its directory, if there is one, are leftovers.
func (k Kernel) Vanished() bool { return !k.HasImage() && !k.Headers }
