package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// confOf is a dkms.conf that begins like this.
func confOf(head string) string {
	return "-- dkms.conf --\n" + head + "\nBUILT_MODULE_NAME=\"foo\"\nDEST_MODULE_LOCATION=\"/extra\"\n-- foo.c --\n"
}

// packaged is the dkms.conf that goes into a package.
func packaged(t *testing.T, d *Description) string {
	t.Helper()
	for _, f := range d.Files {
		if f.Path != confName {
			continue
		}
		if f.Source == "" {
			return string(f.Data)
		}
		text, err := os.ReadFile(f.Source)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Fatal("no dkms.conf")
	return ""
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	const version = "MODULE_VERSION(\"7.0\");\n"
	for _, tt := range []struct {
		name, tree     string
		override       map[string]string
		dkms, packages string // NAME/VER each
		conf           string // what the package's has; empty: the source's
	}{
		{"as it is", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0") + version, nil, "foo/1.0", "foo/1.0", ""},
		{"a name with -dkms", confOf("PACKAGE_NAME=foo-dkms\nPACKAGE_VERSION=1.0"), nil, "foo-dkms/1.0", "foo/1.0", ""},
		{"another name for the package", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0") + "-- dkms-mkpkg.yaml --\nname: bar\n", nil, "foo/1.0", "bar/1.0", ""},
		{"a name on the command line", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0") + "-- dkms-mkpkg.yaml --\nname: bar\n",
			map[string]string{"name": "baz-dkms"}, "foo/1.0", "baz/1.0", ""},
		{"another version", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0 # old") + "-- dkms-mkpkg.yaml --\nversion: 2.0-rc1\n", nil, "foo/2.0-rc1", "foo/2.0-rc1", `PACKAGE_VERSION="2.0-rc1" # old`},
		{"a version on the command line", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION='1.0'") + "-- dkms-mkpkg.yaml --\nversion: 2.0\n",
			map[string]string{"version": "3"}, "foo/3", "foo/3", `PACKAGE_VERSION="3"`},
		{"an epoch in it", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0"), map[string]string{"version": "1:2.0"}, "foo/2.0", "foo/1:2.0", `PACKAGE_VERSION="2.0"`},
		{"the same version", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0"), map[string]string{"version": "1.0"}, "foo/1.0", "foo/1.0", ""},
		{"a placeholder, and MODULE_VERSION", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=\"#MODULE_VERSION#\"\nMAKE=\"make V=#MODULE_VERSION#\"") + version, nil,
			"foo/7.0", "foo/7.0", "PACKAGE_VERSION=\"7.0\"\nMAKE=\"make V=7.0\""},
		{"@VERSION@, and dkms-mkpkg.yaml", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=@VERSION@") + version + "-- dkms-mkpkg.yaml --\nversion: 2.0\n", nil,
			"foo/2.0", "foo/2.0", `PACKAGE_VERSION="2.0"`},
		{"a word, and debian/changelog", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=MODULE_VERSION") +
			"-- debian/changelog --\nfoo (8.0-3) x; y=z\n\n  * A.\n\n -- A <a@example.org>  Wed, 01 May 2024 12:00:00 +0200\n", nil, "foo/8.0", "foo/8.0", `PACKAGE_VERSION="8.0"`},
		{"none, and a spec", confOf("PACKAGE_NAME=foo") + "-- foo.spec --\nVersion: 9\n", nil, "foo/9", "foo/9", "PACKAGE_NAME=foo\nBUILT_MODULE_NAME=\"foo\"\nDEST_MODULE_LOCATION=\"/extra\"\nPACKAGE_VERSION=\"9\"\n"},
		{"a program that is not run", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=$(git describe)") + version, nil, "foo/7.0", "foo/7.0", `PACKAGE_VERSION="7.0"`},
		{"from a file beside it", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=$(cat ${BASH_SOURCE%/*}/VERSION)") + "-- VERSION --\n4.4\n", nil, "foo/4.4", "foo/4.4", ""},
		{"in what others evaluate", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1\nBUILD_DEPENDS=$(cat ${BASH_SOURCE%/*}/needs)\nCLEAN=\"x $PACKAGE_VERSION\"") + "-- needs --\nbar\n",
			map[string]string{"version": "3"}, "foo/3", "foo/3", `PACKAGE_VERSION="3"`},
		{"set twice", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1\nif true; then\n  PACKAGE_VERSION=2\nfi"), map[string]string{"version": "3"}, "foo/3", "foo/3",
			"PACKAGE_VERSION=\"3\"\nif true; then\n  PACKAGE_VERSION=\"3\"\nfi"},
		{"an element", confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION[0]=1"), map[string]string{"version": "3"}, "foo/3", "foo/3", "PACKAGE_VERSION[0]=1"},
		{"a name that is a placeholder", confOf("PACKAGE_NAME=@NAME@\nPACKAGE_VERSION=1.0") + "-- dkms-mkpkg.yaml --\nname: bar\n", nil, "bar/1.0", "bar/1.0", `PACKAGE_NAME="bar"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, tt.tree)
			d := read(t, dir, Options{Overrides: tt.override})
			if got := d.DKMS.String(); got != tt.dkms {
				t.Errorf("DKMS = %s; want %s", got, tt.dkms)
			}
			if got := d.Name + "/" + d.UpstreamVersion; got != tt.packages {
				t.Errorf("the package is %s; want %s", got, tt.packages)
			}
			if got := d.Conf.PackageName + "/" + d.Conf.PackageVersion; got != tt.dkms {
				t.Errorf("Conf has %s; want %s", got, tt.dkms)
			}
			was, err := os.ReadFile(filepath.Join(dir, confName))
			if err != nil {
				t.Fatal(err)
			}
			switch text := packaged(t, d); {
			case tt.conf == "" && text != string(was):
				t.Errorf("the package's dkms.conf is\n%s\nwant the source's\n%s", text, was)
			case !strings.Contains(text, tt.conf):
				t.Errorf("the package's dkms.conf is\n%s\nwant in it\n%s", text, tt.conf)
			}
		})
	}
}

func TestTagVersion(t *testing.T) {
	t.Parallel()
	dir := plant(t, confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=@VERSION@"))
	committed(t, dir, "foo-6.5", "x")
	if d := read(t, dir, Options{}); d.DKMS.Version != "6.5" || d.Git.Dirty || d.Git.Tag != "foo-6.5" {
		t.Errorf("DKMS = %s, Git = %+v; want the tag's version, and a clean tree", d.DKMS, d.Git)
	}
}

func TestNoIdentity(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tree, want string
		override   map[string]string
		kind       dkms.Kind
	}{
		{confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=#MODULE_VERSION#"),
			`DIR/dkms.conf: PACKAGE_VERSION is "#MODULE_VERSION#", which somebody else was to fill in, and nothing tells with what`, nil, dkms.ConfInvalid},
		{confOf("PACKAGE_NAME=foo"), "DIR/dkms.conf: PACKAGE_VERSION is missing, and nothing else tells of one", nil, dkms.ConfInvalid},
		{confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=\"1 0\""), "PACKAGE_VERSION", nil, dkms.ConfInvalid},
		{confOf("PACKAGE_VERSION=1.0"), "PACKAGE_NAME is missing", nil, dkms.ConfInvalid},
		{confOf("PACKAGE_NAME=#NAME#\nPACKAGE_VERSION=1.0"), `PACKAGE_NAME is "#NAME#"`, nil, dkms.ConfInvalid},
		{confOf("PACKAGE_NAME=../x\nPACKAGE_VERSION=1.0"), "PACKAGE_NAME", nil, dkms.ConfInvalid},
		{confOf("PACKAGE_NAME=#NAME#\nPACKAGE_VERSION=1.0"), "has characters that it cannot have", map[string]string{"name": "a b"}, dkms.Incomplete},
		{confOf("PACKAGE_NAME=foo\nreadonly PACKAGE_VERSION[1]=1.0"), "", map[string]string{"version": "2"}, dkms.ConfInvalid},
		{plain, `version "x": has no number in it`, map[string]string{"version": "x"}, dkms.Usage},
		{plain, `release "1-2": has to be letters`, map[string]string{"release": "1-2"}, dkms.Usage},
		{plain, "vendor: is nothing that can be overridden", map[string]string{"vendor": "x"}, dkms.Usage},
		{confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1\nif"), "dkms.conf", nil, dkms.ConfInvalid},
		{confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME[1]=../x\nBUILT_MODULE_NAME[2]=y"), "DIR/dkms.conf", map[string]string{"version": "2"}, dkms.ConfInvalid},
	} {
		dir := plant(t, tt.tree)
		if got := refused(t, dir, Options{Overrides: tt.override}, tt.kind); !strings.Contains(got, tt.want) || strings.Contains(got, os.TempDir()+"/dkms-mkpkg-") {
			t.Errorf("%s: %s; want %s", tt.tree, got, tt.want)
		}
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	d := read(t, plant(t, confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=1\n[[ $kernelver == 1.* ]] && BUILD_EXCLUSIVE_CONFIG=CONFIG_X\ndeclare -a PATCH=(a.patch)")+"-- patches/a.patch --\n"), Options{})
	for name, want := range map[string]bool{"PACKAGE_NAME": true, "BUILD_EXCLUSIVE_CONFIG": true, "PATCH": true, "BUILD_EXCLUSIVE_KERNEL": false} {
		if d.Uses[name] != want {
			t.Errorf("Uses[%s] = %v; want %v", name, d.Uses[name], want)
		}
	}
}

func TestConfTextWith(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"A=1\n", "A=\"x\"\n"},
		{"A=\n", "A=\"x\"\n"},
		{"A=\"1 $B\" # c\nB=2\n", "A=\"x\" # c\nB=2\n"},
		{"A=1; A=2", "A=\"x\"; A=\"x\""},
		{"export A=1\n", "export A=\"x\"\n"},
		{"A+=1\n", "A+=1\nA=\"x\"\n"},
		{"B=2", "B=2\nA=\"x\"\n"},
		{"A=(1 2)\n", "A=\"x\"\n"},
		{"# A=1\nA=$(echo \"1)\")\n", "# A=1\nA=\"x\"\n"},
	} {
		if diff := cmp.Diff(tt.want, parseConf(tt.in).with("A", "x")); diff != "" {
			t.Errorf("%q: -want +got\n%s", tt.in, diff)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"#MODULE_VERSION#": true, "@VERSION@": true, "@PKGVER@": true, "__VERSION__": true, "_PKGVER_": true, "%{version}": true, "{{ version }}": true, "<version>": true,
		"MODULE_VERSION": true, "VERSION": true, "%VERSION%": true, "{VERSION}": true,
		"1.0": false, "1.0_VERSION1": false, "foo": false, "": false, "v1": false,
	} {
		if got := placeholder.MatchString(s); got != want {
			t.Errorf("%q is a placeholder: %v; want %v", s, got, want)
		}
	}
}
