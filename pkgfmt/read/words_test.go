package read

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func TestSplitVersion(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]pkgfmt.Version{
		"":                    {},
		"1":                   {Upstream: "1"},
		"1.0-2":               {Upstream: "1.0", Revision: "2"},
		"1.0-rc1-2":           {Upstream: "1.0-rc1", Revision: "2"},
		"3:1.0":               {Epoch: 3, Upstream: "1.0"},
		"0:1.0-1":             {Upstream: "1.0", Revision: "1"},
		"x:1.0":               {Upstream: "x:1.0"},
		"-1:1.0":              {Upstream: "", Revision: "1:1.0"},
		"99999999999:1.0":     {Upstream: "99999999999:1.0"},
		"2:1:0-1":             {Epoch: 2, Upstream: "1:0", Revision: "1"},
		"1.2~rc1-0ubuntu1~22": {Upstream: "1.2~rc1", Revision: "0ubuntu1~22"},
	} {
		if got := splitVersion(in); got != want {
			t.Errorf("splitVersion(%q) = %+v; want %+v", in, got, want)
		}
	}
}

func TestEntryPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"./": "/", ".": "/", "./a": "/a", "a": "/a", "/a": "/a", "./a/": "/a", "a//b": "/a/b", "./a/./b": "/a/b",
		"./a..b": "/a..b", "..a": "/..a", "...": "/...", "./ a": "/ a",
		"": "", "..": "", "../a": "", "a/..": "", "a/../b": "", "/..": "", "a\x00b": "",
	} {
		got, err := entryPath(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("entryPath(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// TestEntryPathProperty: what is taken is absolute, clean, and below the root.
func TestEntryPathProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[./a\x00]{0,12}`).Draw(t, "name")
		got, err := entryPath(name)
		if err == nil && (!strings.HasPrefix(got, "/") || strings.Contains(got+"/", "/../") || strings.Contains(got, "//")) {
			t.Errorf("entryPath(%q) = %q", name, got)
		}
	})
}

// TestModes: a mode says the same in all its forms.
func TestModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[uint32]struct {
		letters string
		mode    fs.FileMode
	}{
		0o100644: {"-rw-r--r--", 0o644},
		0o100000: {"----------", 0},
		0o40755:  {"drwxr-xr-x", 0o755 | fs.ModeDir},
		0o41777:  {"drwxrwxrwt", 0o777 | fs.ModeDir | fs.ModeSticky},
		0o41776:  {"drwxrwxrwT", 0o776 | fs.ModeDir | fs.ModeSticky},
		0o120777: {"lrwxrwxrwx", 0o777 | fs.ModeSymlink},
		0o104755: {"-rwsr-xr-x", 0o755 | fs.ModeSetuid},
		0o102644: {"-rw-r-Sr--", 0o644 | fs.ModeSetgid},
		0o104644: {"-rwSr--r--", 0o644 | fs.ModeSetuid},
		0o106775: {"-rwsrwsr-x", 0o775 | fs.ModeSetuid | fs.ModeSetgid},
		0o20600:  {"crw-------", 0o600 | fs.ModeDevice | fs.ModeCharDevice},
		0o60660:  {"brw-rw----", 0o660 | fs.ModeDevice},
		0o10600:  {"prw-------", 0o600 | fs.ModeNamedPipe},
		0o140700: {"srwx------", 0o700 | fs.ModeSocket},
	} {
		got := fileMode(mode)
		if got != want.mode {
			t.Errorf("fileMode(%o) = %v; want %v", mode, got, want.mode)
		}
		if back := unixMode(File{Mode: got}); back != mode {
			t.Errorf("unixMode(%v) = %o; want %o", got, back, mode)
		}
		if octal := fileReport(File{Mode: got}).Mode; Letters(octal) != want.letters {
			t.Errorf("Letters(%s) = %s; want %s", octal, Letters(octal), want.letters)
		}
	}
	if got := fileMode(0o644); !strings.HasPrefix(got.String(), "?") {
		t.Errorf("fileMode(0644), which has no type, = %v", got)
	}
	if got := Letters("what"); got != "what" {
		t.Errorf("Letters(what) = %s", got)
	}
}

func TestRelationText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, version string
		flags         int64
		want          string
	}{
		{"kmod", "", 0, "Requires: kmod"},
		{"kmod", "30", 8, "Requires: kmod = 30"},
		{"kmod", "1:30-1", 12, "Requires: kmod >= 1:30-1"},
		{"kmod", "30", 2, "Requires: kmod < 30"},
		{"kmod", "30", 10, "Requires: kmod <= 30"},
		{"kmod", "30", 4, "Requires: kmod > 30"},
		{"(a if b)", "", 0, "Requires: (a if b)"},
		{"/bin/sh", "", 1<<9 | 1<<10 | 1<<8, "Requires(pre,post,interp): /bin/sh"},
		{"rpmlib(X)", "4.0-1", 1<<24 | 10, "Requires(rpmlib): rpmlib(X) <= 4.0-1"},
		{"ksym(printk)", "0x1", 1<<15 | 8, "Requires(auto): ksym(printk) = 0x1"},
		{"a", "", 1<<20 | 1<<21, "Requires(preuntrans,postuntrans): a"},
		{"a", "", 1<<11 | 1<<12 | 1<<13 | 1<<5 | 1<<7 | 1<<28 | 1<<19 | 1<<29 | 1<<6, "Requires(preun,postun,verify,prereq,pretrans,posttrans,config,missingok,meta): a"},
	} {
		r := Relation{Kind: "Requires", Text: relationText(c.name, c.version, c.flags), When: remarks(c.flags)}
		if got := r.String(); got != c.want {
			t.Errorf("relation %q %q %x = %s; want %s", c.name, c.version, c.flags, got, c.want)
		}
	}
}

func TestDebLists(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(map[string]bool{"/etc/a": true, "/etc/b c": true, "/etc/gone": true},
		conffiles([]byte("/etc/a\n/etc/b c  \nremove-on-upgrade /etc/gone\n\nrelative\n/etc//a/\n"))); diff != "" {
		t.Errorf("conffiles (-want +got):\n%s", diff)
	}
	sum := strings.Repeat("0123", 8)
	if diff := cmp.Diff(map[string]string{"/usr/a b": sum, "/c": sum, "/d": sum},
		md5sums([]byte(sum+"  usr/a b\n"+sum+" *c\nshort  x\n\n"+sum+"  ./d"))); diff != "" {
		t.Errorf("md5sums (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Trigger{{Kind: "interest", Names: []string{"a"}}, {Kind: "activate", Names: []string{}}, {Kind: "x", Names: []string{"y", "z"}}},
		debTriggers([]byte("\n# c\n interest\ta \nactivate # b\nx y z"))); diff != "" {
		t.Errorf("debTriggers (-want +got):\n%s", diff)
	}
	for in, want := range map[string]string{"": "", "#!": "", "#!/bin/sh": "/bin/sh", "#! /usr/bin/env python3 \nx": "/usr/bin/env python3", "x\n#!/bin/sh": "", " #!/bin/sh": ""} {
		if got := shebang([]byte(in)); got != want {
			t.Errorf("shebang(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestSourceDir(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/usr/src/a-1/dkms.conf": "/usr/src/a-1", "/usr/src/dkms.conf": "", "/usr/src/a-1/sub/dkms.conf": "",
		"/usr/src/a-1/dkms.confs": "", "/usr/local/src/a-1/dkms.conf": "", "/dkms.conf": "",
	} {
		dir, ok := sourceDir(in)
		if ok != (want != "") || ok && dir != want {
			t.Errorf("sourceDir(%q) = %q, %v; want %q", in, dir, ok, want)
		}
	}
	for path, want := range map[string]bool{"/a.ko": true, "/a.ko.xz": true, "/a.ko.zst": true, "/a.ko.gz": true, "/a.ko.bz2": false, "/a.ko.debug": false, "/ako": false} {
		if got := isModule(path); got != want {
			t.Errorf("isModule(%q) = %v; want %v", path, got, want)
		}
	}
}

func TestJoined(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    BuiltReport
		want string
	}{
		{BuiltReport{Built: "a", Dest: "a", DestDir: "/extra", Strip: true}, "a.ko -> /extra/a.ko"},
		{BuiltReport{Built: "a", BuiltDir: "src/", Dest: "b", DestDir: "/extra/", Strip: true}, "src/a.ko -> /extra/b.ko"},
		{BuiltReport{Built: "a", Dest: "a", Excluded: "too old"}, "a.ko -> a.ko, not stripped, excluded: too old"},
	} {
		if got := builtLines([]BuiltReport{c.m}); got[0] != c.want {
			t.Errorf("builtLines(%+v) = %s; want %s", c.m, got[0], c.want)
		}
	}
}

func TestDecompressorUnknown(t *testing.T) {
	t.Parallel()
	if _, err := decompress("brotli", strings.NewReader(""), 0, 1); err == nil || !strings.Contains(err.Error(), `"brotli" is unknown`) {
		t.Errorf("decompress(brotli) = %v", err)
	}
	path := file(t, "a.rpm", rawRPM(nil, append(identity(), rawTag{tag: 1125, value: "brotli"}), nil))
	_, _, err := readAll(path)
	refused(t, err, path, "payload", `"brotli" is unknown`)
	path = file(t, "a.rpm", rawRPM(nil, append(identity(), rawTag{tag: 1124, value: "drpm"}), nil))
	_, _, err = readAll(path)
	refused(t, err, path, "payload", `"drpm"`, "only cpio")
}
