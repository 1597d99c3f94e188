//go:build e2e

package mkpkg

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt/readtest"
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

// long skips what the cut has no time for.
func long(tb testing.TB) {
	tb.Helper()
	if !*full {
		tb.Skip("only in the full run")
	}
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
// must succeed. Of the packages that it says it made, see agree.
func mkpkg(tb testing.TB, args ...string) string {
	tb.Helper()
	cmd := exec.Command(program(tb), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH=1700000000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("dkms-mkpkg %q: %v\n%s", args, err, out)
	}
	agree(tb, regexp.MustCompile(`(?m)^.*\.(deb|rpm)$`).FindAllString(string(out), -1)...)
	return string(out)
}

// agree demands that inspect says of packages what dpkg-deb and rpm say. All
// packages that the tests have made go through it.
func agree(tb testing.TB, paths ...string) {
	tb.Helper()
	for _, path := range paths {
		readtest.Agree(tb, path)
	}
}

// agreeIn is agree for the packages in a folder, of which there have to be some.
func agreeIn(tb testing.TB, dir string) {
	tb.Helper()
	debs, _ := filepath.Glob(filepath.Join(dir, "*.deb"))
	rpms, _ := filepath.Glob(filepath.Join(dir, "*.rpm"))
	if len(debs)+len(rpms) == 0 {
		tb.Fatalf("%s: no packages", dir)
	}
	agree(tb, append(debs, rpms...)...)
}
