package want

import (
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// Options say how a call wants what it wants.
type Options struct {
	Force bool // --force: again, and without what it depends on
	// Declarative has what would fail again not be tried, and what the kernel has
	// not be installed.
	Declarative bool
	// Tolerant has what failed before be no fault: it has been told.
	Tolerant bool
	// Named reports whether somebody has named the kernels.
	Named func() bool
}

// Maker makes targets.
type Maker struct {
	Only  string // the name of the one package that All is about; empty: all
	Again bool   // what has failed is tried whatever is remembered of it
	// Faults are what stands behind each target that is not ready.
	Faults map[dkms.Ref]error

	o       Options
	machine *machine.Machine
	console *report.Console
}

// New returns a Maker for what m knows. What is wrong with packages that not all
// depends on is said on console.
func New(m *machine.Machine, console *report.Console, o Options) *Maker {
	return &Maker{Faults: map[dkms.Ref]error{}, o: o, machine: m, console: console}
}
