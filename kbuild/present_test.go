package kbuild

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestHasImageAndVanished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		make            []string // files; a directory when it ends in /
		image, vanished bool
	}{
		{"nothing at all", nil, false, true},
		{"an empty directory", []string{"modules/K/"}, false, true},
		{"Fedora, Arch", []string{"modules/K/vmlinuz"}, true, false},
		{"Debian", []string{"modules/K/kernel/fs/a.ko", "modules/K/modules.builtin", "modules/K/modules.order", "boot/vmlinuz-K"}, true, false},
		{"modules.builtin", []string{"modules/K/modules.builtin"}, true, false},
		{"modules.order", []string{"modules/K/modules.order"}, true, false},
		{"compressed modules only", []string{"modules/K/kernel/fs/a.ko.xz"}, true, false},
		{"a kernel without modules", []string{"boot/vmlinuz-K"}, true, false},
		{"not compressed, as on s390x and SUSE's arm64", []string{"boot/Image-K"}, true, false},
		{"another kernel's image", []string{"boot/vmlinuz-K2", "modules/K2/modules.builtin"}, false, true},
		{"headers only", []string{"modules/K/build/include/generated/utsrelease.h"}, false, false},
		{"image and headers", []string{"modules/K/vmlinuz", "modules/K/build/include/a.h"}, true, false},
		{"what depmod leaves", []string{
			"modules/K/updates/dkms/a.ko", "modules/K/modules.dep", "modules/K/modules.dep.bin", "modules/K/modules.alias", "modules/K/modules.builtin.bin",
			"modules/K/modules.builtin.alias.bin", "modules/K/modules.softdep", "modules/K/modules.symbols",
		}, false, true},
		{"empty directories of kernel/", []string{"modules/K/kernel/drivers/net/"}, false, true},
		{"a header directory that holds no headers", []string{"modules/K/build/scripts/"}, false, true},
		{"a directory of that name", []string{"boot/vmlinuz-K/", "modules/K/modules.order/"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range c.make {
				path := filepath.Join(dir, name)
				if name[len(name)-1] == '/' {
					mkdir(t, path)
					continue
				}
				write(t, path, "", 0o644)
			}
			k, err := OpenKernel(KernelOptions{ID: dkms.KernelID{Release: "K", Arch: "x86_64"}, InstallTree: filepath.Join(dir, "modules")})
			if err != nil {
				t.Fatal(err)
			}
			boot := filepath.Join(dir, "boot")
			if image, vanished := k.hasImage(boot), k.vanished(boot); image != c.image || vanished != c.vanished {
				t.Errorf("hasImage, vanished = %v, %v; want %v, %v", image, vanished, c.image, c.vanished)
			}
		})
	}
}

// Headers that were removed leave the link to them, with the image or without.
func TestVanishedDanglingHeaders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mkdir(t, filepath.Join(dir, "K"))
	if err := os.Symlink("/nonexistent/linux-headers-K", filepath.Join(dir, "K/build")); err != nil {
		t.Fatal(err)
	}
	k, err := OpenKernel(KernelOptions{ID: dkms.KernelID{Release: "K", Arch: "x86_64"}, InstallTree: dir})
	if err != nil || !k.vanished(dir) {
		t.Errorf("vanished with a dangling link to headers = %v, %v; want true", k.vanished(dir), err)
	}
}
