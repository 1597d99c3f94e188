//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// built builds the package first, so that the fault meets the installation.
func built(then func(m machine)) func(*testing.T, machine) {
	return func(t *testing.T, m machine) {
		m.want(t, 0, "build", "bad/1.0", "-k", "{K}")
		then(m)
	}
}

var badMachines = []badCase{
	{name: "PRE_INSTALL refuses", arrange: func(t *testing.T, m machine) {
		file("pre.sh", "#!/bin/sh\nexit 1\n", "PRE_INSTALL=pre.sh\n")(t, m)
		built(func(machine) {})(t, m)
	}, args: words("install bad/1.0 -k {K}"), status: 101, says: `PRE_INSTALL|pre\.sh`},
	{name: "depmod fails", arrange: built(func(m machine) {
		m.Must("mv", "/usr/sbin/depmod", "/usr/sbin/depmod.off")
		m.WriteProgram("/usr/sbin/depmod", "#!/bin/sh\necho no depmod today >&2\nexit 1\n")
	}), restore: func(m machine) { m.Must("mv", "/usr/sbin/depmod.off", "/usr/sbin/depmod") },
		args: words("install bad/1.0 -k {K}"), status: 6, says: `depmod`},
	{name: "no make", arrange: shell("rm -rf /var/cache/dkms-hook; mv /usr/bin/make /usr/bin/make.off"), restore: func(m machine) { m.Must("mv", "/usr/bin/make.off", "/usr/bin/make") },
		args: words("build bad/1.0 -k {K}"), status: anyFailure, says: `make`, logs: true},
	{name: "half a key pair", arrange: shell("mv /var/lib/dkms/mok.pub /root/mok.pub"), restore: func(m machine) { m.Must("cp", "/root/mok.pub", "/var/lib/dkms/mok.pub") },
		args: words("build bad/1.0 -k {K}"), status: anyFailure, says: `mok\.pub`, logs: true},
	{name: "tree read-only", arrange: func(_ *testing.T, m machine) { m.Freeze("/var/lib/dkms") }, restore: func(m machine) { m.Thaw("/var/lib/dkms") },
		args: words("build bad/1.0 -k {K}"), status: 1, says: `/var/lib/dkms`},
	{name: "tree full", arrange: func(_ *testing.T, m machine) { m.Confine("/var/lib/dkms", "64k") }, restore: func(m machine) { m.Thaw("/var/lib/dkms") },
		args: words("install bad/1.0 -k {K}"), status: anyFailure, says: `(?i)no space`, logs: true},
	{name: "modules read-only", arrange: built(func(m machine) { m.Freeze("/lib/modules") }), restore: func(m machine) { m.Thaw("/lib/modules") },
		args: words("install bad/1.0 -k {K}"), status: anyFailure, says: `(?i)read-only`},
	{name: "modules full", arrange: built(func(m machine) {
		m.Must("mkdir", "/lib/modules/"+m.generic+"/updates")
		m.Confine("/lib/modules/"+m.generic+"/updates", "4k")
		m.Write("/lib/modules/"+m.generic+"/updates/full", strings.Repeat("x", 4096))
	}), restore: func(m machine) { m.Thaw("/lib/modules/" + m.generic + "/updates") },
		args: words("install bad/1.0 -k {K}"), status: anyFailure, says: `(?i)no space`},
	{name: "sources read-only", arrange: func(t *testing.T, m machine) {
		m.Must("sh", "-c", "mkdir /root/worse; cp /usr/src/bad-1.0/* /root/worse; sed -i s/bad/worse/ /root/worse/dkms.conf")
		m.Freeze("/usr/src")
	}, restore: func(m machine) { m.Thaw("/usr/src") },
		args: words("add /root/worse"), status: anyFailure, says: `/usr/src`},
}

