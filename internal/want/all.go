package want

import (
	"context"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// All is the newest version of each registered package, if that one is
// AUTOINSTALL, for each of ids.
func (m *Maker) All(ctx context.Context, have tree.Snapshot, ids []dkms.KernelID, why string) []plan.Target {
	var targets []plan.Target
	for _, state := range have.Packages {
		if state.State == dkms.Broken && state.Retired == nil {
			m.console.Warn(machine.Broken(state).Error())
		}
	}
	now := m.machine.Present(have)
	var candidates []*machine.Candidate
	var refs []dkms.Ref
	for _, state := range have.Newest() {
		if m.Only == "" || state.Name == m.Only {
			candidates = append(candidates, m.machine.Candidate(state.Package, state.Source, true))
			for _, id := range ids {
				refs = append(refs, dkms.Ref{Package: state.Package, KernelID: id})
			}
		}
	}
	m.machine.Ahead(ctx, refs)
	for _, c := range candidates {
		for _, id := range ids {
			t, auto, err := m.automatic(ctx, c, id, why, have, now)
			if err != nil {
				m.Invalid(&t, err)
				auto = true
			}
			if auto {
				targets = append(targets, t)
			}
		}
	}
	return targets
}

// Invalid tells of a dkms.conf that cannot be used, which stops t and no other.
func (m *Maker) Invalid(t *plan.Target, err error) {
	m.console.Problem(err)
	m.stop(t, plan.InvalidConf, err)
}

// automatic is the target of c for id, and whether AUTOINSTALL wants it. An
// exclusion is no fault here, and neither is a module that the kernel has.
func (m *Maker) automatic(ctx context.Context, c *machine.Candidate, id dkms.KernelID, why string, have tree.Snapshot, now *machine.Present) (plan.Target, bool, error) {
	t, err := m.Raise(ctx, c, id, dkms.Installed, why)
	if err != nil {
		return t, true, err
	}
	if dkms.KindOf(m.Faults[t.Ref]) == dkms.Excluded {
		delete(m.Faults, t.Ref)
		return t, true, nil
	}
	recipe, _ := m.machine.Known(t.Ref)
	auto := recipe.Autoinstall
	if auto && t.NotReady == nil && m.o.Declarative && now.ProvidedByKernel(ctx, t.Ref) {
		t.Goal = dkms.Built // the kernel has it already, which has been told
	}
	if auto && t.NotReady == nil && m.o.Declarative && !m.Again {
		if f, again := m.machine.FailedBefore(ctx, t.Ref, have); again {
			m.stop(&t, plan.FailedBefore, &dkms.Error{Kind: dkms.MakeFailed, Object: t.Ref.String(), Problem: f.String(), Log: f.Log})
			if m.o.Tolerant {
				delete(m.Faults, t.Ref) // it has been told, and is no news
			}
		}
	}
	return t, auto, nil
}
