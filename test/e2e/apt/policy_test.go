//go:build e2e

package apt

import (
	"strings"
	"testing"
)

// TestPolicy has a module that does not compile meet each on_failure.
func TestPolicy(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	type policy struct {
		policy string
		status int  // of apt-get
		notice bool // that the machine should not be restarted
	}
	for _, c := range cut(2, []policy{{"hold", 0, true}, {"fail", 100, false}, {"defer", 0, false}}) {
		t.Run(c.policy, func(t *testing.T) {
			t.Parallel()
			const notice = "/run/reboot-required.dkms-hook"
			m := newSmall(t)
			m.Write("/etc/dkms/framework.conf.d/e2e.conf", "on_failure="+c.policy+"\n")
			r := m.Run("apt-get", "-q", "-y", "install", m.pack(dkmsDeb("bad", "1.0", broken)), m.pack(dkmsDeb("bar", "1.0", good)))
			if r.Status != c.status {
				t.Errorf("apt: exit status %d; want %d\n%s", r.Status, c.status, r)
			}
			m.Has(m.Old, "foo", "1.0")
			m.Has(m.Old, "bar", "1.0")
			m.Check(1, named("bad", m.Old))
			switch {
			case c.notice != m.Exists(notice):
				t.Errorf("%s: is there: %v; want %v", notice, !c.notice, c.notice)
			case c.notice:
				if text := string(m.Read(notice)); !strings.Contains(text, "bad") || !strings.Contains(text, m.Old) {
					t.Errorf("%s names not both kernel and module: %q", notice, text)
				}
			}

			// The same for another kernel.
			r = m.Run(m.Words("apt-get", "-q", "-y", "install", "linux-headers-{NEW}")...)
			if r.Status != c.status {
				t.Errorf("apt, kernel: exit status %d; want %d\n%s", r.Status, c.status, r)
			}
			m.HasFile(m.Generic, "bar")

			// The mended module sets all right.
			m.Apt("--fix-broken", "install", m.pack(dkmsDeb("bad", "1.1", good)))
			m.Settled()
			m.Has(m.Old, "bad", "1.1")
			m.HasFile(m.Generic, "bad")
			m.HasFile(m.Generic, "bar")
			m.Check(0)
			if m.Exists(notice) {
				t.Errorf("%s: is still there", notice)
			}
		})
	}
}

// TestBareChroot is apt at work in a chroot where nobody has mounted anything,
// as tools that make images do.
func TestBareChroot(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newOldMachine(t)
	m.Must("umount", "/proc", "/sys")
	m.Engine(ours)
	m.Apt("install", m.pack(dkmsDeb("foo", "1.0", good)))
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.Apt("install", m.pack(dkmsDeb("foo", "1.1", broken)))
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.Apt("install", "linux-headers-{NEW}", m.pack(dkmsDeb("foo", "1.2", good)))
	m.Settled()
	m.Has(m.Old, "foo", "1.2")
	m.HasFile(m.Generic, "foo")
	m.Check(0)
	m.Apt("purge", "foo-dkms", "linux-image-{OLD}", "linux-headers-{OLD}")
	m.Settled()
	m.gone(m.Old)
	m.Same("purged", nil, m.AllModules())
}

// TestBrokenEntries puts into the tree what crashes and hands leave there. It
// is in nobody's way, reported, and mended on request.
func TestBrokenEntries(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	m.Must("sh", "-c", `cd /var/lib/dkms
		mkdir -p ghost/1.0 half/1.0/`+m.Old+`/x86_64 empty
		ln -s /usr/src/ghost-1.0 ghost/1.0/source
		ln -s 1.0/`+m.Old+`/x86_64 ghost/kernel-`+m.Old+`-x86_64
		mkdir -p /usr/src/half-1.0
		ln -s /usr/src/half-1.0 half/1.0/source
		echo hello >README
		echo nonsense >foo/1.0/`+m.Old+`/x86_64/.dkms-hook.json`)
	entries := []string{"ghost", "half", "README"}
	r := m.Apt("install", m.pack(dkmsDeb("bar", "1.0", good)), "linux-headers-{NEW}")
	m.Settled()
	for _, release := range []string{m.Old, m.Generic} {
		m.HasFile(release, "foo")
		m.HasFile(release, "bar")
	}
	for _, entry := range []string{"ghost/1.0", "half/1.0"} {
		if n := strings.Count(r.Stdout+r.Stderr, entry); n > 2 {
			t.Errorf("apt's output tells %d times of %s", n, entry)
		}
	}
	doctor := m.Run("dkms-hook", "doctor")
	for _, entry := range entries {
		if !strings.Contains(doctor.Stdout, "/var/lib/dkms/"+entry) {
			t.Errorf("the doctor does not tell of %s:\n%s", entry, doctor)
		}
	}
	mended := m.Run("dkms-hook", "doctor", "--fix")
	for _, release := range []string{m.Old, m.Generic} {
		m.HasFile(release, "foo")
		m.HasFile(release, "bar")
	}
	if left := m.Glob("/var/lib/dkms/ghost/kernel-*"); len(left) > 0 {
		t.Errorf("a link to nothing is still there: %v\n%s", left, mended)
	}
	if !m.Exists("/var/lib/dkms/README") {
		t.Error("a foreign file, which is a person's business, is gone")
	}
	m.Apt("purge", "foo-dkms", "bar-dkms")
	m.Settled()
	m.Same("purged", nil, m.AllModules())
	if t.Failed() {
		t.Logf("%s\n%s\n%s", r, doctor, mended)
	}
}
