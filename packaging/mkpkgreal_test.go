//go:build e2e

package main

import (
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// ownedByMkpkg is where the packages of dkms-mkpkg put what they bring.
var ownedByMkpkg = []string{"/usr/bin", "/usr/share/man", "/usr/share/doc", "/usr/share/licenses", "/usr/share/bash-completion", "/usr/share/fish", "/usr/share/zsh", "/etc", "/var/lib/dkms"}

// snapshot is all that is in the directories of ownedByMkpkg, but for what each
// installation of anything changes.
func (h host) snapshot() box.Snapshot {
	h.t.Helper()
	return h.Snapshot(func(path string) bool { return strings.HasPrefix(path, "/etc/ld.so") }, ownedByMkpkg...)
}

// uses makes packages with the installed program.
func (h host) uses() {
	h.t.Helper()
	h.Write("/root/hello/hello.c", "#include <linux/module.h>\nMODULE_VERSION(\"1.0\");\nMODULE_AUTHOR(\"Jo Doe <jo@example.org>\");\nMODULE_LICENSE(\"GPL\");\n")
	h.Write("/root/hello/Makefile", "obj-m := hello.o\n")
	h.Must("dkms-mkpkg", "init", "/root/hello")
	made := h.Must("dkms-mkpkg", "source", "-q", "-o", "/root/made", "/root/hello").Stdout
	if want := "/root/made/hello-dkms_1.0_all.deb\n/root/made/hello-dkms-1.0-1.noarch.rpm\n"; made != want {
		h.t.Errorf("dkms-mkpkg source = %s; want %s", made, want)
	}
}

// TestMkpkgLeavesNothing: apt and dnf install dkms-mkpkg without dkms-hook and
// without a compiler, it works, and nothing is left of it.
func TestMkpkgLeavesNothing(t *testing.T) {
	t.Run("deb", func(t *testing.T) {
		h := newHost(t)
		deb := h.copy(real(t, mkpkg, "0.1.0", pkgfmt.Deb), "/root/dkms-mkpkg.deb")
		before := h.snapshot()
		h.apt("install", "--no-install-recommends", deb)
		h.Must("dpkg", "--verify", "dkms-mkpkg")
		h.uses()
		h.apt("purge", "dkms-mkpkg")
		same(t, "purging", before, h.snapshot())
	})
	t.Run("rpm", func(t *testing.T) {
		h := newRPMHost(t)
		rpm := h.copy(real(t, mkpkg, "0.1.0", pkgfmt.RPM), "/root/dkms-mkpkg.rpm")
		h.Must("mkdir", "-p", "/usr/share/licenses") // of Fedora's and SUSE's filesystem
		before := h.snapshot()
		h.dnf("install", rpm)
		h.Must("rpm", "-V", "dkms-mkpkg")
		h.uses()
		h.dnf("remove", "dkms-mkpkg")
		same(t, "erasing", before, h.snapshot())
	})
}
