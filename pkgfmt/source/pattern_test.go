package source

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name string
		isDir, want   bool
	}{
		{"foo", "foo", false, true},
		{"foo", "a/foo", false, true},
		{"foo", "foo/a", false, false}, // its directory is left out before that
		{"/foo", "foo", false, true},
		{"/foo", "a/foo", false, false},
		{"foo/", "foo", false, false},
		{"foo/", "a/foo", true, true},
		{"a/foo", "a/foo", false, true},
		{"a/foo", "b/a/foo", false, false},
		{"*.c", "a/b.c", false, true},
		{"*.c", "a/b.cc", false, false},
		{"a*", "ab", false, true},
		{"a*", "b", false, false},
		{"a/*", "a/b", false, true},
		{"a/*", "a/b/c", false, false},
		{"**/foo", "foo", false, true},
		{"**/foo", "a/b/foo", false, true},
		{"foo/**", "foo/a/b", false, true},
		{"foo/**", "foo", true, false},
		{"a/**/b", "a/b", false, true},
		{"a/**/b", "a/x/y/b", false, true},
		{"a/**/b/c", "a/b/x/b/c", false, true},
		{"a**b", "axxb", false, true},
		{"?", "x", false, true},
		{"?", "é", false, true},
		{"?", "xy", false, false},
		{"[ab]c", "ac", false, true},
		{"[!ab]c", "ac", false, false},
		{"[^ab]c", "xc", false, true},
		{"[a-c]x", "bx", false, true},
		{"[]]", "]", false, true},
		{"[a-]", "-", false, true},
		{`[\]]`, "]", false, true},
		{"[[:digit:]]x", "7x", false, true},
		{`\#a`, "#a", false, true},
		{`\!a`, "!a", false, true},
		{`a\ `, "a ", false, true},
		{"a  ", "a", false, true},
		{"a\r", "a", false, true},
		{`a\*`, "a*", false, true},
		{`a\*`, "ab", false, false},
		{"a.c", "abc", false, false},
		{"a+b", "a+b", false, true},
		{"**", "a/b", false, true},
		{"/**", "a/b", false, true},
		{"[+-9]", "/", false, false},
		{"x[+-9]", "x5", false, true},
		{"a[/]b", "a/b", false, false},
		{"x[z-a]", "xz", false, false},
		{"x[z-ab]", "xb", false, true},
	} {
		p, ok := parsePattern(tt.pattern, ".")
		if !ok {
			t.Errorf("parsePattern(%q) is none", tt.pattern)
			continue
		}
		if got := p.match(tt.name, tt.isDir); got != tt.want {
			t.Errorf("%q matches %q: %v; want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
	for _, line := range []string{"", "  ", "# foo", "/", "!", "[a", "a[", `a\`, "[[:foo:]]"} {
		if p, ok := parsePattern(line, "."); ok {
			t.Errorf("parsePattern(%q) = %+v; want none", line, p)
		}
	}
}

func TestPatternBelow(t *testing.T) {
	t.Parallel()
	p, _ := parsePattern("/x*", "a/b")
	for name, want := range map[string]bool{"a/b/xy": true, "a/b/c/xy": false, "xy": false, "a/xy": false, "a/bx": false} {
		if got := p.match(name, false); got != want {
			t.Errorf("/x* in a/b matches %q: %v; want %v", name, got, want)
		}
	}
}

// TestPatternsAsGit compares with what git itself leaves out.
func TestPatternsAsGit(t *testing.T) {
	t.Parallel()
	pkgtest.Needs(t, "git")
	dir := t.TempDir()
	run(t, dir, "git", "init", "-q")
	var names []string
	for _, d := range []string{"", "a/", "b/", "a/b/", "c/a/", "a/b/c/"} {
		for _, f := range []string{"x", "b.c", "ax", "a-b", "]", "#x", "!x", "x y"} {
			names = append(names, d+f)
			write(t, filepath.Join(dir, d+f), "", 0o644)
		}
	}
	slices.Sort(names)
	atom := rapid.SampledFrom([]string{"a", "b", "ab", "x", "*", "**", "?", "[ab]", "[!a]", "[a-c]", "[^x]", "[]]", "[", "]", "\\", "-", ".c", "#", "!", " ", "\\ "})
	word := rapid.Map(rapid.SliceOfN(atom, 1, 3), func(s []string) string { return strings.Join(s, "") })
	one := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"", "", "!", "/", "**/", "#"}).Draw(t, "head") +
			strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "words"), "/") + rapid.SampledFrom([]string{"", "", "/", "/**", "/*"}).Draw(t, "tail")
	})
	text := rapid.Map(rapid.SliceOfN(one, 1, 4), func(s []string) string { return strings.Join(s, "\n") + "\n" })
	n := 500
	if testing.Short() {
		n = 30
	}
	for i := range n {
		top, nested := text.Example(i), text.Example(-1-i)
		if i%3 > 0 {
			nested = ""
		}
		write(t, filepath.Join(dir, ".gitignore"), top, 0o644)
		write(t, filepath.Join(dir, "a", ".gitignore"), nested, 0o644)
		want := strings.Split(strings.TrimSuffix(run(t, dir, "git", "ls-files", "-z", "--others", "--exclude-standard"), "\x00"), "\x00")
		want = slices.DeleteFunc(want, func(s string) bool { return s == "" || strings.HasSuffix(s, ignoreGit) })
		slices.Sort(want)
		g := ignorer{}
		g.read(".", ignoreGit, top)
		g.read("a", ignoreGit, nested)
		got := slices.DeleteFunc(slices.Clone(names), g.leftOut)
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%q, in a %q: -git +we\n%s", top, nested, diff)
		}
	}
}

func FuzzPatterns(f *testing.F) {
	for _, seed := range []string{"*.o\n!a.o\n", "/a/**/b", "[a-", "[[:alpha:]]", "\\", "**", "[]-a]", "\xff*", "[\xff-\x00]"} {
		f.Add(seed, "a/b.o")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		g := ignorer{}
		if g.read(".", ignoreGit, text) {
			g.leftOut(name)
		}
	})
}

func TestIgnorer(t *testing.T) {
	t.Parallel()
	g := ignorer{config: patterns(".", "from-config\n!kept.bak"), tracked: map[string]bool{"blob.o": true, "tracked.x": true, "debian": true, "debian/rules": true, "own.c": true}}
	g.read(".", ignoreGit, "*.x\n!again.orig\n")
	g.read("sub", ignoreGit, "!keep.x\n")
	g.read(".", ignoreOwn, "own.c\n!prebuilt.o\n!*.y\n")
	g.read(".", ignoreGit, "*.y\n")
	for name, want := range map[string]bool{
		"foo.c": false, "dkms.conf": false,
		"from-config": true, "kept.bak": false,
		"a.x": true, "sub/a.x": true, "sub/keep.x": false, "tracked.x": false,
		"own.c": true, "prebuilt.o": false, "sub/prebuilt.o": false, "a.y": false,
		"blob.o": false, "other.o": true, "again.orig": false, "a.orig": true,
		"debian/rules": true, "sub/debian/rules": false, "foo.spec": true, "sub/foo.spec": false,
		".git/config": true, "sub/.git": true, ".gitignore": true, ".dkmsignore": true, "dkms-mkpkg.yaml": true,
		"CVS/Root": true, ".svn/entries": true, ".hg/store": true, ".github/workflows/x": true,
		".foo.o.cmd": true, "foo.ko": true, "foo.ko.xz": true, "foo.mod": true, "foo.mod.c": true, "Module.symvers": true, "modules.order": true,
		".tmp_versions/foo.mod": true, "a.rej": true, "a~": true, ".a.swp": true, "#a#": true, ".#a": true,
		"foo_1.0_all.deb": true, "foo-1.0.rpm": true, "foo.deb.sbom.json": true, "sub/foo.deb": false,
		"blob.o_shipped": false, "foo.mod.h": false, "order": false,
	} {
		if got := g.leftOut(name); got != want {
			t.Errorf("leftOut(%q) = %v; want %v", name, got, want)
		}
	}
	// Nobody brings these back.
	never := ignorer{config: patterns(".", "!.git\n!.gitignore\n!CVS"), tracked: map[string]bool{".git": true}}
	for _, name := range []string{".git/config", ".gitignore", "CVS/Root"} {
		if !never.leftOut(name) {
			t.Errorf("leftOut(%q) = false; want true", name)
		}
	}
	everything := ignorer{config: patterns(".", "*")}
	if everything.leftOut(confName) {
		t.Errorf("a dkms.conf is left out")
	}
	if g := (ignorer{}); g.read(".", ignoreGit, strings.Repeat("a\n", maxPatterns+1)) {
		t.Error("more patterns than a tree may have are taken")
	}
}
