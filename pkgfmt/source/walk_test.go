package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func link(t testing.TB, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	dir := plant(t, plain+`
-- tool.sh --
#!/bin/sh
-- sub/a.c --
-- sub/.gitignore --
*.gen
-- sub/b.gen --
-- sub/deep/b.gen --
-- .gitignore --
/out/
-- out/x --
-- .git/config --
-- foo.ko --
-- name with spaces, and é --
-- .dkmsignore --
private
-- private --
`)
	link(t, "a.c", filepath.Join(dir, "sub/b.c"))
	link(t, "../foo.c", filepath.Join(dir, "sub/up.c"))
	link(t, "sub", filepath.Join(dir, "dirlink"))
	link(t, "dirlink/a.c", filepath.Join(dir, "through.c"))
	link(t, "nowhere", filepath.Join(dir, "dangling"))
	link(t, "private", filepath.Join(dir, "to-private"))
	link(t, "self", filepath.Join(dir, "self"))
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"foo.c": 0o600, "tool.sh": 0o700, "sub/a.c": 0o666, "Makefile": 0o4755} {
		if err := syscall.Chmod(filepath.Join(dir, name), uint32(mode)); err != nil {
			t.Fatal(err)
		}
	}
	d := read(t, dir, Options{})
	var got []string
	for _, f := range d.Files {
		got = append(got, fmt.Sprintf("%s %d %o %s", f.Path, f.Kind, f.Mode, f.Target))
		if f.Kind == pkgfmt.Regular && f.Source != filepath.Join(dir, f.Path) {
			t.Errorf("%s is read from %s", f.Path, f.Source)
		}
	}
	want := []string{
		"Makefile 0 755 ", "dangling 3 777 nowhere", "dirlink 3 777 sub", "dkms.conf 0 644 ", "empty 2 755 ", "foo.c 0 644 ",
		"name with spaces, and é 0 644 ", "self 3 777 self", "sub/a.c 0 644 ", "sub/b.c 3 777 a.c", "sub/up.c 3 777 ../foo.c",
		"through.c 3 777 dirlink/a.c", "to-private 3 777 private", "tool.sh 0 755 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files: -want +got\n%s", diff)
	}
	warnings := strings.Join(d.Warnings, "\n")
	for _, want := range []string{"Makefile: is setuid", "dangling: is a link to nowhere, which does not exist", "self: is a link that leads to itself",
		"to-private: is a link to private, which is left out"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no warning %q in\n%s", want, warnings)
		}
	}
	if strings.Contains(warnings, "through.c") {
		t.Errorf("a link through a link is warned of:\n%s", warnings)
	}
}

