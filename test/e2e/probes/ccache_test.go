//go:build e2e

package probes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cc1 is put before the real one, which a driver finds by COMPILER_PATH.
const cc1 = `#!/bin/sh
echo "$*" >>@LOG@
exec @REAL@ "$@"
`

// TestCcache proves that with the real ccache a second build runs no compiler
// proper for any file, and leaves the same modules.
func TestCcache(t *testing.T) {
	t.Parallel()
	b := newBench(t, "bbswitch-dkms")
	b.make(t)
	want, _ := b.outcome(t)

	dir := t.TempDir()
	unpack(t, "ccache", dir)
	unpack(t, "libhiredis", dir)
	libraries, err := filepath.Glob(filepath.Join(dir, "usr/lib/*/libhiredis.so.*"))
	if err != nil || len(libraries) == 0 {
		t.Fatalf("no libraries: %v", err)
	}
	log := filepath.Join(dir, "cc1.log")
	real, err := exec.Command("gcc-12", "-print-prog-name=cc1").Output()
	if err != nil {
		real, err = exec.Command("gcc", "-print-prog-name=cc1").Output()
	}
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@LOG@", log, "@REAL@", strings.TrimSpace(string(real))).Replace(cc1)
	if err := os.Mkdir(filepath.Join(dir, "parts"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "parts/cc1"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	b.CompilerCache = filepath.Join(dir, "usr/bin/ccache")
	b.Env = []string{
		"LD_LIBRARY_PATH=" + filepath.Dir(libraries[0]), "COMPILER_PATH=" + filepath.Join(dir, "parts"),
		"CCACHE_DIR=" + filepath.Join(dir, "cache"), "CCACHE_CONFIGPATH=/dev/null",
	}
	for round, compiles := range []bool{true, false} {
		if err := os.RemoveAll(log); err != nil {
			t.Fatal(err)
		}
		b.make(t)
		got, _ := b.outcome(t)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round %d is another:\n%s", round, diff)
		}
		calls, _ := os.ReadFile(log)
		sources := 0
		for line := range strings.Lines(string(calls)) {
			if strings.Contains(line, "/bbswitch.c ") || strings.Contains(line, "/bbswitch.mod.c ") {
				sources++
			}
		}
		if sources > 0 != compiles {
			t.Errorf("round %d: the compiler ran for %d files\n%s", round, sources, calls)
		}
	}
}
