//go:build e2e

package apt

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A fault is something bad about a disk; updates is where modules are installed.
type fault struct {
	name             string
	arrange, restore func(m machine, updates string)
}

// TestFault lets the new version of a module meet a disk that is full or
// read-only. The old module stays; once the disk is right, "dpkg --configure
// -a" and the same command again end with the new one.
func TestFault(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	// Of a size that a small disk has no room for.
	large := "static const char large[1<<20] __used = {1};\n"
	for _, c := range cut(2, []fault{
		{"tree full",
			func(m machine, _ string) { m.Confine("/var/lib/dkms", m.sizeOf("/var/lib/dkms", 256)) },
			func(m machine, _ string) { m.Widen("/var/lib/dkms", "100m") }},
		{"modules read-only",
			func(m machine, _ string) { m.Freeze("/lib/modules") },
			func(m machine, _ string) { m.Thaw("/lib/modules") }},
		{"tree without a byte",
			func(m machine, _ string) { m.Confine("/var/lib/dkms", m.sizeOf("/var/lib/dkms", 0)) },
			func(m machine, _ string) { m.Widen("/var/lib/dkms", "100m") }},
		{"modules full",
			func(m machine, updates string) { m.Confine(updates, m.sizeOf(updates, 8)) },
			func(m machine, updates string) { m.Widen(updates, "100m") }},
		{"tree read-only",
			func(m machine, _ string) { m.Freeze("/var/lib/dkms") },
			func(m machine, _ string) { m.Thaw("/var/lib/dkms") }},
	}) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newSmall(t)
			before := m.Modules(m.Old)
			updates := "/lib/modules/" + m.Old + "/updates"
			command := []string{"install", "--reinstall", m.pack(dkmsDeb("foo", "1.1", large)), m.pack(dkmsDeb("bar", "1.0", good))}
			c.arrange(m, updates)
			r := m.Run(append([]string{"apt-get", "-q", "-y"}, command...)...)
			t.Logf("meanwhile, apt's exit status is %d", r.Status)
			m.Has(m.Old, "foo", "1.0")
			now := m.Modules(m.Old)
			delete(now, m.Old+"/updates/dkms/bar.ko") // may have had room
			m.Same("while the disk is bad", before, now)
			m.checkFails()

			c.restore(m, updates)
			m.Must("dpkg", "--configure", "-a")
			m.Apt(command...)
			m.Settled()
			m.Has(m.Old, "foo", "1.1")
			m.Has(m.Old, "bar", "1.0")
			m.Check(0)
			if t.Failed() {
				t.Log(r)
			}
		})
	}
}

// sizeOf is what a folder takes in a tmpfs, and some KiB more, as size= wants it.
func (m machine) sizeOf(dir string, more int) string {
	m.TB.Helper()
	r := m.Must("sh", "-c", `d=$(mktemp -d); mount -t tmpfs tmpfs $d; cp -a `+dir+`/. $d; df -k --output=used $d | tail -n 1; umount $d; rmdir $d`)
	var used int
	if _, err := fmt.Sscan(r.Stdout, &used); err != nil {
		m.TB.Fatalf("%v: %s", err, r)
	}
	return fmt.Sprintf("%dk", used+max(more, 4)-4)
}

// TestHangingBuild has a Makefile that never ends, and says nothing.
func TestHangingBuild(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	m.Write("/etc/dkms/framework.conf.d/e2e.conf", "build_timeout=5s\n")
	hanging := dkmsDeb("hanging", "1.0", good)
	hanging.files["/usr/src/hanging-1.0/Makefile"] = "obj-m := hanging.o\n$(shell sleep 1000)\n"
	r := m.Apt("install", m.pack(hanging), m.pack(dkmsDeb("bar", "1.0", good)))
	m.Settled()
	if r.Took > time.Minute {
		t.Errorf("apt took %v", r.Took)
	}
	if left := m.Processes(); len(left) > 0 {
		t.Errorf("processes are left of the build: %v", left)
	}
	m.Has(m.Old, "foo", "1.0")
	m.Has(m.Old, "bar", "1.0")
	m.Check(1, `hanging/1\.0.*`+m.Old)
	m.Apt("purge", "hanging-dkms")
	m.Settled()
	m.Check(0)
}

