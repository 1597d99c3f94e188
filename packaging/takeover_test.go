//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

const kernelHooks = "/etc/kernel/"

// A host is a Debian in a box, with the headers of a kernel and apt.
type host struct {
	*box.Box
	t *testing.T
}

func newHost(t *testing.T) host {
	t.Helper()
	root, err := filepath.Abs("../build/e2e/rootfs/root")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root); err != nil {
		box.Lacks(t, root+": make rootfs makes it")
	}
	return host{box.NewOn(t, root), t}
}

// copy puts a file of the machine into the box.
func (h host) copy(from, to string) string {
	h.t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		box.Lacks(h.t, from+": make debs makes it")
	}
	h.Write(to, string(content))
	return to
}

// ours puts the package into the box, and returns where.
func (h host) ours(version string) string {
	h.t.Helper()
	return h.copy(real(h.t, hook, version, pkgfmt.Deb), "/root/dkms-hook-"+version+".deb")
}

// apt runs apt-get, which must succeed and ask nothing: there is nobody to
// answer.
func (h host) apt(args ...string) string {
	h.t.Helper()
	r := h.Must(append([]string{"apt-get", "-q", "-y"}, args...)...)
	if strings.Contains(r.String(), "Configuration file") {
		h.t.Errorf("dpkg asks:\n%s", r)
	}
	if audit := h.Must("dpkg", "--audit").Stdout; audit != "" {
		h.t.Errorf("after %q dpkg is not done:\n%s", args, audit)
	}
	return r.String()
}

// modules is all that is registered, built and installed, but for what is our
// own, with inodes: what was written anew is another file.
func (h host) modules() box.Snapshot {
	h.t.Helper()
	mine := func(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }
	s := h.Snapshot(mine, "/var/lib/dkms", "/usr/src", "/lib/modules")
	for path := range s {
		if strings.HasSuffix(path, ".ko") && strings.Contains(path, "/updates/") {
			s[path] += h.Must("stat", "-c", " %i %Y", path).Stdout
		}
	}
	return s
}

// kernelHooks is which file is there as each hook, by its content.
func (h host) kernelHooks() box.Snapshot {
	return h.Snapshot(func(path string) bool {
		return strings.HasSuffix(path, "/install.d") || strings.Contains(path, "initramfs-tools")
	}, kernelHooks)
}

// areOurs fails the test unless each hook is ours.
func (h host) areOurs() {
	h.t.Helper()
	for _, name := range []string{"preinst", "postinst", "prerm", "header_postinst"} {
		want, err := script("kernel/" + name)
		if err != nil {
			h.t.Fatal(err)
		}
		if got := h.Read(kernelHooks + name + ".d/dkms"); string(got) != want {
			h.t.Errorf("the hook %s is not ours:\n%s", name, got)
		}
	}
}

func same(t *testing.T, when string, want, got box.Snapshot) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-before +after):\n%s", when, diff)
	}
}

// TestTakeOver: from Debian's dkms to us, and back, and so again; what is
// registered, built and installed stays as it is, and whoever is there has its
// hooks in place.
func TestTakeOver(t *testing.T) {
	for _, stock := range []string{"dkms", "../build/e2e/debs/dkms-3.2.2.deb"} {
		t.Run(strings.TrimSuffix(filepath.Base(stock), ".deb"), func(t *testing.T) {
			h := newHost(t)
			dkms := stock
			h.apt("install", "linux-headers-amd64")
			if stock != "dkms" {
				h.apt("install", "dpkg-dev")
				dkms = h.copy(stock, "/root/dkms.deb")
			}
			ours := h.ours("0.1.0")
			h.apt("install", dkms, "bbswitch-dkms")
			modules, hooks, status := h.modules(), h.kernelHooks(), h.Must("dkms", "status").Stdout
			if n := strings.Count(status, ": installed\n"); n != 1 {
				t.Fatalf("dkms status = %s; want one installed", status)
			}

			for _, time := range []string{"once", "again"} {
				h.apt("install", ours)
				h.areOurs()
				same(t, time+": taking over", modules, h.modules())
				if got := h.Must("dkms", "status").Stdout; got != status {
					t.Errorf("%s: dkms status = %s; want %s", time, got, status)
				}
				h.Must("dkms-hook", "check")
				h.Must("test", "-L", "/etc/systemd/system/multi-user.target.wants/dkms.service")

				h.apt("install", dkms)
				same(t, time+": giving back", modules, h.modules())
				if got := h.Must("dkms", "status").Stdout; got != status {
					t.Errorf("%s: status of the other dkms = %s; want %s", time, got, status)
				}
				h.Must("dpkg", "--verify", "dkms")
				if got := h.Must("dpkg-divert", "--list").Stdout; strings.Contains(got, "dkms") {
					t.Errorf("diversions are left: %s", got)
				}
			}
			// Hooks that only we have are inert.
			if r := h.Must(kernelHooks+"preinst.d/dkms", "6.1"); stock == "dkms" && r.Stdout+r.Stderr != "" {
				t.Errorf("a hook of ours says: %s", r)
			}
			h.apt("purge", "dkms-hook")
			same(t, "purging", modules, h.modules())
			same(t, "hooks after purging", hooks, h.kernelHooks())
			if r := h.Run("test", "-L", "/etc/systemd/system/multi-user.target.wants/dkms.service"); r.Status == 0 {
				t.Error("the service is still enabled")
			}
		})
	}
}

