//go:build e2e

package rpm

import (
	"strings"
	"testing"
)

// Kernel, headers and modules come in one transaction, on a machine with and
// without our program.
func TestOneTransaction(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	for _, engineBefore := range []bool{true, false} {
		name := map[bool]string{true: "onto the engine", false: "with the engine"}[engineBefore]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			if engineBefore {
				h.Dnf("install", engine)
			}
			h.Dnf("install", k.Core(), k.Devel(), "foo-dkms-1.0-1", "bar-dkms-1.0-1")
			h.wantCompiled([]string{"foo/1.0", "bar/1.0"}, k)
			h.wantEdition("foo", "1.0-1", k)
			h.wantEdition("bar", "1.0", k)
			h.wantInitrd(k, "bar", "foo")
			h.Check(0)
		})
	}
}

// Whatever comes last, the module is there at the end, and was compiled once.
func TestSeparateTransactions(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	core, devel, foo := k.Core(), k.Devel(), "foo-dkms-1.0-1"
	for _, order := range cut(2, [][]string{
		{core, devel, foo}, {devel, foo, core},
		{core, foo, devel}, {devel, core, foo}, {foo, core, devel}, {foo, devel, core},
	}) {
		t.Run(strings.Join(order, " then "), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, engine)
			for _, p := range order {
				h.Dnf("install", p)
			}
			h.wantCompiled([]string{"foo/1.0"}, k)
			h.wantEdition("foo", "1.0-1", k)
			if order[2] == core {
				h.wantInitrd(k, "foo")
			}
			h.Check(0)
		})
	}
}