// TestHooksAtOnce runs hooks for two kernels and the boot service at the same
// time, outside dpkg.
func TestHooksAtOnce(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	m.Apt("install", m.pack(dkmsDeb("bar", "1.0", good)))
	// Headers are there, but their hooks have not run: as if dpkg had been killed.
	m.Must(m.Words("sh", "-c", "apt-get -q -y --download-only install linux-headers-{NEW} linux-headers-cloud-amd64; "+
		"cd /var/cache/apt/archives; dpkg --no-triggers --unpack linux-headers-*_amd64.deb linux-headers-*_all.deb linux-kbuild-*.deb")...)
	before := len(m.runs(0))
	hooks := [][]string{
		{"/etc/kernel/postinst.d/dkms", m.Generic, "/boot/vmlinuz-" + m.Generic},
		{"/etc/kernel/postinst.d/dkms", m.Cloud, "/boot/vmlinuz-" + m.Cloud},
		{"/etc/kernel/header_postinst.d/dkms", m.Generic},
		{"dkms-hook", "sync", "--all-kernels"},
		{"dkms-hook", "hook", "boot"},
	}
	var waits []func()
	for _, h := range hooks {
		wait := m.Start(h...)
		waits = append(waits, func() {
			if r := wait(); r.Status != 0 {
				t.Errorf("exit status %d: %s", r.Status, r)
			}
		})
	}
	if r := m.Must("dkms", "status"); r.Took > 2*time.Second {
		t.Errorf("status waited %v for the others", r.Took)
	}
	for _, wait := range waits {
		wait()
	}
	for _, release := range []string{m.Generic, m.Cloud} {
		m.HasFile(release, "foo")
		m.HasFile(release, "bar")
	}
	built := did(m.runs(before), "built")
	if len(built) != 4 {
		t.Errorf("built: %v", built)
	}
	once(t, m.runs(before))
	m.Must("dpkg", "--configure", "-a")
	m.Apt("--fix-broken", "install")
	m.Settled()
	m.Check(0)
	once(t, m.runs(before))
}

// TestCalledFromWithin has a package's script call everything that an event
// calls, while we hold the lock for it.
func TestCalledFromWithin(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	calling := dkmsDeb("calling", "1.0", good, "POST_INSTALL=post.sh")
	calling.files["/usr/src/calling-1.0/post.sh"] = "#!/bin/sh\n" + strings.NewReplacer("{K}", m.Old).Replace(`
exec >/root/post.log 2>&1
timeout 60 dkms status
timeout 60 /etc/kernel/postinst.d/dkms {K} /boot/vmlinuz-{K}; echo "postinst.d $?"
timeout 60 /etc/kernel/header_postinst.d/dkms {K}; echo "header_postinst.d $?"
timeout 60 dkms-hook hook boot; echo "boot $?"
timeout 60 dkms install foo/1.0 -k {K} --force; echo "install $?"
exit 0
`)
	m.Apt("install", m.pack(calling))
	m.Settled()
	m.Has(m.Old, "calling", "1.0")
	m.Check(0)
	if !m.Exists("/root/post.log") {
		t.Fatal("POST_INSTALL did not run")
	}
	log := string(m.Read("/root/post.log"))
	for _, want := range []string{"foo/1.0, " + m.Old, "postinst.d 0", "header_postinst.d 0", "boot 0"} {
		if !strings.Contains(log, want) {
			t.Errorf("the script does not tell %q", want)
		}
	}
	if strings.Contains(log, "\ninstall 0\n") || strings.Contains(log, "\ninstall 124\n") {
		t.Error("an install from within a run was not refused, or waited for the run")
	}
	if t.Failed() {
		t.Log(log)
	}
}