var badArchives = []badCase{
	{name: "no archive", args: words("ldtarball --archive /root/none.tar.gz"), status: 2, says: `/root/none\.tar\.gz`},
	{name: "archive is empty", arrange: shell("touch /root/a.tar.gz"), args: words("ldtarball --archive /root/a.tar.gz"), status: anyFailure, says: `/root/a\.tar\.gz`},
	{name: "archive is none", arrange: shell("echo nonsense >/root/a.tar.gz"), args: words("ldtarball --archive /root/a.tar.gz"), status: anyFailure, says: `/root/a\.tar\.gz`},
	{name: "archive of something else", arrange: archive(entry{name: "hello", text: "hello"}), args: words("ldtarball --archive /root/a.tar.gz"), status: 3, says: `dkms\.conf`},
	{name: "archive with an invalid conf", arrange: archive(entry{name: "dkms_source_tree/dkms.conf", text: "PACKAGE_NAME=x\n"}), args: words("ldtarball --archive /root/a.tar.gz"), status: 7, says: `PACKAGE_VERSION`},
	{name: "archive of what is there", arrange: func(t *testing.T, m machine) {
		archive(entry{name: "dkms_source_tree/dkms.conf", text: goodConf + "# changed\n"})(t, m)
	}, args: words("ldtarball --archive /root/a.tar.gz"), status: 8, says: `bad/1\.0`},
	{name: "archive with an absolute path", arrange: archive(good("worse"), entry{name: "/etc/worse", text: "x"}), args: words("ldtarball --archive /root/a.tar.gz"), status: 7, says: `/etc/worse`},
	{name: "archive that climbs", arrange: archive(good("worse"), entry{name: "dkms_source_tree/../../etc/worse", text: "x"}), args: words("ldtarball --archive /root/a.tar.gz"), status: 7, says: `\.\.`},
	{name: "archive with a link out", arrange: archive(good("worse"), entry{name: "dkms_source_tree/x", link: "/etc"}, entry{name: "dkms_source_tree/x/worse", text: "x"}),
		args: words("ldtarball --archive /root/a.tar.gz"), status: 7},
	{name: "archive with a link upwards", arrange: archive(good("worse"), entry{name: "dkms_source_tree/x", link: "../../../../etc/shadow"}),
		args: words("ldtarball --archive /root/a.tar.gz"), status: 7},
	{name: "archive with a hard link out", arrange: archive(good("worse"), entry{name: "dkms_source_tree/x", link: "/etc/shadow", kind: tar.TypeLink}),
		args: words("ldtarball --archive /root/a.tar.gz"), status: 7},
	{name: "archive with a device", arrange: archive(good("worse"), entry{name: "dkms_source_tree/x", kind: tar.TypeBlock}),
		args: words("ldtarball --archive /root/a.tar.gz"), status: 7},
	{name: "archive with a hostile package name", arrange: archive(good("../../etc/x")), args: words("ldtarball --archive /root/a.tar.gz"), status: 7, says: `\.\./`},
	{name: "archive cut off", arrange: func(t *testing.T, m machine) {
		archive(good("worse"), entry{name: "dkms_source_tree/x", text: string(noise(20000))})(t, m)
		m.Must("truncate", "-s", "15000", "/root/a.tar.gz")
	}, args: words("ldtarball --archive /root/a.tar.gz"), status: 7, says: `/root/a\.tar\.gz`},
	{name: "archive that claims to be huge", arrange: archive(good("worse"), entry{name: "dkms_source_tree/x", claims: 8 << 40}),
		args: words("ldtarball --archive /root/a.tar.gz"), status: 7},
}

// An entry of an archive.
type entry struct {
	name, text, link string
	kind             byte
	claims           int64 // size that the header claims, when the text is shorter
}

// good is a dkms.conf that is valid but for, perhaps, its name.
func good(name string) entry {
	return entry{name: "dkms_source_tree/dkms.conf", text: "PACKAGE_NAME=" + name + "\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=x\nDEST_MODULE_LOCATION=/updates\n"}
}

// archive writes /root/a.tar.gz.
func archive(entries ...entry) func(*testing.T, machine) {
	return func(t *testing.T, m machine) {
		t.Helper()
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		w := tar.NewWriter(z)
		for _, e := range entries {
			h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)) + e.claims, Typeflag: tar.TypeReg, Linkname: e.link}
			if e.link != "" {
				h.Typeflag = tar.TypeSymlink
			}
			if e.kind != 0 {
				h.Typeflag = e.kind
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(e.text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil && len(entries) > 0 && entries[len(entries)-1].claims == 0 {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		m.Write("/root/a.tar.gz", out.String())
	}
}

// noise returns n bytes that do not compress.
func noise(n int) []byte {
	out, x := make([]byte, n), uint32(1)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}
