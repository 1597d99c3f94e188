package tree

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

func TestBringSource(t *testing.T) {
	t.Parallel()
	p := dkms.Package{Name: "it87", Version: "eol"}
	for _, there := range []bool{false, true} {
		tr := newTree(t)
		from := t.TempDir()
		must(t, os.WriteFile(filepath.Join(from, "dkms.conf"), []byte("one"), 0o644))
		must(t, os.WriteFile(filepath.Join(from, "run.sh"), []byte("x"), 0o755))
		conf := filepath.Join(t.TempDir(), "other.conf")
		must(t, os.WriteFile(conf, []byte("two"), 0o600))
		must(t, os.MkdirAll(tr.SourceDir, 0o755))
		if there {
			must(t, os.Mkdir(tr.Source(p), 0o755))
			must(t, os.WriteFile(filepath.Join(tr.Source(p), "precious"), []byte("x"), 0o644))
		}
		before := treetest.Snapshot(t, tr.SourceDir, from)

		b, err := tr.BringSource(p, from, conf)
		must(t, err)
		if text, err := os.ReadFile(filepath.Join(tr.Source(p), "dkms.conf")); err != nil || string(text) != "two" {
			t.Errorf("dkms.conf = %q, %v; want that of -c", text, err)
		}
		must(t, b.Undo())
		if diff := treetest.Diff(before, treetest.Snapshot(t, tr.SourceDir, from)); diff != "" {
			t.Errorf("after Undo, something there %v:\n%s", there, diff)
		}

		b, err = tr.BringSource(p, from, "")
		must(t, err)
		must(t, b.Keep())
		entries, err := os.ReadDir(tr.SourceDir)
		if err != nil || len(entries) != 1 {
			t.Errorf("after Keep: %v, %v; want one directory", entries, err)
		}
		if info, err := os.Stat(filepath.Join(tr.Source(p), "run.sh")); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("run.sh: %v, %v; want mode 0755", info, err)
		}

		// A crash before Keep or Undo: what was there last stays.
		if _, err = tr.BringSource(p, from, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(tr.SourceDir); err != nil || len(entries) != 1 {
			t.Errorf("after Sweep: %v, %v; want one directory", entries, err)
		}
	}
	tr := newTree(t)
	if _, err := tr.BringSource(p, filepath.Join(tr.Dir, "nothing"), ""); err == nil {
		t.Error("BringSource of nothing gave no error")
	}
}
