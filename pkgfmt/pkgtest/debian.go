package pkgtest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// DebianSources are the paths of Debian's packages of modules' sources that
// tools/rootfs has fetched.
func DebianSources(tb testing.TB) []string {
	tb.Helper()
	debs, _ := filepath.Glob("../../build/e2e/rootfs/root/var/cache/apt/archives/*-dkms_*.deb")
	debs = slices.DeleteFunc(debs, func(path string) bool { return strings.HasPrefix(filepath.Base(path), "dh-dkms_") }) // a tool
	if len(debs) == 0 {
		tb.Fatal("no packages: make rootfs fetches them")
	}
	return debs
}
