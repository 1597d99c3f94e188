package hooks

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// clearAway is the second half of a run that makes things match: what has been
// retired goes, as far as something has taken its place, and so does what was
// built for kernels that are gone.
func (r *run) clearAway() error {
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	want := r.want()
	for _, p := range have.Packages {
		if p.Retired != nil {
			targets, err := r.lowerRetired(have, p)
			if err != nil {
				return err
			}
			want.Targets = append(want.Targets, targets...)
		}
	}
	gone, err := r.goneKernels(have)
	if err != nil {
		return err
	}
	for _, s := range refsOf(have) {
		if slices.Contains(gone, s.Release) {
			want.Targets = append(want.Targets, plan.Target{Ref: s.Ref, Goal: dkms.Added, Lower: true, Force: true, Why: "kernel " + s.Release + " is gone"})
		}
	}
	if len(want.Targets) > 0 {
		if _, err := r.settle(want, have); err != nil {
			return err
		}
	}
	for _, release := range gone {
		if err := r.forgetKernel(have, release); err != nil {
			return err
		}
		r.noteBack(release)
	}
	return nil
}

// lowerRetired returns what may go of a retired package.
func (r *run) lowerRetired(have tree.Snapshot, p tree.PackageState) ([]plan.Target, error) {
	successor := slices.ContainsFunc(have.Packages, func(o tree.PackageState) bool {
		return o.Name == p.Name && o.Version != p.Version && o.Retired == nil && o.State != dkms.Broken
	})
	if !successor {
		return r.withoutSuccessor(p)
	}
	var targets []plan.Target
	left := false
	for _, s := range p.Refs {
		if s.State == dkms.Installed { // nothing has taken its place here
			left = true
			continue
		}
		targets = append(targets, lowered(s.Ref, dkms.Added, "another version took its place"))
	}
	if !left {
		targets = append(targets, lowered(dkms.Ref{Package: p.Package}, dkms.Absent, "another version took its place"))
	}
	return targets, nil
}

// withoutSuccessor decides on a retired package whose name nobody else bears.
// While its distribution package is unfinished, it may still come; if that is
// there and so is the source, the upgrade was called off; else it has left.
func (r *run) withoutSuccessor(p tree.PackageState) ([]plan.Target, error) {
	if by := p.Retired.By; by != "" && pkgmgr.PackageState(r.ctx, by) == pkgmgr.Unfinished {
		return nil, nil
	}
	if p.State != dkms.Broken && system.Exists(r.tree.Source(p.Package)) {
		return nil, r.tree.Unretire(p.Package)
	}
	return []plan.Target{lowered(dkms.Ref{Package: p.Package}, dkms.Absent, "its package has left it behind")}, nil
}

func lowered(ref dkms.Ref, goal dkms.State, why string) plan.Target {
	return plan.Target{Ref: ref, Goal: goal, Lower: true, Force: true, Why: why}
}

// goneKernels are the kernels that something was built for, or failed to be, and
// of which neither image nor headers are there. Where there is no kernel at all
// that is said of none: then /lib/modules itself may be missing.
func (r *run) goneKernels(have tree.Snapshot) ([]string, error) {
	all, err := r.onDisk()
	if err != nil || !slices.ContainsFunc(all, func(k kbuild.Kernel) bool { return !k.Vanished() }) {
		return nil, err
	}
	ids := map[dkms.KernelID]bool{}
	for _, p := range have.Packages {
		for _, s := range p.Refs {
			ids[s.KernelID] = true
		}
		for _, f := range p.Failures {
			ids[f.KernelID] = true
		}
	}
	var gone []string
	for id := range ids {
		k, err := r.kernel(id)
		if err != nil {
			return nil, err
		}
		if k.Vanished() && !slices.Contains(gone, id.Release) {
			gone = append(gone, id.Release)
		}
	}
	return gone, nil
}
