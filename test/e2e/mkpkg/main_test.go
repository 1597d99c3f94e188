//go:build e2e

package mkpkg

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

var full = flag.Bool("full", false, "run the long tests whole, not their cut")

// cut returns the first n of some cases, all of them with -full.
func cut[T any](n int, cases []T) []T {
	if *full {
		return cases
	}
	return cases[:n]
}

// program is the program under test: DKMS_MKPKG, or what make build has made.
func program(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv("DKMS_MKPKG"); path != "" {
		return path
	}
	path := filepath.Join(box.Project(), "bin/dkms-mkpkg")
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%s: make build makes it", path)
	}
	return path
}

// mkpkg runs the program outside of all boxes, where it needs no privilege; it
// must succeed.
func mkpkg(tb testing.TB, args ...string) string {
	tb.Helper()
	cmd := exec.Command(program(tb), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH=1700000000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("dkms-mkpkg %q: %v\n%s", args, err, out)
	}
	return string(out)
}
