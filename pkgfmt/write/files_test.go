package write

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
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

// TestFilesAllOrNone: when one cannot be written, none is, what was there stays,
// and no directory is left that was not there.
func TestFilesAllOrNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, body := range map[string]string{"old": "old", "file": "in the way"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := treetest.Snapshot(t, dir)
	_, err := Files(dir, []pkgfmt.File{
		{Path: "old", Mode: 0o644, Data: []byte("new")}, {Path: "new/deep/a", Mode: 0o644, Data: []byte("new")},
		{Path: "file/b", Mode: 0o644, Data: []byte("new")},
	}, true)
	if want := filepath.Join(dir, "file/b") + ": cannot be written: not a directory"; err == nil || err.Error() != want {
		t.Errorf("Files = %v; want %s", err, want)
	}
	if diff := treetest.Diff(before, treetest.Snapshot(t, dir)); diff != "" {
		t.Errorf("it changed\n%s", diff)
	}
}

func TestWritable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := treetest.Snapshot(t, dir)
	for path, good := range map[string]bool{".": true, "a/b/c": true, "file": false, "file/a": false} {
		if err := Writable(filepath.Join(dir, path)); (err == nil) != good {
			t.Errorf("Writable(%s) = %v; want an error: %v", path, err, !good)
		}
	}
	if diff := treetest.Diff(before, treetest.Snapshot(t, dir)); diff != "" {
		t.Errorf("it changed\n%s", diff)
	}
}

// TestPackagesAllOrNone is the same of packages.
func TestPackagesAllOrNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad := sample(pkgfmt.Deb), sample(pkgfmt.RPM)
	none := func(pkgfmt.Package) Materials { return *someMaterials() }
	if _, err := Packages(t.Context(), []pkgfmt.Package{good}, none, Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, FileName(bad)), 0o755); err != nil {
		t.Fatal(err)
	}
	before := treetest.Snapshot(t, dir)
	good.Summary = "another"
	if paths, err := Packages(t.Context(), []pkgfmt.Package{good, bad}, none, Options{Dir: dir}); err == nil || paths != nil {
		t.Errorf("Packages = %q, %v; want an error", paths, err)
	}
	missing := filepath.Join(dir, "new/out")
	bad.Name = "not a name"
	if _, err := Packages(t.Context(), []pkgfmt.Package{good, bad}, nil, Options{Dir: missing}); err == nil {
		t.Error("Packages takes a name that is none")
	}
	if diff := treetest.Diff(before, treetest.Snapshot(t, dir)); diff != "" {
		t.Errorf("it changed\n%s", diff)
	}
}