// TestHostileTrees proves that each of these is refused, by name and at once.
func TestHostileTrees(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(t *testing.T, dir string)
		want string
	}{
		{"absolute link", func(t *testing.T, dir string) { link(t, "/etc/passwd", filepath.Join(dir, "bad")) }, "bad: is a link to /etc/passwd, an absolute path"},
		{"link out of the tree", func(t *testing.T, dir string) { link(t, "../../x", filepath.Join(dir, "sub/bad")) }, "sub/bad: is a link to ../../x, which is out of the tree"},
		{"link to the parent", func(t *testing.T, dir string) { link(t, "..", filepath.Join(dir, "bad")) }, "bad: is a link to .., which is out of the tree"},
		{"link out of the tree by a link", func(t *testing.T, dir string) {
			link(t, "a/b", filepath.Join(dir, "deep"))
			write(t, filepath.Join(dir, "a/b/x"), "", 0o644)
			link(t, "deep/../../../x", filepath.Join(dir, "bad"))
		}, "bad: is a link to deep/../../../x, which is out of the tree"},
		{"link whose way is out of the tree", func(t *testing.T, dir string) {
			link(t, "a", filepath.Join(dir, "c/d/deep"))
			write(t, filepath.Join(dir, "c/d/a/x"), "", 0o644)
			link(t, ".", filepath.Join(dir, "l"))
			link(t, "c/../l/../x", filepath.Join(dir, "bad"))
		}, "bad: is a link to c/../l/../x, which cannot be followed inside the tree"},
		{"FIFO", func(t *testing.T, dir string) {
			if err := syscall.Mkfifo(filepath.Join(dir, "bad"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "bad: is a FIFO, which no source needs"},
		{"FIFO for a .gitignore", func(t *testing.T, dir string) {
			if err := syscall.Mkfifo(filepath.Join(dir, ".gitignore"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, ".gitignore: cannot be read: is no regular file"},
		{"socket", func(t *testing.T, dir string) {
			// A short path, which is all that a socket may have.
			fd, err := os.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer fd.Close()
			l, err := net.Listen("unix", fmt.Sprintf("/proc/self/fd/%d/bad", fd.Fd()))
			if err != nil {
				t.Skip(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		}, "bad: is a socket, which no source needs"},
		{"device", func(t *testing.T, dir string) {
			if err := syscall.Mknod(filepath.Join(dir, "bad"), syscall.S_IFCHR|0o600, 1<<8|3); err != nil {
				t.Skipf("devices need root: %v", err)
			}
		}, "bad: is a device, which no source needs"},
		{"sparse file of 4 GiB", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "bad"), "", 0o644)
			if err := os.Truncate(filepath.Join(dir, "bad"), 4<<30); err != nil {
				t.Skip(err)
			}
		}, "bad: has 4096 MiB, more than the 512 that a file may have"},
		{"more than 1 GiB in all", func(t *testing.T, dir string) {
			for _, name := range []string{"a", "b", "c"} {
				write(t, filepath.Join(dir, name), "", 0o644)
				if err := os.Truncate(filepath.Join(dir, name), 400<<20); err != nil {
					t.Skip(err)
				}
			}
		}, "DIR: has more than 1024 MiB"},
		{"newline in a name", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "a\nb"), "", 0o644) }, `"a\nb": has a control character in its name`},
		{"escape in a name", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "a\x1b[2J"), "", 0o644) }, `"a\x1b[2J": has a control character in its name`},
		{"name that is not UTF-8", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "a\xff"), "", 0o644) }, `"a\xff": has a name that is not UTF-8`},
		{"newline in a link", func(t *testing.T, dir string) { link(t, "a\nb", filepath.Join(dir, "bad")) }, `bad: is a link to "a\nb", which has a control character in its name`},
		{"long path", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, strings.Repeat(strings.Repeat("x", 200)+"/", 6)+"y"), "", 0o644)
		}, "more than 1000"},
		{"dkms.conf is a link", func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, confName), filepath.Join(dir, "real.conf")); err != nil {
				t.Fatal(err)
			}
			link(t, "real.conf", filepath.Join(dir, confName))
		}, "dkms.conf: is a link, and has to be a file"},
		{"dkms.conf is a link out of the tree", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, confName)); err != nil {
				t.Fatal(err)
			}
			link(t, "/etc/passwd", filepath.Join(dir, confName))
		}, "dkms.conf: is a link to /etc/passwd, an absolute path"},
		{"patterns without end", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, ".gitignore"), strings.Repeat("a\n", maxPatterns+1), 0o644)
		}, ".gitignore: has more patterns than a tree may have"},
		{"long .dkmsignore", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, ".dkmsignore"), strings.Repeat("#", maxIgnoreFile+1), 0o644)
		}, ".dkmsignore: cannot be read: has more than 1024 KiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, plain)
			tt.make(t, dir)
			if got := refused(t, dir, Options{}, dkms.ArchiveInvalid); !strings.Contains(got, tt.want) {
				t.Errorf("Read: %s; want %s", got, tt.want)
			}
			// What is left out does no harm, unless it is what says so.
			if !strings.Contains(tt.want, "ignore") && !strings.Contains(tt.want, confName) && !strings.Contains(tt.name, "in all") {
				write(t, filepath.Join(dir, ".dkmsignore"), "/bad\na?b\na?\na?[[]2J\n/x*/\n/l\n/sub\n", 0o644)
				read(t, dir, Options{})
			}
		})
	}
}

