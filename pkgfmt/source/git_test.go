package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// committed makes a repository of a tree, with that tag and remote.
func committed(t *testing.T, dir, tag, remote string) {
	t.Helper()
	pkgtest.Needs(t, "git")
	for _, words := range [][]string{{"init", "-q"}, {"add", "-Af"}, {"commit", "-q", "-m", "x"}, {"tag", "-a", "-m", "x", tag}, {"tag", "z-other"}, {"remote", "add", "origin", remote}} {
		run(t, dir, append([]string{"git"}, words...)...)
	}
}

func TestGit(t *testing.T) {
	t.Parallel()
	dir := plant(t, plain+"-- blob.o --\n-- dkms-mkpkg.yaml --\nname: foo\n-- sub/x --\n-- debian/control --\n")
	link(t, "foo.c", filepath.Join(dir, "link.c"))
	committed(t, dir, "v1.5", "https://user:secret@github.com/x/foo.git")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "built.ko"), "", 0o644)
	d := read(t, dir, Options{})
	want := &Git{Commit: strings.TrimSpace(run(t, dir, "git", "rev-parse", "HEAD")), Tag: "v1.5", Remote: "https://github.com/x/foo.git"}
	if diff := cmp.Diff(want, d.Git); diff != "" {
		t.Errorf("Git: -want +got\n%s", diff)
	}
	if want := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC); !d.Time.Equal(want) {
		t.Errorf("Time = %s; want the commit's, %s", d.Time, want)
	}
	if d.Homepage != "https://github.com/x/foo" {
		t.Errorf("Homepage = %q", d.Homepage)
	}
	// What is committed is a source, even if it looks like a dropping; git
	// knows no empty directories.
	if diff := cmp.Diff([]string{"Makefile", "blob.o", "dkms.conf", "foo.c", "link.c", "sub/x"}, paths(d.Files)); diff != "" {
		t.Errorf("files: -want +got\n%s", diff)
	}
}

func TestGitDirty(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(dir string) error{
		"a file changes":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "foo.c"), []byte("x"), 0o644) },
		"a file comes":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "bar.c"), nil, 0o644) },
		"a file goes":      func(dir string) error { return os.Remove(filepath.Join(dir, "sub/x")) },
		"the yaml changes": func(dir string) error { return os.WriteFile(filepath.Join(dir, ConfigName), []byte("name: y"), 0o644) },
		"the yaml goes":    func(dir string) error { return os.Remove(filepath.Join(dir, ConfigName)) },
		"a link changes": func(dir string) error {
			_ = os.Remove(filepath.Join(dir, "l"))
			return os.Symlink("sub", filepath.Join(dir, "l"))
		},
		"-a dropping comes": func(dir string) error { return os.WriteFile(filepath.Join(dir, "foo.o"), nil, 0o644) },
		"-a mode changes":   func(dir string) error { return os.Chmod(filepath.Join(dir, "foo.c"), 0o600) },
		"-packaging goes":   func(dir string) error { return os.RemoveAll(filepath.Join(dir, "debian")) },
		"-nothing happens":  func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, plain+"-- sub/x --\n-- dkms-mkpkg.yaml --\nname: x\n-- debian/control --\n")
			link(t, "foo.c", filepath.Join(dir, "l"))
			committed(t, dir, "v1", "x")
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			d := read(t, dir, Options{})
			if want := !strings.HasPrefix(name, "-"); d.Git == nil || d.Git.Dirty != want {
				t.Errorf("Git = %+v; want Dirty %v", d.Git, want)
			}
		})
	}
}

