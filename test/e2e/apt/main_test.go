//go:build e2e

package apt

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
)

var (
	full = flag.Bool("full", false, "run the long tests whole, not their cut")
	seed = flag.Uint64("seed", 0, "seed of the kill tests; 0 takes one from the clock")
)

var ours, stock = aptbox.Ours, aptbox.Stock

// onlyOurs skips what Debian's dkms is known not to do when it stands in.
func onlyOurs(tb testing.TB) {
	tb.Helper()
	if aptbox.SelfIsStock() {
		tb.Skip("Debian's dkms does not do that")
	}
}

// A machine is a Debian, and what only these tests ask of one.
type machine struct{ aptbox.Machine }

// newMachine returns one without kernels and engine.
func newMachine(tb testing.TB) machine {
	tb.Helper()
	return machine{aptbox.New(tb)}
}

// newOldMachine is newMachine with the old kernel and its headers.
func newOldMachine(tb testing.TB) machine {
	tb.Helper()
	return machine{aptbox.NewOld(tb)}
}

// on returns the same machine for a subtest.
func (m machine) on(tb testing.TB) machine { return machine{m.On(tb)} }

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

func TestMain(m *testing.M) {
	flag.Parse()
	if aptbox.SelfIsStock() {
		fmt.Println("the package under test is stood in for by Debian's dkms")
	}
	os.Exit(m.Run())
}
