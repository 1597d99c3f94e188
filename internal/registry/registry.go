package registry

import (
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Registry is the tree's packages, as a run sees to them.
type Registry struct {
	machine *machine.Machine
	tree    tree.Tree
	console *report.Console
	foreign bool
}

// New returns the Registry of m's tree. foreign is set for a root directory that
// is not the machine's own, whose package manager calls nobody.
func New(m *machine.Machine, console *report.Console, foreign bool) *Registry {
	return &Registry{machine: m, tree: m.Tree, console: console, foreign: foreign}
}
