//go:build e2e

package rpm

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

var (
	full = flag.Bool("full", false, "run the long tests, too")
	seed = flag.Uint64("seed", 0, "seed of the moments at which dnf is killed; 0 takes one from the clock")
)

// cut returns the first n of some cases, all of them with -full.
func cut[T any](n int, cases []T) []T {
	if *full {
		return cases
	}
	return cases[:n]
}

// projectRoot is where go.mod is.
var projectRoot = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	panic("no go.mod above the test")
})

// lower is the root that tools/rpmroot makes.
func lower(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("DKMS_HOOK_RPMROOT")
	if dir == "" {
		dir = filepath.Join(projectRoot(), "build/e2e/rpmroot")
	}
	if _, err := os.Stat(filepath.Join(dir, ".made")); err != nil {
		box.Lacks(tb, "a root with rpm: tools/rpmroot "+dir+" makes it")
	}
	return filepath.Join(dir, "root")
}

// headers names the Debian headers in the lower root, below /usr/src, that the
// kernels of the tests are built against: of the generic and of the cloud flavour.
func headers(tb testing.TB) (generic, cloud string) {
	tb.Helper()
	dirs, _ := filepath.Glob(filepath.Join(lower(tb), "usr/src/linux-headers-*-amd64"))
	for _, dir := range dirs {
		name := filepath.Base(dir)
		if strings.HasSuffix(name, "-cloud-amd64") {
			cloud = name
		} else {
			generic = name
		}
	}
	if generic == "" || cloud == "" {
		tb.Fatalf("%s: lacks headers of two kernels: %v", lower(tb), dirs)
	}
	return generic, cloud
}

// uname is the release of the kernel that runs.
func uname() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		panic(err)
	}
	return unix.ByteSliceToString(u.Release[:])
}
