package kbuild

import "path/filepath"

// bootDir is where Debian and others keep the image, away from its modules.
const bootDir = "/boot"

// imageNames are what kernels are called: vmlinuz nearly everywhere, the others
// where the architecture or the distribution has no compressed one.
var imageNames = []string{"vmlinuz", "vmlinux", "Image", "image", "zImage"}

// HasImage reports whether the kernel itself is on disk, so that one could boot
// it, and not just its headers or what was left of it. Its module directory
// tells: the image lies there on Fedora and Arch; modules.builtin and
// modules.order are made with the kernel, and never by depmod(8); and so are
// modules in kernel/, though not empty directories. Else there is
// /boot/vmlinuz-RELEASE, for a kernel without modules. Where in doubt, as with
// modules of ours that a dkms.conf wanted in kernel/, the answer is yes.
func (k Kernel) HasImage() bool { return k.hasImage(bootDir) }

func (k Kernel) hasImage(boot string) bool {
	for _, name := range append([]string{"modules.builtin", "modules.order"}, imageNames...) {
		if isRegular(filepath.Join(k.ModuleDir, name)) {
			return true
		}
	}
	for _, name := range imageNames {
		if isRegular(filepath.Join(boot, name+"-"+k.Release)) {
			return true
		}
	}
	return suffixFromWalk(k.ModuleDir) != ""
}

// Vanished reports whether the kernel is gone from disk: it has neither an
// image nor headers, and what there is at ModuleDir, if anything, is what
// others put there: updates/, and the indices that depmod(8) made of it. A
// dangling link to headers is none. The running kernel may be one of these.
func (k Kernel) Vanished() bool { return k.vanished(bootDir) }

func (k Kernel) vanished(boot string) bool { return !k.Headers && !k.hasImage(boot) }
