package write

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := []pkgfmt.File{
		{Path: "debian/rules", Mode: 0o755, Data: []byte("rules")},
		{Path: "debian/control", Mode: 0o644, Data: []byte("control")},
	}
	got, err := Files(dir, files, false)
	want := []string{filepath.Join(dir, "debian/rules"), filepath.Join(dir, "debian/control")}
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("Files = %q, %v; want %q", got, err, want)
	}
	for i, path := range want {
		body, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || string(body) != string(files[i].Data) || info.Mode() != files[i].Mode {
			t.Errorf("%s: %q, mode %v, %v; want %q, %v", path, body, info.Mode(), err, files[i].Data, files[i].Mode)
		}
	}
}

// One that is there keeps the others from being written.
func TestFilesKeeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []pkgfmt.File{{Path: "a", Mode: 0o644, Data: []byte("new")}, {Path: "b", Mode: 0o644, Data: []byte("new")}}
	if _, err := Files(dir, files, false); err == nil || err.Error() != filepath.Join(dir, "b")+": is there already" {
		t.Errorf("Files = %v; want that b is there", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "a")); err == nil {
		t.Error("a was written")
	}
	if body, _ := os.ReadFile(filepath.Join(dir, "b")); string(body) != "mine" {
		t.Errorf("b is %q", body)
	}
	if _, err := Files(dir, files, true); err != nil {
		t.Error(err)
	}
	if body, _ := os.ReadFile(filepath.Join(dir, "b")); string(body) != "new" {
		t.Errorf("replaced, b is %q", body)
	}
	if _, err := Files(filepath.Join(dir, "a"), files, true); err == nil {
		t.Error("Files below a file succeeded")
	}
}
