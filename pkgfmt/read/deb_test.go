package read

import (
	"archive/tar"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

const sampleLog = "sample (1:2.0~rc1-3) unstable; urgency=low\n\n  * One.\n    And more.\n\n  [ B ]\n  * Two.\n\n" +
	" -- A. Tester <a@example.org>  Tue, 03 Feb 2026 04:05:06 +0100\n\nsample (1.0) unstable; urgency=low\n\n  * Old.\n\n -- B <b@example.org>  Mon, 02 Feb 2026 04:05:06 +0100\n"

var sampleTime = time.Unix(1_700_000_000, 0).UTC()

// sampleDeb is a package with all that a .deb can have.
func sampleDeb(t testing.TB) []byte {
	at := func(e tarEntry) tarEntry {
		e.ModTime = sampleTime
		return e
	}
	return debOf(
		tarBytes(t, tarEntry{tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}, ""}, entry("./control", sampleControl),
			entry("./preinst", "#!/usr/bin/perl -w\n1;\n"), entry("./postinst", "#! /bin/sh\nset -e\n"), entry("./config", "no interpreter\n"),
			entry("./triggers", "# why\ninterest-noawait /usr/src\nactivate-await ldconfig # too\n\n"),
			entry("./conffiles", "/etc/sample.conf\nremove-on-upgrade /etc/gone\n"),
			entry("./md5sums", "0123456789abcdef0123456789abcdef  usr/src/sample-2.0/a b.c\nshort  usr/x\n")),
		tarBytes(t,
			at(tarEntry{tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}, ""}),
			at(entry("./etc/sample.conf", "x=1\n")),
			at(tarEntry{tar.Header{Name: "./usr/src/sample-2.0/a b.c", Mode: 0o4755, Uname: "daemon", Gname: "adm"}, "int a;\n"}),
			at(tarEntry{tar.Header{Name: "./usr/src/sample-2.0/b.c", Typeflag: tar.TypeLink, Linkname: "./usr/src/sample-2.0/a b.c"}, ""}),
			at(tarEntry{tar.Header{Name: "./usr/src/sample-2.0/c", Typeflag: tar.TypeSymlink, Linkname: "../x", Mode: 0o777}, ""}),
			at(entry("./usr/share/doc/sample-dkms/changelog.gz", string(compress(t, "gzip", []byte("upstream's"))))),
			at(entry("./usr/share/doc/sample-dkms/changelog.Debian.gz", string(compress(t, "gzip", []byte(sampleLog))))),
			at(entry("./usr/share/doc/sample-dkms/copyright", "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"+
				"Files: debian/*\nLicense: Expat\n\nFiles: *\nCopyright: none\nLicense: GPL-2+\n text\n"))))
}

