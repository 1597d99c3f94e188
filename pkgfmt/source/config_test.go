package source

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

const wholeConfig = `# everything that there is
name: bar
version: 1.10
release: 2
epoch: 3
summary: What it is
description: |
  A paragraph
  on two lines.

  Another one.
license: GPL-2.0+
homepage: https://example.org/
maintainer: A <a@example.org>
vendor: Example
section: contrib/kernel
depends: [kmod, "kmod >= 30", "dracut (>> 1.0) | initramfs-tools"]
recommends:
  deb: ["foo-utils (>= 1)"]
  rpm: ["(foo-utils if desktop)"]
suggests: [a]
conflicts: [b]
breaks: ["c < 2"]
replaces: [d]
provides: ["e = 1"]
files:
  - source: etc/foo.conf
    path: /etc/foo.conf
    config: true
  - {source: tool.sh, path: /usr/sbin/foo-tool}
  - {source: data, path: /usr/share/foo, mode: "0600", format: rpm}
modprobe: [etc/foo.conf]
udev: [etc/60-foo.rules]
modules-load: [etc/foo.conf]
firmware:
  - fw/a.bin
  - {source: fw, path: foo}
dracut: [dracut/90foo, etc/foo.conf]
initramfs-tools: [initramfs/foo, initramfs/scripts/init-top/foo]
scripts:
  deb: {postinst: scripts/post}
  rpm: {post: scripts/post}
ignore: ["/data", "*.txt"]
changelog:
  - version: 1.10-2
    date: 2024-05-01
    author: B <b@example.org>
    changes: [One., Two.]
  - {version: "1.9", date: "2024-04-01T12:00:00Z", changes: [Three.]}
kmod:
  abi: ksym
  kernels: [6.1.0-1-amd64]
`

const configTree = plain + `
-- etc/foo.conf --
-- etc/60-foo.rules --
-- tool.sh --
-- data/x.sh --
-- data/sub/y --
-- fw/a.bin --
-- fw/b/c.bin --
-- dracut/90foo/module-setup.sh --
-- dracut/90foo/foo.conf --
-- initramfs/foo --
-- initramfs/scripts/init-top/foo --
-- scripts/post --
#!/bin/sh -e
echo hello
-- note.txt --
-- dkms-mkpkg.yaml --
`

