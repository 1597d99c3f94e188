package want

import (
	"context"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Have tells the plan what is there, the finer points only of the kernels that
// want is about.
func (m *Maker) Have(ctx context.Context, s tree.Snapshot, want plan.Want) plan.Have {
	about := map[dkms.KernelID]bool{}
	for _, t := range want.Targets {
		about[t.Ref.KernelID] = true // the zero one: a package, for all kernels
	}
	var have plan.Have
	for _, p := range s.Packages {
		hp := plan.HavePackage{Package: p.Package}
		if p.State == dkms.Broken {
			hp.Broken = p.Problem
		}
		have.Packages = append(have.Packages, hp)
		for _, ref := range p.Refs {
			h := plan.HaveRef{Ref: ref.Ref, State: ref.State}
			if about[ref.KernelID] {
				h.Stale, h.BuiltWith = m.machine.Staleness(ctx, ref), m.machine.Tree.BuiltWith(ref.Ref)
			}
			// Both are set only where Compare has been asked.
			if ref.Missing && h.Stale == "" {
				h.Stale = "a module that was built is missing in the tree"
			}
			if ref.Lacking {
				h.Drift = "what is installed is missing or of an earlier build"
			}
			have.Refs = append(have.Refs, h)
		}
	}
	return have
}
