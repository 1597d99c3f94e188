package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/cavaliergopher/rpm"
	"github.com/google/go-cmp/cmp"
)

// TestMkpkgFiles: the program, how it is used, and nothing that acts by itself.
func TestMkpkgFiles(t *testing.T) {
	t.Parallel()
	for _, format := range formats {
		files := filesOf(t, mkpkg, format)
		if f, ok := find(files, "/usr/bin/dkms-mkpkg"); !ok || f.Mode != 0o755 || len(f.Data) == 0 {
			t.Errorf("%s: the program: there %v, mode %v", format, ok, f.Mode)
		}
		for _, path := range []string{
			"/usr/share/man/man1/dkms-mkpkg.1.gz", "/usr/share/doc/dkms-mkpkg/mkpkg-tutorial.md",
			"/usr/share/bash-completion/completions/dkms-mkpkg", "/usr/share/fish/vendor_completions.d/dkms-mkpkg.fish",
		} {
			if f, ok := find(files, path); !ok || f.Mode != 0o644 || len(f.Data) == 0 {
				t.Errorf("%s: %s: there %v, mode %v; want a text", format, path, ok, f.Mode)
			}
		}
		p, err := sample().pack(mkpkg, format)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Scripts)+len(p.Triggers)+len(p.FileTriggers) > 0 {
			t.Errorf("%s: has scripts %v, triggers %v %v; want none", format, p.Scripts, p.Triggers, p.FileTriggers)
		}
	}
}

// TestMkpkgRPM: nothing is required but that RPM can read the package.
func TestMkpkgRPM(t *testing.T) {
	t.Parallel()
	p, _ := readRPM(t, mkpkg)
	for _, r := range relations(p.Requires()) {
		if !regexp.MustCompile(`^rpmlib\(`).MatchString(r) {
			t.Errorf("requires %s", r)
		}
	}
	for _, tt := range []struct {
		what string
		got  []rpm.Dependency
		want []string
	}{
		{"provides", p.Provides(), []string{"dkms-mkpkg = 1.2.3~git4.abc-1"}},
		{"recommends", p.Recommends(), []string{"binutils", "gcc", "make"}},
		{"suggests", p.Suggests(), []string{"dkms", "kernel-devel", "patch"}},
		{"conflicts with", p.Conflicts(), nil},
	} {
		if diff := cmp.Diff(tt.want, relations(tt.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

// TestDocs: what a document leads to is in the package, too.
func TestDocs(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, o := range products {
		for _, name := range o.docs {
			text, err := os.ReadFile(filepath.Join("../docs", name))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if !slices.Contains(o.docs, m[1]) {
					t.Errorf("%s leads to %s, which %s does not bring", name, m[1], o.name)
				}
			}
		}
	}
}
