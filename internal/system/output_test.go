package system

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "trace.json")
	for _, text := range []string{"first, and long", "second"} {
		if err := CheckOutput(path); err != nil {
			t.Fatal(err)
		}
		if err := WriteOutput(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%s holds %q, %v; want %q", path, got, err, text)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v; want one file", entries)
	}
}

// A link, as /dev/stdout is one, stays and is written through.
func TestOutputThroughLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("something long"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := CheckOutput(link); err != nil {
		t.Fatal(err)
	}
	if err := WriteOutput(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "new" {
		t.Errorf("%s holds %q, %v", file, text, err)
	}
	if to, err := os.Readlink(link); err != nil || to != file {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

func TestCheckOutputChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trace.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckOutput(path); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "old" {
		t.Errorf("CheckOutput left %q", text)
	}
}

func TestCheckOutputRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere/at/all", link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                                  "is a directory",
		link:                                 "no such file or directory",
		filepath.Join(dir, "none", "t.json"): "no such file or directory",
		filepath.Join(file, "t.json"):        "not a directory",
		"/proc/t.json":                       "no such file or directory",
	} {
		err := CheckOutput(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckOutput(%q) = %v; want its path and %q", path, err, want)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("CheckOutput left something: %v", entries)
	}
}

func TestOutputToDevice(t *testing.T) {
	t.Parallel()
	if err := CheckOutput(os.DevNull); err != nil {
		t.Error(err)
	}
	if err := WriteOutput(os.DevNull, []byte("text")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s is %v, %v", os.DevNull, info, err)
	}
}
