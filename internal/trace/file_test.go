package trace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/trace"
)

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "trace.json")
	r := trace.New(time.Now)
	r.Start("slot", "build", "it87", nil)
	for range 2 { // a second one replaces the first
		if err := trace.Check(path); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteFile(path, "sync"); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(text), "\n]}\n") {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v; want one file", entries)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trace.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := trace.Check(path); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "old" {
		t.Errorf("Check left %q", text)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                                  "is a directory",
		filepath.Join(dir, "none", "t.json"): "no such file or directory",
		filepath.Join(file, "t.json"):        "not a directory",
		"/proc/t.json":                       "no such file or directory",
	} {
		err := trace.Check(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%q) = %v; want its path and %q", path, err, want)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("Check left something: %v", entries)
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	if err := trace.Check("/dev/null"); err != nil {
		t.Error(err)
	}
	if err := trace.New(time.Now).WriteFile("/dev/null", "sync"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/null is %v, %v", info, err)
	}
}
