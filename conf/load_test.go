package conf

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// problemsOf loads text and returns its problems, the file's name cut off.
func problemsOf(t *testing.T, r Request) []string {
	t.Helper()
	_, err := Load(context.Background(), r, sampleKernel)
	if err == nil {
		return nil
	}
	var de *dkms.Error
	var invalid *Invalid
	if !errors.As(err, &de) || de.Kind != dkms.ConfInvalid || !errors.As(err, &invalid) {
		t.Fatalf("Load = %v; want a *dkms.Error of Kind ConfInvalid around an *Invalid", err)
	}
	var lines []string
	for _, p := range invalid.Problems {
		lines = append(lines, strings.TrimPrefix(p.String(), r.File))
	}
	return lines
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"good":       {sampleHead, nil},
		"no modules": {"PACKAGE_NAME=a PACKAGE_VERSION=1\n", nil},
		"empty":      {"", []string{": PACKAGE_NAME is missing", ": PACKAGE_VERSION is missing"}},
		"all at once": {"PACKAGE_NAME=a\nBUILT_MODULE_NAME[0]=a.ko\nDEST_MODULE_LOCATION[0]=/usr\nBUILT_MODULE_NAME[2]=c\nAUTOINSTALL=maybe\n", []string{
			": PACKAGE_VERSION is missing",
			`:2: BUILT_MODULE_NAME[0]="a.ko" ends in .ko: names stand without`,
			`:3: DEST_MODULE_LOCATION[0]="/usr" is not below /kernel, /updates or /extra`,
			":3: DEST_MODULE_LOCATION[1] is missing",
			":3: DEST_MODULE_LOCATION[2] is missing",
			":4: BUILT_MODULE_NAME[1] is missing",
			`:5: AUTOINSTALL="maybe" is neither yes nor no`,
		}},
		"yes in any case": {sampleHead + "AUTOINSTALL=YES NO_WEAK_MODULES=No BUILD_DEPENDS_REBUILD=yEs", nil},
		"flags":           {sampleHead + "NO_WEAK_MODULES=1\nBUILD_DEPENDS_REBUILD=true", []string{`:3: NO_WEAK_MODULES="1" is neither yes nor no`, `:4: BUILD_DEPENDS_REBUILD="true" is neither yes nor no`}},
		"same built": {"PACKAGE_NAME=a PACKAGE_VERSION=1\nBUILT_MODULE_NAME=(a a)\nDEST_MODULE_LOCATION=(/extra /extra)", []string{
			":2: BUILT_MODULE_NAME[0] and [1] are both a.ko"}},
		"same name elsewhere": {"PACKAGE_NAME=a PACKAGE_VERSION=1\nBUILT_MODULE_NAME=(a a)\nBUILT_MODULE_LOCATION=(x y)\nDEST_MODULE_NAME=(a b)\nDEST_MODULE_LOCATION=(/extra /extra)", nil},
		"same dest": {"PACKAGE_NAME=a PACKAGE_VERSION=1\nBUILT_MODULE_NAME=(a b)\nDEST_MODULE_NAME[1]=a\nDEST_MODULE_LOCATION=(/extra /extra)", []string{
			":3: modules 0 and 1 are both installed as a.ko"}},
		"object file":  {"PACKAGE_NAME=a PACKAGE_VERSION=1\nBUILT_MODULE_NAME=a.o\nDEST_MODULE_LOCATION=/extra", []string{`:2: BUILT_MODULE_NAME[0]="a.o" ends in .o: names stand without`}},
		"climbs out":   {sampleHead + "BUILT_MODULE_LOCATION=../../etc", []string{`:3: BUILT_MODULE_LOCATION[0]="../../etc" leaves the build directory`}},
		"dest climbs":  {"PACKAGE_NAME=a PACKAGE_VERSION=1\nDEST_MODULE_LOCATION=/kernel/../../etc", []string{`:2: DEST_MODULE_LOCATION[0]="/etc" is not below /kernel, /updates or /extra`}},
		"dest aside":   {"PACKAGE_NAME=a PACKAGE_VERSION=1\nDEST_MODULE_LOCATION=/kernel/../updates/", nil},
		"odd module":   {"PACKAGE_NAME=a PACKAGE_VERSION=1\nBUILT_MODULE_NAME='a b'\nDEST_MODULE_LOCATION=/extra", []string{`:2: BUILT_MODULE_NAME[0]: module name "a b": has characters that it cannot have`}},
		"syntax error": {"PACKAGE_NAME=a\nfi\nPACKAGE_VERSION=1\n", []string{": PACKAGE_VERSION is missing", ":2: syntax error: `fi` can only be used to end an `if`"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, problemsOf(t, sampleRequest(t, tt.text))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentityIsJudged(t *testing.T) {
	t.Parallel()
	text := "PACKAGE_NAME='../x'\nPACKAGE_VERSION='to be filled by make dkms'\n"
	r := sampleRequest(t, text)
	if got := problemsOf(t, r); got != nil {
		t.Errorf("registered under another name: %v; want no problems", got)
	}
	r.Package = dkms.Package{}
	want := []string{
		`:1: PACKAGE_NAME: package name "../x": would leave its directory`,
		`:2: PACKAGE_VERSION: package version "to be filled by make dkms": has characters that it cannot have`,
	}
	if diff := cmp.Diff(want, problemsOf(t, r)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if _, err := Identify(context.Background(), r, sampleKernel); err == nil {
		t.Error("Identify took a name that leaves its directory")
	}
	r.Package = dkms.Package{Name: "it87", Version: "eol"}
	if got, err := Identify(context.Background(), r, sampleKernel); err != nil || got != r.Package {
		t.Errorf("Identify = %v, %v; want %v", got, err, r.Package)
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	_, err := Load(context.Background(), Request{File: filepath.Join(t.TempDir(), "dkms.conf")}, sampleKernel)
	var de *dkms.Error
	if !errors.As(err, &de) || de.Kind != dkms.ConfMissing {
		t.Errorf("Load = %v; want Kind ConfMissing", err)
	}
}

func TestConfComesWithItsProblems(t *testing.T) {
	t.Parallel()
	c, err := Load(context.Background(), sampleRequest(t, sampleHead+"AUTOINSTALL=what\nPOST_REMOVE=gone.sh"), sampleKernel)
	if err == nil || c == nil || c.PostRemove != "gone.sh" {
		t.Errorf("Load = %+v, %v; want the conf and an error", c, err)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		sampleHead + "CLEAN='make clean'\nREMAKE_INITRD=no": {":3: CLEAN is deprecated and can be removed", ":4: REMAKE_INITRD is deprecated and can be removed"},
		sampleHead + "CLEAN=true":                           nil,
		"PACKAGE_NAME=a PACKAGE_VERSION=1":                  {": names no module: nothing will be installed"},
		sampleHead + "PATCH_MATCH[3]=6":                     {":3: PATCH_MATCH[3] belongs to no patch"},
		sampleHead + "PATCH=p\nPATCH_MATCH='(6'\nBUILD_EXCLUSIVE_KERNEL='^5.[18-19]'": {
			":4: PATCH_MATCH: \"(6\" is not a regular expression: missing closing ): `(6`, so it matches nothing",
			":5: BUILD_EXCLUSIVE_KERNEL: \"^5.[18-19]\" is not a regular expression: invalid character class range: `8-1`, so it matches nothing"},
		sampleHead + "exit 3\nCLEAN=x":          {":3: leaves the shell (exit status 3): what follows is not read"},
		sampleHead + "return 3\nCLEAN=x":        nil,
		sampleHead + "MAKE='make $('":           {":3: MAKE cannot be expanded a second time and is taken as it is"},
		sampleHead + "CLEAN=${a b}\nPOST_ADD=x": {":3: bad substitution"},
	} {
		r := sampleRequest(t, text)
		c, err := Load(context.Background(), r, sampleKernel)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, w := range c.Warnings {
			got = append(got, strings.TrimPrefix(w.String(), r.File))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: warnings (-want +got):\n%s", text, diff)
		}
	}
}

func TestOverridesAndDirectives(t *testing.T) {
	t.Parallel()
	etc := t.TempDir()
	order := []string{"sample", "sample-1.0", "sample-1.0-6.1.0-49-amd64", "sample-1.0-6.1.0-49-amd64-x86_64",
		"sample--6.1.0-49-amd64", "sample--6.1.0-49-amd64-x86_64"}
	r := sampleRequest(t, sampleHead+"MAKE=file")
	r.EtcDir = etc
	want := "file"
	for i := -1; i < len(order); i++ {
		if i >= 0 {
			want = order[i]
			text := "MAKE=" + order[i] + "\nPOST_ADD=${BASH_SOURCE##*/}\n"
			if err := os.WriteFile(filepath.Join(etc, order[i]+".conf"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, err := Load(context.Background(), r, sampleKernel)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Values.Get("MAKE"); got != want {
			t.Errorf("with overrides up to %d: MAKE = %q; want %q", i, got, want)
		}
		if got := c.Values.Get("POST_ADD"); i >= 0 && got != order[i]+".conf" {
			t.Errorf("BASH_SOURCE of %s is %q", order[i], got)
		}
	}
	r.Directives = []string{"MAKE=make X=$kernelver", "DEST_MODULE_NAME[0]=other", "=bad", "also bad"}
	c, err := Load(context.Background(), r, sampleKernel)
	if got := c.Values.Get("MAKE"); got != "make X=6.1.0-49-amd64" {
		t.Errorf("MAKE = %q; want what --directive says", got)
	}
	if c.Modules[0].Dest != "other" {
		t.Errorf("Dest = %q; want other", c.Modules[0].Dest)
	}
	if err == nil || !strings.Contains(err.Error(), `--directive "=bad": is not NAME=VALUE`) || !strings.Contains(err.Error(), "also bad") {
		t.Errorf("Load = %v; want both bad directives in it", err)
	}
}

func TestSecondExpansion(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`'make KV=${kernelver}'`:              "make KV=6.1.0-49-amd64",
		`'$(uname -r)'`:                       "6.1.0-49-amd64",
		"'`uname -m`'":                        "x86_64",
		`'make "a  b"   c'`:                   `make "a  b"   c`,
		`'a\$b \\ \" \x'`:                     `a$b \ " \x`,
		`'$LOCAL.'`:                           ".",
		`"$LOCAL."`:                           "here.",
		`'*'`:                                 "*",
		`'${PACKAGE_NAME}/$module'`:           "sample/sample",
		`'x $(printf "%s|" "a b") "q" $arch'`: `x a b| "q" x86_64`,
		"$'a\\r'":                             "a",
	} {
		c, err := Load(context.Background(), sampleRequest(t, sampleHead+"LOCAL=here\nMAKE="+value), sampleKernel)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		if got := c.Values.Get("MAKE"); got != want {
			t.Errorf("MAKE=%s becomes %q; want %q", value, got, want)
		}
	}
}

func TestDOSLineEnds(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(sampleHead+"MAKE=\"make x\"\nSTRIP=no\n\nAUTOINSTALL=yes\n", "\n", "\r\n")
	text = strings.Replace(text, "sample PACKAGE_VERSION", "sample\r\nPACKAGE_VERSION", 1)
	text = strings.Replace(text, "sample DEST", "sample\r\nDEST", 1)
	c, err := Load(context.Background(), sampleRequest(t, text), sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	want := []kbuild.Module{{Built: "sample", Dest: "sample", DestDir: "/extra"}}
	if diff := cmp.Diff(want, c.Modules); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
	if got := c.Values.Get("MAKE"); got != "make x" || !c.Autoinstall {
		t.Errorf("MAKE = %q, Autoinstall = %v", got, c.Autoinstall)
	}
}
