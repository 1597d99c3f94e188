package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"one", "two", ""} {
		if err := WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("holds %q; want %q", got, text)
		}
	}
	if info, _ := os.Stat(path); info.Mode() != 0o640 {
		t.Errorf("mode = %v; want -rw-r-----", info.Mode())
	}
	if err := WriteFile(filepath.Join(dir, "none/f"), nil, 0o644); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("WriteFile() in no directory = %v; want not exist", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries; want no temporary file left", len(entries))
	}
}

// TestWriteFileReplacesLink: the link goes, its target stays.
func TestWriteFileReplacesLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "target"), "precious")
	if err := os.Symlink("target", filepath.Join(dir, "f")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "f"), []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "target")); string(got) != "precious" {
		t.Errorf("the link's target holds %q", got)
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "l")
	if Exists(link) {
		t.Error("nothing is said to exist")
	}
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	if !Exists(link) || IsDir(link) {
		t.Error("a dangling link exists and is no directory")
	}
}

func TestRename(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/a/f", "x")
	put(t, dir+"/b/g", "y")
	if err := Rename(dir+"/a/f", dir+"/b/g"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(dir + "/b/g"); string(got) != "x" || Exists(dir+"/a/f") {
		t.Errorf("after Rename b/g holds %q", got)
	}
	if err := Rename(dir+"/none", dir+"/b/g"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Rename(none) = %v; want not exist", err)
	}
}

func TestCopyFile(t *testing.T) { // the umask is the process's: not parallel
	dir := t.TempDir()
	put(t, dir+"/a", "text")
	old := syscall.Umask(0o077)
	err := CopyFile(dir+"/a", dir+"/b", 0o755)
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir + "/b")
	if err != nil || info.Mode() != 0o755 {
		t.Errorf("copy has mode %v, %v; want -rwxr-xr-x", info.Mode(), err)
	}
	before := treetest.Snapshot(t, dir)
	if err := CopyFile(dir+"/a", dir+"/b", 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CopyFile() over a file = %v; want exist", err)
	}
	if err := CopyFile(dir+"/none", dir+"/c", 0o644); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CopyFile(none) = %v; want not exist", err)
	}
	if err := CopyFile(dir, dir+"/c", 0o644); err == nil {
		t.Error("CopyFile() of a directory: no error")
	}
	if d := treetest.Diff(before, treetest.Snapshot(t, dir)); d != "" {
		t.Errorf("failed copies left:\n%s", d)
	}
}

func TestCopyTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := dir+"/from", dir+"/to"
	put(t, from+"/sub/f", "text")
	put(t, from+"/ro/g", "more")
	put(t, from+"/x", "#!/bin/sh\n")
	when := time.Unix(1600000000, 123456789)
	for _, err := range []error{os.Chmod(from+"/x", 0o755), os.Symlink("../x", from+"/sub/l"), os.Symlink("/nowhere", from+"/dangling"),
		os.Chmod(from+"/ro", 0o555), os.Chtimes(from+"/sub/f", when, when), os.Chtimes(from+"/sub", when, when)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := CopyTree(from, to); err != nil {
		t.Fatal(err)
	}
	strip := func(root string) map[string]string {
		out := map[string]string{}
		for path, what := range treetest.Snapshot(t, root) {
			out[strings.TrimPrefix(path, root)] = what
		}
		return out
	}
	if d := treetest.Diff(strip(from), strip(to)); d != "" {
		t.Errorf("copy differs:\n%s", d)
	}
	for _, path := range []string{"/sub/f", "/sub"} {
		if info, _ := os.Stat(to + path); !info.ModTime().Equal(when) {
			t.Errorf("%s has time %v; want %v", path, info.ModTime(), when)
		}
	}
	if err := CopyTree(from, to); err == nil {
		t.Error("CopyTree() over a directory: no error")
	}
	if err := unix.Mkfifo(from+"/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CopyTree(from, dir+"/third"); err == nil || !strings.Contains(err.Error(), "pipe: is neither") {
		t.Errorf("CopyTree() with a pipe = %v; want it named", err)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "abc")
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4, appendix
	if got, err := Hash(path); got != want || err != nil {
		t.Errorf("Hash(abc) = %s, %v; want %s", got, err, want)
	}
	if _, err := Hash(filepath.Dir(path)); err == nil {
		t.Error("Hash() of a directory: no error")
	}
}

func TestPruneEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		make, prune, stop, left string
	}{
		{"a/b/c", "a/b/c", "a", "a"},
		{"a/b/c", "a/b/c", ".", "."},
		{"a/b/c", "a/b", ".", "a/b/c"},
		{"a/b/c", "a/b/none", ".", "a/b/c"},
		{"a/b/c", "a/b/c", "a/b/c", "a/b/c"},
	} {
		root := filepath.Join(dir, strings.ReplaceAll(tt.prune+tt.stop, "/", "-"))
		if err := os.MkdirAll(filepath.Join(root, tt.make), 0o755); err != nil {
			t.Fatal(err)
		}
		PruneEmpty(filepath.Join(root, tt.prune), filepath.Join(root, tt.stop))
		if !Exists(filepath.Join(root, tt.left)) {
			t.Errorf("PruneEmpty(%s, %s) removed %s", tt.prune, tt.stop, tt.left)
		}
		if tt.left != tt.make && Exists(filepath.Join(root, tt.left, strings.Split(strings.TrimPrefix(tt.make, tt.left+"/"), "/")[0])) {
			t.Errorf("PruneEmpty(%s, %s) left more than %s", tt.prune, tt.stop, tt.left)
		}
	}
}

// TestFullDisk: a file that does not fit leaves the old one and no remnant.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := WithView(nil, func() error {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
			return err
		}
		if err := WriteFile(dir+"/f", []byte("old"), 0o644); err != nil {
			return err
		}
		before := treetest.Snapshot(t, dir)
		if err := WriteFile(dir+"/f", make([]byte, 1<<20), 0o644); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("WriteFile() = %v; want no space", err)
		}
		if err := os.WriteFile(dir+"/g", make([]byte, 40<<10), 0o644); err != nil {
			return err
		}
		if err := CopyFile(dir+"/g", dir+"/h", 0o644); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("CopyFile() = %v; want no space", err)
		}
		if err := os.Remove(dir + "/g"); err != nil {
			return err
		}
		if d := treetest.Diff(before, treetest.Snapshot(t, dir)); d != "" {
			t.Errorf("not as before:\n%s", d)
		}
		return nil
	})
	if errors.Is(err, ErrNoView) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("lacks a private mount namespace: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
