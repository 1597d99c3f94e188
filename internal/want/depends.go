package want

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// RequireDepends is for what a person asks for by name: each of BUILD_DEPENDS
// must be installed on that kernel already, or --force be given.
func (m *Maker) RequireDepends(t *plan.Target, have tree.Snapshot) {
	depends := t.Depends
	t.Depends = nil
	if t.NotReady != nil || have.Ref(t.Ref).State >= dkms.Built && !t.Force {
		return
	}
	var missing []string
	for _, name := range depends {
		if _, ok := have.Active(name, t.Ref.KernelID); !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	err := &dkms.Error{Kind: dkms.DependsMissing, Object: t.Ref.String(),
		Problem: fmt.Sprintf("needs %s installed for %s first (BUILD_DEPENDS)", strings.Join(missing, ", "), t.Ref.Release),
		Hint:    "install that first, or give --force"}
	if t.Force {
		m.console.Warn(err.Error())
		return
	}
	m.stop(t, plan.MissingDepends, err)
}

// Dependents returns what must be rebuilt because it was built with another version
// of what targets install (BUILD_DEPENDS_REBUILD).
func (m *Maker) Dependents(ctx context.Context, targets []plan.Target, have tree.Snapshot) []plan.Target {
	installs := map[string][]dkms.KernelID{}
	for _, t := range targets {
		if t.Goal == dkms.Installed && t.NotReady == nil {
			installs[t.Ref.Name] = append(installs[t.Ref.Name], t.Ref.KernelID)
		}
	}
	wanted := func(ref dkms.Ref) bool {
		return slices.ContainsFunc(targets, func(t plan.Target) bool { return t.Ref == ref })
	}
	var rebuild []plan.Target
	for _, s := range have.Refs() {
		if s.State != dkms.Installed || wanted(s.Ref) {
			continue
		}
		c, ok := m.machine.Registered(have, s.Ref.Package)
		if !ok {
			continue
		}
		for name := range m.machine.Tree.BuiltWith(s.Ref) {
			if !slices.Contains(installs[name], s.Ref.KernelID) {
				continue
			}
			c.SetAside()
			t, err := m.Raise(ctx, c, s.Ref.KernelID, dkms.Installed, "it was built with another "+name)
			t.Force = false // that was said of another
			if err != nil {
				m.console.Warn(err.Error())
				continue
			}
			delete(m.Faults, t.Ref) // not what was asked for
			rebuild = append(rebuild, t)
			break
		}
	}
	return rebuild
}
