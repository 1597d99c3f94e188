package kbuild

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/golden"
)

// TestDiagnose runs over logs from the field, each with what a person is told
// of it.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/diagnose/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			first, class := Diagnose(string(archive.Files[0].Data), "/var/lib/dkms/p/1/build")
			golden.Section(t, path, "want", fmt.Sprintf("first: %s\nclass: %s\n", first, class))
		})
	}
}

// A log without ends of lines, or of binary rubbish, must not take long.
func TestDiagnoseHuge(t *testing.T) {
	t.Parallel()
	for _, log := range []string{
		string(bytes.Repeat([]byte("error: "), 1<<18)),
		string(bytes.Repeat([]byte("\x1b[01m\x00\xff"), 1<<18)),
		string(bytes.Repeat([]byte("a: error\n"), 1<<12)),
		string(bytes.Repeat([]byte("  CC [M]  /var/lib/dkms/p/1/build/some/file.o\n"), 1<<18)),
	} {
		Diagnose(log, "/b")
	}
}

func FuzzDiagnose(f *testing.F) {
	paths, err := filepath.Glob("testdata/diagnose/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, log string) {
		first, _ := Diagnose(log, "/var/lib/dkms/p/1/build")
		for _, r := range first {
			if r < ' ' && r != '\t' || r == 0x7f {
				t.Errorf("Diagnose(%q) = %q, with control characters", log, first)
			}
		}
	})
}
