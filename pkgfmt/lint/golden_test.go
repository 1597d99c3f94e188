package lint

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/golden"
)

// plant makes a tree of an archive. Its comment has lines `chmod MODE PATH`,
// `symlink PATH TARGET` and `mkfifo PATH`.
func plant(t testing.TB, a *txtar.Archive, dir string) {
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range a.Files {
		if f.Name == "want" {
			continue
		}
		path := filepath.Join(dir, f.Name)
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		check(os.WriteFile(path, f.Data, 0o644))
	}
	for line := range strings.Lines(string(a.Comment)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "chmod":
			mode, err := strconv.ParseUint(words[1], 8, 32)
			check(err)
			check(syscall.Chmod(filepath.Join(dir, words[2]), uint32(mode)))
		case "symlink":
			check(os.Symlink(words[2], filepath.Join(dir, words[1])))
		case "mkfifo":
			check(syscall.Mkfifo(filepath.Join(dir, words[1]), 0o644))
		}
	}
}

// compare compares findings with the section "want" of an archive.
func compare(t *testing.T, path string, findings []Finding, dir string) {
	var got strings.Builder
	for _, f := range findings {
		f.File = strings.TrimPrefix(strings.TrimPrefix(f.File, dir), "/")
		if f.File == "" {
			f.File = "."
		}
		got.WriteString(f.String() + "\n")
	}
	golden.Section(t, path, "want", got.String())
}

// archives calls test for each archive of a pattern.
func archives(t *testing.T, pattern string, test func(t *testing.T, path string, a *txtar.Archive)) {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: nothing there: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			test(t, path, a)
		})
	}
}

// TestTrees judges directories.
func TestTrees(t *testing.T) {
	t.Parallel()
	archives(t, "testdata/trees/*.txtar", func(t *testing.T, path string, a *txtar.Archive) {
		dir := t.TempDir()
		plant(t, a, dir)
		findings, err := Path(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, path, findings, dir)
	})
}

// TestConfs judges each file of an archive by itself, in a sentence of text.
func TestConfs(t *testing.T) {
	t.Parallel()
	archives(t, "testdata/confs/*.txtar", func(t *testing.T, path string, a *txtar.Archive) {
		dir := t.TempDir()
		plant(t, a, dir)
		var all []Finding
		for _, f := range a.Files {
			if f.Name == "want" {
				continue
			}
			findings, err := Path(context.Background(), filepath.Join(dir, f.Name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, findings...)
		}
		compare(t, path, all, dir)
	})
}