// TestAllProblems proves that all of them are told, up to a point.
func TestAllProblems(t *testing.T) {
	t.Parallel()
	dir := plant(t, plain)
	for i := range 5 {
		link(t, "/x", filepath.Join(dir, fmt.Sprintf("bad%02d", i)))
	}
	got := refused(t, dir, Options{}, dkms.ArchiveInvalid)
	if !strings.HasPrefix(got, "DIR: cannot be packaged: 5 problems\nbad00: is a link") || strings.Count(got, "\n") != 5 {
		t.Errorf("Read: %s", got)
	}
	for i := range 100 {
		link(t, "/x", filepath.Join(dir, fmt.Sprintf("more%02d", i)))
	}
	if got := refused(t, dir, Options{}, dkms.ArchiveInvalid); strings.Count(got, "\n") > maxProblems+1 {
		t.Errorf("Read tells of more than %d problems: %s", maxProblems, got)
	}
}

func TestTooManyFiles(t *testing.T) {
	t.Parallel()
	dir := plant(t, plain)
	for i := range 12 {
		for j := range 10 {
			write(t, filepath.Join(dir, fmt.Sprintf("d%d/%d.c", i, j)), "", 0o644)
		}
	}
	for _, tt := range []struct {
		most         int
		ignore, want string
	}{
		{50, "", "DIR: has more than 50 files"},
		{123, "", ""},
		{122, "", "DIR: has more than 122 files"},
		{50, "d*/", ""},
		{10, "*.c", "DIR: has more than 100 files, those that are left out included"},
	} {
		w, err := openTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		w.most, w.ignore.config = tt.most, patterns(".", tt.ignore)
		got := ""
		if err := w.run(context.Background()); err != nil {
			got = strings.ReplaceAll(err.Error(), dir, "DIR")
		}
		if got != tt.want {
			t.Errorf("%d files, without %q: %q; want %q", tt.most, tt.ignore, got, tt.want)
		}
	}
}

func TestNoSource(t *testing.T) {
	t.Parallel()
	file, noConf := filepath.Join(plant(t, plain), "foo.c"), plant(t, "-- dkms.conf/x --\n")
	for dir, kind := range map[string]dkms.Kind{
		filepath.Join(t.TempDir(), "none"): dkms.SourceMissing, file: dkms.SourceMissing, t.TempDir(): dkms.ConfMissing, noConf: dkms.ConfMissing,
	} {
		refused(t, dir, Options{}, kind)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if d, err := Read(ctx, plant(t, plain), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v, %v; want it to be cancelled", d, err)
	}
}

// TestUnreadable runs itself as nobody, since root reads everything.
func TestUnreadable(t *testing.T) {
	const variable = "DKMS_TEST_UNREADABLE"
	if dir := os.Getenv(variable); dir != "" {
		_, err := Read(context.Background(), dir, Options{})
		fmt.Printf("Read: %v\n", err)
		return
	}
	t.Parallel()
	dir, err := os.MkdirTemp("", "unreadable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	plantIn(t, dir, plain)
	write(t, filepath.Join(dir, "bad.c"), "", 0o000)
	write(t, filepath.Join(dir, "closed/x.c"), "", 0o644)
	for name, mode := range map[string]os.FileMode{".": 0o755, "closed": 0o000} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "test")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	treetest.WriteProgram(t, program, string(self))
	for d := filepath.Dir(program); d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"closed: cannot be read: permission denied", "bad.c: cannot be read: permission denied"} {
		cmd := exec.Command(program, "-test.run", "^TestUnreadable$")
		cmd.Env = append(os.Environ(), variable+"="+dir)
		cmd.Dir = "/"
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("%s; want %s", out, want)
		}
		if err := os.Chmod(filepath.Join(dir, "closed"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