func TestOpenDeb(t *testing.T) {
	t.Parallel()
	path := file(t, "looks-like-an.rpm", sampleDeb(t))
	got, contents, err := readAll(path)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, mode fs.FileMode, size int) File {
		return File{Path: name, Mode: mode, Size: int64(size), Owner: "root", Group: "root", Time: sampleTime}
	}
	config, source, hard, soft := f("/etc/sample.conf", 0o644, 4), f("/usr/src/sample-2.0/a b.c", 0o755|fs.ModeSetuid, 7),
		f("/usr/src/sample-2.0/b.c", 0o644, 0), f("/usr/src/sample-2.0/c", 0o777|fs.ModeSymlink, 0)
	config.Config = true
	source.Owner, source.Group, source.Digest = "daemon", "adm", "md5:0123456789abcdef0123456789abcdef"
	hard.Link, soft.Target = source.Path, "../x"
	want := &Package{
		Path: path, Format: pkgfmt.Deb, Name: "sample-dkms", Version: pkgfmt.Version{Epoch: 1, Upstream: "2.0~rc1", Revision: "3"}, Arch: "all",
		Summary: "a sample", Description: "It says\n\n  nothing.", License: "GPL-2+", Homepage: "https://example.org",
		Maintainer: "A. Tester <a@example.org>", Section: "kernel", Compression: "none", Time: sampleTime, Size: 12 << 10,
		Fields: got.Fields, // compared below
		Relations: []Relation{{Kind: "Depends", Text: "dkms (>= 2.1.0.0) | dkms-hook"}, {Kind: "Depends", Text: "kmod"},
			{Kind: "Provides", Text: "sample-modules (= 2.0~rc1)"}},
		Scripts: []Script{{Name: "config", Text: "no interpreter\n"}, {Name: "preinst", Program: "/usr/bin/perl -w", Text: "#!/usr/bin/perl -w\n1;\n"},
			{Name: "postinst", Program: "/bin/sh", Text: "#! /bin/sh\nset -e\n"}},
		Triggers: []Trigger{{Kind: "interest-noawait", Names: []string{"/usr/src"}}, {Kind: "activate-await", Names: []string{"ldconfig"}}},
		Change: &pkgfmt.Change{Version: pkgfmt.Version{Epoch: 1, Upstream: "2.0~rc1", Revision: "3"}, Author: "A. Tester <a@example.org>",
			Time: time.Date(2026, 2, 3, 3, 5, 6, 0, time.UTC), Lines: []string{"* One.", "  And more.", "[ B ]", "* Two."}},
		Files: []File{f("/", 0o755|fs.ModeDir, 0), config},
	}
	for _, doc := range []string{"changelog.Debian.gz", "changelog.gz", "copyright"} {
		name := "/usr/share/doc/sample-dkms/" + doc
		want.Files = append(want.Files, f(name, 0o644, len(contents[name])))
	}
	want.Files = append(want.Files, source, hard, soft)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Package{})); diff != "" {
		t.Errorf("Open (-want +got):\n%s", diff)
	}
	if len(got.Fields) != 10 || got.Fields[4] != (Field{"Depends", "dkms (>= 2.1.0.0) | dkms-hook,\nkmod"}) {
		t.Errorf("fields = %q", got.Fields)
	}
	if contents["/etc/sample.conf"] != "x=1\n" || contents[source.Path] != "int a;\n" || len(contents) != 5 {
		t.Errorf("contents = %q", contents)
	}
}

func TestCompressions(t *testing.T) {
	t.Parallel()
	control, data := tarBytes(t, entry("./control", sampleControl)), tarBytes(t, entry("./a", "b\n"))
	for suffix, algorithm := range suffixes {
		packed := [][]byte{nil, nil}
		if algorithm == "bzip2" {
			pkgtest.Needs(t, "bzip2")
			for i, in := range [][]byte{control, data} {
				packed[i] = []byte(pkgtest.Output(t, "bzip2", "-kc", file(t, "x", in)))
			}
		} else {
			packed[0], packed[1] = compress(t, algorithm, control), compress(t, algorithm, data)
		}
		p, contents, err := readAll(file(t, "a.deb", arBytes(arMember{name: "debian-binary", data: []byte("2.0\n")},
			arMember{name: "control.tar" + suffix, data: packed[0]}, arMember{name: "data.tar" + suffix, data: packed[1]})))
		if err != nil || p.Compression != algorithm || contents["/a"] != "b\n" {
			t.Errorf("data.tar%s: %v, %q, %v", suffix, p, contents, err)
		}
	}
}

func TestParseChangelog(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*pkgfmt.Change{
		"":                                   nil,
		"\n\n":                               nil,
		"  * indented first\n":               nil,
		"a (1.0 unstable\n":                  nil,
		"a (1.0) unstable\n\n  * b\nc\n":     nil,
		"a (1.0) unstable\n\n  * unsigned\n": nil,
		"a (1.0) x\n -- B <b@c>  when\n":     {Version: pkgfmt.Version{Upstream: "1.0"}, Author: "B <b@c>"},
	} {
		if diff := cmp.Diff(want, parseChangelog(text)); diff != "" {
			t.Errorf("parseChangelog(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestLicenseOfDeb(t *testing.T) {
	t.Parallel()
	const head = "Format: x\n\n"
	for text, want := range map[string]string{
		"This is free.\nLicense: no\n":                                      "",
		head + "License: GPL-2\n text\n":                                    "",
		head + "Files: *\nLicense: GPL-2 or MIT\n":                          "GPL-2 or MIT",
		head + "Files: a\nLicense: X\n\nFiles: *\nCopyright: y\nLicense: Z": "Z",
	} {
		if got := (&debCopyright{text: text}).license(); got != want {
			t.Errorf("license of %q = %q; want %q", text, got, want)
		}
	}
}
