package kbuild

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
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
			files := map[string]*txtar.File{}
			for i := range archive.Files {
				files[archive.Files[i].Name] = &archive.Files[i]
			}
			first, class := Diagnose(string(files["log"].Data), "/var/lib/dkms/p/1/build")
			got := fmt.Appendf(nil, "first: %s\nclass: %s\n", first, class)
			if *update {
				files["want"].Data = got
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(files["want"].Data), string(got)); diff != "" {
				t.Errorf("Diagnose (-want +got):\n%s", diff)
			}
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
