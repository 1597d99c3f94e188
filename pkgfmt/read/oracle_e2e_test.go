//go:build e2e

package read_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt/readtest"
)

// largest is the size of the packages that are compared: the others are the
// same, only longer.
const largest = 2 << 20

// TestOracleDebian: dpkg-deb and inspect say the same of Debian's packages.
func TestOracleDebian(t *testing.T) {
	t.Parallel()
	oracle(t, "../../build/e2e/debs/*.deb", "../../build/e2e/rootfs/root/var/cache/apt/archives/*.deb")
}

// TestOracleOurs: the formats' tools and inspect say the same of our packages.
func TestOracleOurs(t *testing.T) {
	t.Parallel()
	oracle(t, "../../dist/*.deb", "../../dist/*.rpm")
}

func oracle(t *testing.T, patterns ...string) {
	n := 0
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.Size() > largest && !strings.Contains(pattern, "dist") {
				continue
			}
			readtest.Agree(t, path)
			n++
		}
	}
	if n == 0 {
		t.Errorf("no package in %s: make packages debs rootfs", strings.Join(patterns, ", "))
	}
	t.Logf("%d packages", n)
}
