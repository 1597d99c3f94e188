package system

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWithReadOnlyView(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := WithReadOnlyView([]string{dir, "/tmp/no such directory", "/usr"}, func() error {
		if text, err := os.ReadFile(file); string(text) != "old" {
			t.Errorf("in the view the kept file reads %q, %v; want old", text, err)
		}
		for _, path := range []string{file, filepath.Join(dir, "new"), "/usr/new", "/var/lib/new"} {
			if err := os.WriteFile(path, []byte("new"), 0o644); !errors.Is(err, unix.EROFS) && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("writing %s in the view: %v; want a read-only file system", path, err)
			}
		}
		if err := os.WriteFile("/tmp/scratch", []byte("new"), 0o644); err != nil {
			t.Errorf("writing below the view's own /tmp: %v", err)
		}
		return nil
	})
	if errors.Is(err, ErrNoView) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/tmp/scratch"); err == nil {
		t.Error("the view's /tmp is ours")
	}
	if text, _ := os.ReadFile(file); string(text) != "old" {
		t.Errorf("afterwards the file reads %q; want old", text)
	}
}

func TestUnescapeMount(t *testing.T) {
	t.Parallel()
	if got := unescapeMount(`/a\040b\134c\011\012`); got != "/a b\\c\t\n" {
		t.Errorf("unescapeMount = %q", got)
	}
}
