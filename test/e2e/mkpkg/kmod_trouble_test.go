//go:build e2e

package mkpkg

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A trouble is a command that must fail, say so, and leave nothing behind.
type trouble struct {
	name   string
	before func(b *box.Box)
	args   []string
	status int
	says   string
	left   string // pattern of the one file that stays, in /forge/tmp
}

// TestKmodTrouble: whatever keeps built modules from being packaged, neither
// temporary files nor packages nor compilers are left.
func TestKmodTrouble(t *testing.T) {
	t.Parallel()
	signal := func(name string) []string {
		return []string{"timeout", "--foreground", "--preserve-status", "-s", name, "2"}
	}
	full := func(dir, size string) func(*box.Box) {
		return func(b *box.Box) {
			b.Confine(dir, size)
			b.Must("chown", "65534", dir)
		}
	}
	f := forgeIn(t, box.New(t))
	kernels := f.Glob("/lib/modules/*-[0-9]*-amd64/build")
	if len(kernels) == 0 {
		box.Lacks(t, "the headers of a kernel")
	}
	generic := filepath.Base(filepath.Dir(kernels[0]))
	f.putPair(generic)
	conf := string(f.Read("/forge/" + pairBase + "/dkms.conf"))
	for dir, make := range map[string]string{
		"slow":   `MAKE="make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build && sleep 60"`,
		"broken": `MAKE="echo a.c:1:1: error: no; false"`,
	} {
		f.Must("cp", "-r", "/forge/"+pairBase, "/forge/"+dir)
		f.Write("/forge/"+dir+"/dkms.conf", conf+make+"\n")
	}
	for _, tt := range []trouble{
		{"Ctrl-C", nil, append(signal("INT"), "dkms-mkpkg", "kmod", "/forge/slow"), 130, "was interrupted", ""},
		{"SIGTERM", nil, append(signal("TERM"), "dkms-mkpkg", "kmod", "/forge/slow"), 130, "was interrupted", ""},
		{"does not compile", nil, []string{"dkms-mkpkg", "kmod", "/forge/broken"}, 1, "log: /forge/tmp/dkms-mkpkg-", "/forge/tmp/dkms-mkpkg-*.log"},
		{"disk full", full("/forge/out", "24k"), []string{"dkms-mkpkg", "kmod", "/forge/" + pairBase, "--compress", "none"}, 1, "no space left on device", ""},
		{"no room to build", full("/forge/tmp", "16k"), []string{"dkms-mkpkg", "kmod", "/forge/" + pairBase}, 1, "error: /forge/tmp: has no room to build in", ""},
		{"no room for what compilers write", full("/forge/tmp", "300k"), []string{"dkms-mkpkg", "kmod", "/forge/" + pairBase}, 1, "error: /forge/tmp: has no room to build in", ""},
		{"read-only", func(b *box.Box) { b.Freeze("/forge/out") }, []string{"dkms-mkpkg", "kmod", "/forge/broken"}, 1, "cannot be written to: read-only file system", ""},
		{"somebody else's", func(b *box.Box) { b.Must("chown", "0", "/forge/out") }, []string{"dkms-mkpkg", "kmod", "/forge/broken"}, 1, "cannot be written to: permission denied", ""},
		{"no place for temporary files", nil, []string{"env", "TMPDIR=/nowhere", "dkms-mkpkg", "kmod", "/forge/broken"}, 1, "/nowhere: cannot be built in", ""},
	} {
		f.Must("install", "-d", "-o", "65534", "/forge/tmp", "/forge/out")
		if tt.before != nil {
			tt.before(f.Box)
		}
		args := append(tt.args, "--kernel", generic, "-o", "/forge/out")
		r := f.Run(nobody(append([]string{"env", "TMPDIR=/forge/tmp"}, args...)...)...)
		if r.Status != tt.status || !strings.Contains(r.Stderr, tt.says) || r.Stdout != "" {
			t.Errorf("%s: want exit status %d and %q:\n%s", tt.name, tt.status, tt.says, r)
		}
		f.onlyLeft(t, tt)
		for _, dir := range []string{"/forge/tmp", "/forge/out"} {
			f.Run("umount", dir)
			f.RemoveAll(dir)
		}
	}
}

// onlyLeft demands that nothing is left of a command but what may be.
func (f forge) onlyLeft(t *testing.T, tt trouble) {
	t.Helper()
	var left []string
	for _, pattern := range []string{"/forge/tmp/*", "/forge/tmp/.*", "/forge/out/*", "/forge/out/.*", "/tmp/*"} {
		left = append(left, f.Glob(pattern)...)
	}
	if may := f.Glob(tt.left); tt.left != "" && len(may) == 1 && len(left) == 1 && may[0] == left[0] {
		left = nil
	}
	if len(left) > 0 {
		t.Errorf("%s: left over: %q", tt.name, left)
	}
	if pids := f.Processes("make", "cc1", "sleep", "dkms-mkpkg"); len(pids) > 0 {
		t.Errorf("%s: still running: %v", tt.name, pids)
	}
}