// TestGitBelow proves that a source may be a directory of a repository, and
// need not be of the one that it lies in.
func TestGitBelow(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	plantIn(t, filepath.Join(top, "driver"), plain)
	write(t, filepath.Join(top, "other"), "x", 0o644)
	committed(t, top, "foo-2.0", top)
	d := read(t, filepath.Join(top, "driver"), Options{})
	if d.Git == nil || d.Git.Dirty || d.Git.Tag != "foo-2.0" || d.Git.Remote != "" {
		t.Errorf("Git = %+v", d.Git)
	}
	plantIn(t, filepath.Join(top, "stray"), plain)
	if d := read(t, filepath.Join(top, "stray"), Options{}); d.Git != nil {
		t.Errorf("Git = %+v; want none: nothing of it is committed", d.Git)
	}
	// A link to the source is as good.
	link(t, filepath.Join(top, "driver"), filepath.Join(top, "way"))
	if d := read(t, filepath.Join(top, "way"), Options{}); d.Git == nil || d.Git.Dirty {
		t.Errorf("Git = %+v by way of a link", d.Git)
	}
	worktree := filepath.Join(t.TempDir(), "tree")
	run(t, top, "git", "worktree", "add", "-q", "--detach", worktree)
	if d := read(t, filepath.Join(worktree, "driver"), Options{}); d.Git == nil || d.Git.Dirty {
		t.Errorf("Git = %+v in a worktree", d.Git)
	}
}

// TestGitDamaged proves that a broken repository is passed over.
func TestGitDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(git string) error{
		"nothing committed": func(git string) error { return os.RemoveAll(filepath.Join(git, "refs/heads")) },
		"no objects":        func(git string) error { return os.RemoveAll(filepath.Join(git, "objects")) },
		"HEAD":              func(git string) error { return os.WriteFile(filepath.Join(git, "HEAD"), []byte("\x00\xff"), 0o644) },
		"a file that leads nowhere": func(git string) error {
			if err := os.RemoveAll(git); err != nil {
				return err
			}
			return os.WriteFile(git, []byte("gitdir: /nonexistent\n"), 0o644)
		},
		"an empty directory": func(git string) error {
			if err := os.RemoveAll(git); err != nil {
				return err
			}
			return os.Mkdir(git, 0o755)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, plain)
			committed(t, dir, "v1", "x")
			if err := damage(filepath.Join(dir, ".git")); err != nil {
				t.Fatal(err)
			}
			if d := read(t, dir, Options{}); d.Git != nil {
				t.Errorf("Git = %+v; want none", d.Git)
			}
		})
	}
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, public, page string }{
		{"https://user:secret@github.com/x/y.git", "https://github.com/x/y.git", "https://github.com/x/y"},
		{"https://token@example.org/x/y", "https://example.org/x/y", "https://example.org/x/y"},
		{"https://example.org/x?private_token=z", "https://example.org/x", "https://example.org/x"},
		{"git@github.com:x/y.git", "git@github.com:x/y.git", "https://github.com/x/y"},
		{"ssh://git:pw@gitlab.com/x/y.git", "ssh://git@gitlab.com/x/y.git", "https://gitlab.com/x/y"},
		{"ssh://git@example.org/x/y.git", "ssh://git@example.org/x/y.git", ""},
		{"git://example.org/x", "git://example.org/x", ""},
		{"/home/me/foo", "", ""},
		{"../foo", "", ""},
		{"file:///home/me/foo", "", ""},
		{"", "", ""},
	} {
		public := publicURL(tt.in)
		if page := webPage(public); public != tt.public || page != tt.page {
			t.Errorf("publicURL(%q) = %q, its page %q; want %q, %q", tt.in, public, page, tt.public, tt.page)
		}
	}
}

func TestVersionOfTag(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"v1.2": "1.2", "1.2": "1.2", "V1.2-rc1": "1.2-rc1", "foo-1.2": "1.2", "Foo_v1.2": "1.2", "release-1.2": "1.2", "releases/1.2": "1.2", "foo-release-2": "2",
		"foo": "", "latest": "", "": "", "foobar-1": "", "v": "", "version1": "",
	} {
		if got := versionOfTag(in, "foo"); got != want {
			t.Errorf("versionOfTag(%q, foo) = %q; want %q", in, got, want)
		}
	}
}
