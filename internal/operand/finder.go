package operand

import (
	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Finder finds the package of a call.
type Finder struct {
	call    *call.Call
	machine *machine.Machine
	tree    tree.Tree
	console *report.Console
}

// New returns the Finder for c.
func New(c *call.Call, m *machine.Machine, console *report.Console) *Finder {
	return &Finder{call: c, machine: m, tree: m.Tree, console: console}
}
