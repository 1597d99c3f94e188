package rpmbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// Lower is the root that tools/rpmroot makes.
func Lower(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("DKMS_HOOK_RPMROOT")
	if dir == "" {
		dir = filepath.Join(box.Project(), "build/e2e/rpmroot")
	}
	if _, err := os.Stat(filepath.Join(dir, ".made")); err != nil {
		box.Lacks(tb, "a root with rpm: tools/rpmroot "+dir+" makes it")
	}
	return filepath.Join(dir, "root")
}

// Headers names the Debian headers in the lower root, below /usr/src, that the
// kernels of the tests are built against: of the generic and of the cloud flavour.
func Headers(tb testing.TB) (generic, cloud string) {
	tb.Helper()
	dirs, _ := filepath.Glob(filepath.Join(Lower(tb), "usr/src/linux-headers-*-amd64"))
	for _, dir := range dirs {
		name := filepath.Base(dir)
		if strings.HasSuffix(name, "-cloud-amd64") {
			cloud = name
		} else {
			generic = name
		}
	}
	if generic == "" || cloud == "" {
		tb.Fatalf("%s: lacks headers of two kernels: %v", Lower(tb), dirs)
	}
	return generic, cloud
}
