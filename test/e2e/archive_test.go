//go:build e2e

package e2e

import "testing"

// TestBinariesOnly carries modules, without their source, to a machine that
// has neither source nor headers, and installs them there.
func TestBinariesOnly(t *testing.T) {
	t.Parallel()
	m := newMachine(t, ours, "chain-base-1.0")
	m.want(t, 0, "install", "chain-base/1.0", "-k", "{K}")
	there := m.installed(t)
	m.want(t, 0, "mktarball", "chain-base/1.0", "-k", "{K}", "--binaries-only", "--archive", "b.dkms.tar.gz")
	m.Must("mv", "/var/lib/dkms/chain-base/1.0/tarball/b.dkms.tar.gz", "/root")
	m.want(t, 0, "remove", "chain-base/1.0", "--all")
	m.RemoveAll("/usr/src/chain-base-1.0")
	m.RemoveAll("/usr/src/linux-headers-" + m.generic)
	before := m.installed(t)

	m.want(t, 0, "ldtarball", "/root/b.dkms.tar.gz")
	m.want(t, 0, "install", "chain-base/1.0", "-k", "{K}")
	sameLines(t, "/lib/modules with the modules from the archive", there, m.installed(t))
	m.want(t, 0, "remove", "chain-base/1.0", "--all")
	sameLines(t, "/lib/modules after remove", before, m.installed(t))
}

// TestArchiveKeepsVersion packs a package that is registered under another
// version than its dkms.conf says, and loads it under the registered one.
func TestArchiveKeepsVersion(t *testing.T) {
	t.Parallel()
	m := newMachine(t, ours, "it87-eol")
	m.want(t, 0, "build", "it87/eol", "-k", "{K}")
	rows := m.want(t, 0, "status").Stdout
	m.want(t, 0, "mktarball", "it87/eol", "-k", "{K}", "--archive", "a.dkms.tar.gz")
	m.Must("mv", "/var/lib/dkms/it87/eol/tarball/a.dkms.tar.gz", "/root")
	m.want(t, 0, "remove", "it87/eol", "--all")
	m.RemoveAll("/usr/src/it87-eol")

	m.want(t, 0, "ldtarball", "/root/a.dkms.tar.gz")
	if got := m.want(t, 0, "status").Stdout; got != rows {
		t.Errorf("status prints %q; want %q as before", got, rows)
	}
	m.want(t, 0, "remove", "it87/eol", "--all")
}
