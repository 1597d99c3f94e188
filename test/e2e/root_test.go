//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// TestRoot works on a root file system from outside: one without /proc and
// /dev, whose build links are absolute, as Debian's are.
func TestRoot(t *testing.T) {
	t.Parallel()
	m := newMachine(t, ours, "it87-eol")
	m.Must("sh", "-c", "mkdir /srv/root && mount --bind / /srv/root") // without what is mounted below
	if got := m.Must("ls", "-A", "/srv/root/proc").Stdout; got != "" {
		t.Fatalf("the root has a /proc: %q", got)
	}
	m.RemoveAll("/etc/dkms") // tests set try_sign_modules there
	before := m.Must("sh", "-c", "mount").Stdout

	// The running kernel is the host's: the root has others, and says so.
	r := m.Run("dkms-hook", "install", "it87/eol", "--root", "/srv/root")
	if r.Status != 21 || !strings.Contains(r.Stderr, m.generic) {
		t.Errorf("%v\nwant 21, and the kernels of the root", r)
	}
	m.want(t, 0, "install", "it87/eol", "-k", "{K}", "--root", "/srv/root")
	if got := m.Must("dkms", "status", "--root", "/srv/root").Stdout; !regexp.MustCompile(`^it87/eol, \S+, x86_64: installed`).MatchString(got) {
		t.Errorf("status in the root: %q; want it installed", got)
	}
	module := "/srv/root/lib/modules/" + m.generic + "/updates/dkms/it87.ko"
	if got := m.Must("modinfo", "-F", "vermagic", module).Stdout; !strings.HasPrefix(got, m.generic+" ") {
		t.Errorf("vermagic %q; want that of %s", got, m.generic)
	}
	if got := m.Must("modinfo", "-F", "signer", module).Stdout; got != "" {
		t.Errorf("signed by %q; want no signature: an image's key is not this machine's", got)
	}
	m.want(t, 0, "remove", "it87/eol", "--all", "--root", "/srv/root")
	if left := m.Glob("/srv/root/lib/modules/*/updates"); len(left) > 0 {
		t.Errorf("left after remove: %v", left)
	}
	if after := m.Must("sh", "-c", "mount").Stdout; after != before {
		t.Errorf("mounts have changed:\n%s\nwere:\n%s", after, before)
	}
}
