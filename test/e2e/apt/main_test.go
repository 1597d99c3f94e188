//go:build e2e

package apt

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

var (
	full = flag.Bool("full", false, "run the long tests whole, not their cut")
	seed = flag.Uint64("seed", 0, "seed of the kill tests; 0 takes one from the clock")
)

// project is where go.mod is, as seen from this folder.
const project = "../../.."

// root is what tools/rootfs has made: DKMS_HOOK_ROOTFS, or what make rootfs made.
func root(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("DKMS_HOOK_ROOTFS")
	if dir == "" {
		dir = filepath.Join(project, "build/e2e/rootfs")
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

// An engine is what makes Debian's dkms packages work.
type engine struct {
	name string
	debs func(testing.TB, machine) []string // what apt-get install is given
}

var (
	// ours is the package under test.
	ours = engine{"dkms-hook", ourDeb}
	// stock is the oracle: Debian's own.
	stock = engine{"dkms", func(testing.TB, machine) []string { return []string{"dkms"} }}
)

// selfIsStock says that the oracle stands in for the package under test, for
// work on the tests themselves.
func selfIsStock() bool { return os.Getenv("DKMS_HOOK_E2E_SELF") == "stock" }

// ourDeb puts the package under test into the box: DKMS_HOOK_DEB, or what make
// packages has made.
func ourDeb(tb testing.TB, m machine) []string {
	tb.Helper()
	if selfIsStock() {
		return stock.debs(tb, m)
	}
	path := os.Getenv("DKMS_HOOK_DEB")
	if path == "" {
		found, _ := filepath.Glob(filepath.Join(project, "dist/dkms-hook_*_amd64.deb"))
		if len(found) != 1 {
			tb.Fatalf("%d packages to test in dist, want 1: make packages makes it", len(found))
		}
		path = found[0]
	}
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	m.Write("/root/dkms-hook.deb", string(content))
	return []string{"/root/dkms-hook.deb"}
}

// onlyOurs skips what Debian's dkms is known not to do when it stands in.
func onlyOurs(tb testing.TB) {
	tb.Helper()
	if selfIsStock() {
		tb.Skip("Debian's dkms does not do that")
	}
}

// kernels are the releases whose packages lie in the root.
type kernels struct {
	generic string // the newest
	old     string // the newest before it
	cloud   string // the newest for clouds
}

func readKernels(tb testing.TB, dir string) kernels {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "kernels"))
	if err != nil {
		tb.Fatal(err)
	}
	var k kernels
	for line := range strings.Lines(string(content)) {
		word, release, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "new":
			k.generic = release
		case "old":
			k.old = release
		case "cloud":
			k.cloud = release
		}
	}
	if k.generic == "" || k.old == "" || k.cloud == "" {
		tb.Fatalf("kernels of the root: %q", content)
	}
	return k
}

// A machine is a box with Debian in it.
type machine struct {
	*box.Box
	kernels
	tb testing.TB
}

// newMachine returns a Debian without kernels and engine, in which apt finds
// many packages and no network.
func newMachine(tb testing.TB) machine {
	tb.Helper()
	return newMachineOn(tb, "root")
}

// newOldMachine is newMachine with the old kernel and its headers.
func newOldMachine(tb testing.TB) machine {
	tb.Helper()
	return newMachineOn(tb, "old")
}

func newMachineOn(tb testing.TB, lower string) machine {
	tb.Helper()
	dir := root(tb)
	return machine{box.NewOn(tb, filepath.Join(dir, lower)), readKernels(tb, dir), tb}
}

// on returns the same machine for a subtest.
func (m machine) on(tb testing.TB) machine { return machine{m.Box.For(tb), m.kernels, tb} }

// cut returns the first n of some cases, all of them with -full.
func cut[T any](n int, cases []T) []T {
	if *full {
		return cases
	}
	return cases[:n]
}

func TestMain(m *testing.M) {
	flag.Parse()
	if selfIsStock() {
		fmt.Println("the package under test is stood in for by Debian's dkms")
	}
	os.Exit(m.Run())
}