func TestConfig(t *testing.T) {
	t.Parallel()
	dir := plant(t, configTree+wholeConfig)
	d := read(t, dir, Options{})
	day := func(s string) time.Time {
		at, err := parseTime(s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	got := *d
	got.Conf, got.Uses, got.Files, got.Extra, got.ExtraFormats, got.Time, got.Hash, got.Warnings, got.Dir = nil, nil, nil, nil, nil, time.Time{}, "", nil, ""
	both := pkgfmt.Relations{Suggests: []string{"a"}, Conflicts: []string{"b"}, Replaces: []string{"d"}}
	deb, rpm := both, both
	deb.Depends, deb.Recommends = []string{"kmod", "kmod (>= 30)", "dracut (>> 1.0) | initramfs-tools"}, []string{"foo-utils (>= 1)"}
	deb.Breaks, deb.Provides = []string{"c (<< 2)"}, []string{"e (= 1)"}
	rpm.Depends, rpm.Recommends = []string{"kmod", "kmod >= 30", "(dracut > 1.0 or initramfs-tools)"}, []string{"(foo-utils if desktop)"}
	rpm.Conflicts, rpm.Provides = []string{"b", "c < 2"}, []string{"e = 1"}
	const script = "#!/bin/sh -e\necho hello\n"
	want := Description{
		DKMS: dkms.Package{Name: "foo", Version: "1.10"}, Name: "bar", UpstreamVersion: "1.10", Epoch: 3, Release: "2",
		Summary: "What it is", Description: "A paragraph\non two lines.\n\nAnother one.", License: "GPL-2.0-or-later", Homepage: "https://example.org/",
		Maintainer: "A <a@example.org>", Vendor: "Example", Section: "contrib/kernel",
		Relations: map[pkgfmt.Format]pkgfmt.Relations{pkgfmt.Deb: deb, pkgfmt.RPM: rpm},
		Scripts:   map[pkgfmt.Format]map[string]string{pkgfmt.Deb: {"postinst": script}, pkgfmt.RPM: {"post": script}},
		Changes: []pkgfmt.Change{
			{Version: pkgfmt.Version{Upstream: "1.10", Revision: "2"}, Time: day("2024-05-01"), Author: "B <b@example.org>", Lines: []string{"One.", "Two."}},
			{Version: pkgfmt.Version{Upstream: "1.9"}, Time: day("2024-04-01T12:00:00Z"), Author: "A <a@example.org>", Lines: []string{"Three."}},
		},
		Kmod: Kmod{ABI: "ksym", Kernels: []string{"6.1.0-1-amd64"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read: -want +got\n%s", diff)
	}
	for _, name := range paths(d.Files) {
		if strings.HasPrefix(name, "data/") || strings.HasSuffix(name, ".txt") || name == ConfigName {
			t.Errorf("%s is packaged", name)
		}
	}
	checkExtra(t, dir, d)
}

func checkExtra(t *testing.T, dir string, d *Description) {
	t.Helper()
	type extra struct {
		path, source string
		mode         os.FileMode
		kind         pkgfmt.FileKind
		format       pkgfmt.Format
	}
	var got []extra
	for _, f := range d.Extra {
		source, _ := strings.CutPrefix(f.Source, dir+"/")
		got = append(got, extra{f.Path, source, f.Mode, f.Kind, d.ExtraFormats[f.Path]})
	}
	want := []extra{
		{path: "/etc/foo.conf", source: "etc/foo.conf", mode: 0o644, kind: pkgfmt.Config},
		{path: "/usr/lib/dracut/dracut.conf.d/foo.conf", source: "etc/foo.conf", mode: 0o644},
		{path: "/usr/lib/dracut/modules.d/90foo/foo.conf", source: "dracut/90foo/foo.conf", mode: 0o644},
		{path: "/usr/lib/dracut/modules.d/90foo/module-setup.sh", source: "dracut/90foo/module-setup.sh", mode: 0o755},
		{path: "/usr/lib/firmware/a.bin", source: "fw/a.bin", mode: 0o644},
		{path: "/usr/lib/firmware/foo/a.bin", source: "fw/a.bin", mode: 0o644},
		{path: "/usr/lib/firmware/foo/b/c.bin", source: "fw/b/c.bin", mode: 0o644},
		{path: "/usr/lib/modprobe.d/foo.conf", source: "etc/foo.conf", mode: 0o644},
		{path: "/usr/lib/modules-load.d/foo.conf", source: "etc/foo.conf", mode: 0o644},
		{path: "/usr/lib/udev/rules.d/60-foo.rules", source: "etc/60-foo.rules", mode: 0o644},
		{path: "/usr/sbin/foo-tool", source: "tool.sh", mode: 0o755},
		{path: "/usr/share/foo/sub/y", source: "data/sub/y", mode: 0o600, format: pkgfmt.RPM},
		{path: "/usr/share/foo/x.sh", source: "data/x.sh", mode: 0o600, format: pkgfmt.RPM},
		{path: "/usr/share/initramfs-tools/hooks/foo", source: "initramfs/foo", mode: 0o755, format: pkgfmt.Deb},
		{path: "/usr/share/initramfs-tools/scripts/init-top/foo", source: "initramfs/scripts/init-top/foo", mode: 0o755, format: pkgfmt.Deb},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(extra{})); diff != "" {
		t.Errorf("Extra: -want +got\n%s", diff)
	}
	if got, want := len(d.ExtraFor(pkgfmt.Deb)), len(want)-2; got != want {
		t.Errorf("ExtraFor(deb) has %d files; want %d", got, want)
	}
	for _, f := range []pkgfmt.Format{pkgfmt.RPM, pkgfmt.SourceRPM} {
		if got, want := len(d.ExtraFor(f)), len(want)-2; got != want {
			t.Errorf("ExtraFor(%s) has %d files; want %d", f, got, want)
		}
	}
}

// TestWrongConfig proves that each mistake is told with its line.
func TestWrongConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"names: x", `Y:1: unknown key "names"; is name meant?`},
		{"name: x\nmodules_load: [a.conf]", `Y:2: unknown key "modules_load"; is modules-load meant?`},
		{"licence: MIT", `Y:1: unknown key "licence"; is license meant?`},
		{"something: x", `Y:1: unknown key "something"`},
		{"name: x\nname: y", "Y:2: name is there twice"},
		{"name: [x]", "Y:1: name: has to be text, and is a list"},
		{"name: true", "Y:1: name: has to be text, and is true or false"},
		{"name:", "Y:1: name: has to be text, and is empty"},
		{"name: ''", `Y:1: name: "" is empty`},
		{"name: \"a\\nb\"", `Y:1: name: "a\nb" has to be on one line, without control characters`},
		{"version: '1 0'", `Y:1: version: "1 0" has ' ' in it, which no package's version may have`},
		{"version: master", `Y:1: version: "master" has no number in it`},
		{"release: 1-2", `Y:1: release: "1-2" has to be letters, digits, dots`},
		{"epoch: -1", "Y:1: epoch: has to be a number from 0 to 2147483647"},
		{"epoch: '1'", "Y:1: epoch: has to be a number"},
		{"epoch: 1\nversion: 2:1.0", "there is an epoch in version, and another one in epoch"},
		{"license: GPL", `Y:1: license: "GPL" is no SPDX expression; is GPL-2.0-only meant?`},
		{"license: my own", `Y:1: license: "my own" is no SPDX expression`},
		{"homepage: example.org", `Y:1: homepage: "example.org" has to be http:// or https://`},
		{"homepage: 'http://%zz'", `Y:1: homepage: "http://%zz" is no URL of a page`},
		{"maintainer: me", `Y:1: maintainer: "me" has to be NAME <ADDRESS>`},
		{"section: ../x y!", "Y:1: section: "},
		{"depends: kmod", "Y:1: depends: has to be a list, and is text"},
		{"depends: ['a b']", `Y:1: depends: "a b" is no relation such as kmod, kmod >= 30, or dracut | initramfs-tools`},
		{"depends: ['a >=']", "is no relation"},
		{"depends: [{a: b}]", "Y:1: depends: has to be text, and is a mapping"},
		{"depends: {dev: [a]}", `Y:1: depends: unknown key "dev"; is deb meant?`},
		{"depends: {deb: a}", "Y:1: depends: deb: has to be a list, and is text"},
		{"files:\n  - path: /x", "Y:2: files: source is missing"},
		{"files:\n  - {source: x, path: /x, mode: 04755}", `files: mode: "04755" has to be three octal digits`},
		{"files:\n  - {source: x, path: /x, mode: rw}", `files: mode: "rw" has to be three octal digits`},
		{"files:\n  - {source: x, path: /x, config: 1}", "files: config: has to be true or false, and is a number"},
		{"files:\n  - {source: x, path: /x, format: arch}", `files: format: "arch" is none of deb, rpm`},
		{"firmware: [{path: x}]", "Y:1: firmware: source is missing"},
		{"modprobe: [foo]", `Y:1: modprobe: "foo" has to end in .conf, or it would not be read`},
		{"udev: [foo.rule]", `Y:1: udev: "foo.rule" has to end in .rules`},
		{"scripts: {deb: {post: x}}", `Y:1: scripts: deb: unknown key "post"`},
		{"scripts: {rpm: {postinst: x}}", `Y:1: scripts: rpm: unknown key "postinst"`},
		{"changelog: [{version: 1, date: 2024-05-01, changes: [x]}]", "Y:1: changelog: there is no author, and no maintainer either"},
		{"changelog: [{version: 1, date: soon, author: A <a@b>, changes: [x]}]", `Y:1: changelog: date: "soon" is no date such as 2024-05-01`},
		{"changelog: [{version: 1}]", "Y:1: changelog: date is missing"},
		{"kmod: {abi: loose}", `Y:1: kmod: abi: "loose" is none of exact, ksym`},
		{"kmod: {kernels: [../x]}", `Y:1: kmod: kernels: "../x" is no release of a kernel`},
		{"kmod: [x]", "Y:1: kmod: has to be a mapping, and is a list"},
		{"name: &a x\nvendor: *a", "Y:2: vendor: aliases are not taken"},
		{"depends: [&a x, *a]", "Y:1: depends: has to be text, and is an alias"},
		{"<<: {name: x}", `Y:1: unknown key "<<"`},
		{"{a: b}: c", `Y:1: unknown key ""`},
		{"- x", "Y:1: has to be a mapping, and is a list"},
		{"name: x\n---\nname: y", "has a second document"},
		{"name: x\n\tvendor: y", "Y: is not YAML: line 2"},
		{"name: !!binary eA==", "name: has to be text, and is !!binary"},
		{"name: \xff", "Y: is not YAML"},
		{"description: \"a\\u001b[2J\"", "Y:1: description: has a control character in it"},
	} {
		_, err := parseConfig("Y", []byte(tt.in))
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != dkms.Usage || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v; want %s", tt.in, err, tt.want)
		}
	}
	_, err := parseConfig("Y", []byte("a: 1\nb: 2\nname: x\nkmod: {c: 3}\n"))
	if err == nil || !strings.Contains(err.Error(), "3 problems\nY:1: unknown key \"a\"\nY:2: unknown key \"b\"\nY:4: kmod: unknown key \"c\"") {
		t.Errorf("not all at once: %v", err)
	}
	for _, in := range []string{"", "\n", "# nothing\n", "name: x\n...\n"} {
		if _, err := parseConfig("Y", []byte(in)); err != nil {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestConfigFile(t *testing.T) {
	t.Parallel()
	dir := plant(t, plain+"-- dkms-mkpkg.yaml --\nname: here\n")
	other := filepath.Join(t.TempDir(), "other.yaml")
	write(t, other, "name: other\n", 0o644)
	if d := read(t, dir, Options{Config: other}); d.Name != "other" {
		t.Errorf("Name = %q; want that of the file that was named", d.Name)
	}
	if got := refused(t, dir, Options{Config: other + "2"}, dkms.Usage); !strings.Contains(got, "other.yaml2: cannot be read") {
		t.Errorf("Read: %s", got)
	}
	write(t, filepath.Join(dir, ConfigName), strings.Repeat("#", maxConfig+1), 0o644)
	if got := refused(t, dir, Options{}, dkms.Usage); !strings.Contains(got, "has more than 1024 KiB") {
		t.Errorf("Read: %s", got)
	}
	if err := os.Remove(filepath.Join(dir, ConfigName)); err != nil {
		t.Fatal(err)
	}
	link(t, other, filepath.Join(dir, ConfigName))
	if got := refused(t, dir, Options{}, dkms.Usage); !strings.Contains(got, "dkms-mkpkg.yaml: cannot be read") {
		t.Errorf("Read: %s; want no file from outside", got)
	}
}

// TestWrongExtra proves what files and scripts may not be.
func TestWrongExtra(t *testing.T) {
	t.Parallel()
	const more = plain + "-- x.sh --\n#!/bin/bash\n-- a --\n-- fw/x --\n-- bin --\n\x00\n-- dkms-mkpkg.yaml --\n"
	for _, tt := range []struct{ in, want string }{
		{"files: [{source: none, path: /x}]", "none: cannot be read: no such file or directory"},
		{"files: [{source: ../x, path: /x}]", "../x: has to be a path inside the source"},
		{"files: [{source: /etc/passwd, path: /x}]", "/etc/passwd: has to be a path inside the source"},
		{"files: [{source: out, path: /x}]", "out: is no regular file"},
		{"files: [{source: outdir/passwd, path: /x}]", "outdir/passwd: cannot be read: path escapes from parent"},
		{"files: [{source: a, path: x}]", "x: has to be an absolute path"},
		{"files: [{source: a, path: /x/../y}]", "/x/../y: has to be an absolute path without . and .."},
		{"files: [{source: a, path: /x/}]", "/x/: has to be an absolute path"},
		{"files: [{source: a, path: /}]", "/: has to be an absolute path"},
		{"files: [{source: a, path: /usr/src/foo-1.0/x}]", "/usr/src/foo-1.0/x: is in /usr/src/foo-1.0, which is not for files of packages"},
		{"files: [{source: a, path: /lib/modules/x}]", "is in /lib/modules"},
		{"files: [{source: a, path: /usr/lib/modules/x}]", "is in /usr/lib/modules"},
		{"files: [{source: a, path: /var/lib/dkms/x}]", "is in /var/lib/dkms"},
		{"files: [{source: a, path: /dev/x}]", "is in /dev"},
		{"files: [{source: a, path: /usr/x, config: true}]", "is a file for the administrator to change, and those are in /etc"},
		{"files: [{source: a, path: /x}, {source: a, path: /x}]", "/x: is brought by two files"},
		{"firmware: [{source: a, path: ../x}]", "../x: is no path below /usr/lib/firmware"},
		{"firmware: [a, {source: fw, path: a}]", ""},
		{"scripts: {deb: {postinst: x.sh}}", `x.sh: is for "/bin/bash", and scripts of packages are for /bin/sh`},
		{"scripts: {deb: {postinst: none}}", "none: cannot be read"},
		{"scripts: {deb: {postinst: ../x}}", "../x: has to be a path inside the source"},
		{"scripts: {deb: {postinst: bin}}", "bin: is no text in UTF-8"},
		{"scripts: {deb: {postinst: outdir/passwd}}", "outdir/passwd: cannot be read: path escapes from parent"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, more+tt.in+"\nignore: [out, outdir]\n")
			link(t, "/etc/passwd", filepath.Join(dir, "out"))
			link(t, "/etc", filepath.Join(dir, "outdir"))
			if tt.want == "" {
				read(t, dir, Options{})
			} else if got := refused(t, dir, Options{}, dkms.Usage); !strings.Contains(got, tt.want) {
				t.Errorf("Read: %s; want %s", got, tt.want)
			}
		})
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(wholeConfig))
	for _, seed := range []string{"a: &a [*a]", "name: |\n x", "{[}", "? - a\n: b", "depends: ['a | b >= 1']", "<<: *x", "files: [{source: {a: b}}]", "- - - -", "a: !!map x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig("Y", text)
		var e *dkms.Error
		switch {
		case err != nil && !errors.As(err, &e):
			t.Errorf("%v is no *dkms.Error", err)
		case err == nil && (c.epoch < 0 || c.epoch > math.MaxInt32 || strings.ContainsAny(c.name+c.Version+c.Summary, "\n\x00\x1b")):
			t.Errorf("%+v", c)
		}
	})
}