// TestChangedHooks: hooks that an administrator has changed, or that no package
// has brought, are kept aside without a question.
func TestChangedHooks(t *testing.T) {
	h := newHost(t)
	ours := h.ours("0.1.0")
	h.apt("install", "dkms")
	const changed, foreign = "#!/bin/sh\n# changed by hand\n", "#!/bin/sh\n# from make install\n"
	h.WriteProgram(kernelHooks+"postinst.d/dkms", changed)
	h.WriteProgram(kernelHooks+"preinst.d/dkms", foreign)

	// What cannot be installed leaves them as they were.
	h.Write("/root/other/DEBIAN/control", "Package: other\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n")
	h.WriteProgram("/root/other/usr/lib/dkms/common.postinst", "#!/bin/sh\n")
	h.Must("dpkg-deb", "-b", "/root/other", "/root/other.deb")
	h.Must("dpkg", "--force-overwrite", "-i", "/root/other.deb")
	before := h.kernelHooks()
	if r := h.Run("dpkg", "-i", ours); r.Status == 0 {
		t.Fatalf("a package that another one stands in the way of was installed:\n%s", r)
	}
	same(t, "hooks after a failed installation", before, h.kernelHooks())
	h.Must("dpkg", "--purge", "other")

	h.apt("install", ours)
	h.areOurs()
	for path, want := range map[string]string{"postinst.d/dkms.dpkg-old": changed, "preinst.d/dkms.dpkg-old": foreign} {
		if got := string(h.Read(kernelHooks + path)); got != want {
			t.Errorf("%s = %s; want %s", path, got, want)
		}
	}
	if h.Exists(kernelHooks + "prerm.d/dkms.dpkg-old") {
		t.Error("a hook that nobody has changed was put aside")
	}
	h.apt("install", "dkms")
	h.Must("dpkg", "--verify", "dkms")
}

// TestOurUpgrade: from version to version of our own, and removal and
// installation anew.
func TestOurUpgrade(t *testing.T) {
	h := newHost(t)
	one, two := h.ours("0.1.0"), h.ours("0.1.1~git3.abc")
	h.apt("install", "linux-headers-amd64")
	h.apt("install", one, "bbswitch-dkms")
	modules := h.modules()
	for _, deb := range []string{two, two, one} {
		h.Must("dpkg", "-i", deb)
		h.areOurs()
		same(t, "dpkg -i "+deb, modules, h.modules())
		h.Must("dkms-hook", "check")
	}
	// An administrator's word is kept over upgrades.
	h.Must("rm", "/etc/systemd/system/multi-user.target.wants/dkms.service") // as systemctl disable does
	h.WriteProgram(kernelHooks+"prerm.d/dkms", "#!/bin/sh\n# no dkms-hook\n")
	h.apt("install", two)
	if h.Exists("/etc/systemd/system/multi-user.target.wants/dkms.service") {
		t.Error("an upgrade has enabled the service that was disabled")
	}
	if got := string(h.Read(kernelHooks + "prerm.d/dkms")); !strings.Contains(got, "no dkms-hook") {
		t.Errorf("an upgrade has replaced a hook that was changed by hand: %s", got)
	}
	h.Must("dpkg", "--remove", "--force-depends", "dkms-hook")
	same(t, "removal", modules, h.modules())
	if r := h.Must("run-parts", "--verbose", "--exit-on-error", "--arg=6.1", kernelHooks+"postinst.d", "--regex=^dkms$"); strings.Contains(r.Stdout, "dkms:") {
		t.Errorf("the hook of a removed package says: %s", r)
	}
	h.Must("dpkg", "-i", two)
	h.Must("dkms-hook", "check")
	same(t, "installation anew", modules, h.modules())
}

// TestPurge: only what is our own goes, whatever has to stay behind.
func TestPurge(t *testing.T) {
	h := newHost(t)
	h.apt("install", "linux-headers-amd64")
	h.apt("install", h.ours("0.1.0"), "bbswitch-dkms")
	h.Must("dkms", "generate_mok")
	h.Write("/etc/dkms/framework.conf", "on_failure=hold\n")
	modules := h.modules()
	if !h.Exists("/var/lib/dkms/.dkms-hook") || !h.Exists("/var/lib/dkms/mok.key") {
		t.Fatal("there is no state of our own, or no key: this test no longer tests anything")
	}
	h.Must("dpkg", "--purge", "--force-depends", "dkms-hook")
	same(t, "purging while packages are there", modules, h.modules())
	for path, want := range map[string]bool{
		"/var/lib/dkms/.dkms-hook": false, "/var/lib/dkms/mok.key": true, "/var/lib/dkms/mok.pub": true, "/etc/dkms/framework.conf": true,
		kernelHooks + "postinst.d/dkms": false, "/etc/systemd/system/multi-user.target.wants/dkms.service": false,
	} {
		if got := h.Exists(path); got != want {
			t.Errorf("after purging, %s is there: %v; want %v", path, got, want)
		}
	}
	h.Must("dpkg", "-i", h.ours("0.1.0"))
	h.apt("purge", "dkms-hook", "bbswitch-dkms")
	h.Must("rm", "/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub")
	h.apt("install", h.ours("0.1.0"))
	h.apt("purge", "dkms-hook")
	if h.Exists("/var/lib/dkms") {
		t.Errorf("purging has left /var/lib/dkms with nothing in it: %v", h.Glob("/var/lib/dkms/.*"))
	}
}
