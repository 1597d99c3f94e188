package aptbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// root is what tools/rootfs has made: DKMS_HOOK_ROOTFS, or what make rootfs made.
func root(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("DKMS_HOOK_ROOTFS")
	if dir == "" {
		dir = filepath.Join(box.Project(), "build/e2e/rootfs")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "kernels")); err != nil {
		box.Lacks(tb, dir+": make rootfs makes it")
	}
	return dir
}

// Kernels are the releases whose packages lie in the root.
type Kernels struct {
	Generic string // the newest
	Old     string // the newest before it
	Cloud   string // the newest for clouds
}

func readKernels(tb testing.TB, dir string) Kernels {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "kernels"))
	if err != nil {
		tb.Fatal(err)
	}
	var k Kernels
	for line := range strings.Lines(string(content)) {
		word, release, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "new":
			k.Generic = release
		case "old":
			k.Old = release
		case "cloud":
			k.Cloud = release
		}
	}
	if k.Generic == "" || k.Old == "" || k.Cloud == "" {
		tb.Fatalf("kernels of the root: %q", content)
	}
	return k
}

// A Machine is a box with Debian in it.
type Machine struct {
	*box.Box
	Kernels
	TB testing.TB
}

// New returns a Debian without kernels and engine, in which apt finds many
// packages and no network.
func New(tb testing.TB) Machine {
	tb.Helper()
	return on(tb, "root")
}

// NewOld is New with the old kernel and its headers.
func NewOld(tb testing.TB) Machine {
	tb.Helper()
	return on(tb, "old")
}

func on(tb testing.TB, lower string) Machine {
	tb.Helper()
	dir := root(tb)
	return Machine{box.NewOn(tb, filepath.Join(dir, lower)), readKernels(tb, dir), tb}
}

// On returns the same machine for a subtest.
func (m Machine) On(tb testing.TB) Machine { return Machine{m.For(tb), m.Kernels, tb} }
