package treetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestWriteProgram writes and runs programs while others do.
func TestWriteProgram(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			for n := range 50 {
				path := filepath.Join(t.TempDir(), "bin", strconv.Itoa(n))
				WriteProgram(t, path, "#!/bin/sh\nexit 0\n")
				if err := exec.Command(path).Run(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		want   []string // prefixes of the lines, without the directory
	}{
		{"nothing", func(*testing.T, string) {}, nil},
		{"time", func(t *testing.T, dir string) { write(t, dir+"/a/f", "one", 0o644) }, nil},
		{"content", func(t *testing.T, dir string) { write(t, dir+"/a/f", "two", 0o644) }, []string{"- /a/f", "+ /a/f"}},
		{"mode", func(t *testing.T, dir string) { os.Chmod(dir+"/a/f", 0o600) }, []string{"- /a/f", "+ /a/f"}},
		{"new", func(t *testing.T, dir string) { write(t, dir+"/a/g", "", 0o644) }, []string{"+ /a/g"}},
		{"gone", func(t *testing.T, dir string) { os.Remove(dir + "/a/f") }, []string{"- /a/f"}},
		{"link", func(t *testing.T, dir string) { os.Remove(dir + "/l"); os.Symlink("b", dir+"/l") }, []string{"- /l -> a", "+ /l -> b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir+"/a/f", "one", 0o644)
			if err := os.Symlink("a", dir+"/l"); err != nil {
				t.Fatal(err)
			}
			before := Snapshot(t, dir, dir+"/absent")
			tt.change(t, dir)
			got := strings.ReplaceAll(Diff(before, Snapshot(t, dir)), dir, "")
			lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
			if got == "" {
				lines = nil
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("Diff() = %q; want %q", lines, tt.want)
			}
			for i := range lines {
				if !strings.HasPrefix(lines[i], tt.want[i]) {
					t.Errorf("Diff() line %d = %q; want %q", i, lines[i], tt.want[i])
				}
			}
		})
	}
}

func TestWithout(t *testing.T) {
	t.Parallel()
	s := map[string]string{"/t/.own/lock": "", "/t/.own": "", "/t/owner": "", "/t/a": ""}
	if got := Diff(map[string]string{"/t/owner": "", "/t/a": ""}, Without(s, ".own")); got != "" {
		t.Errorf("Without(.own) differs:\n%s", got)
	}
}
