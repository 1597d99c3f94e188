package hooks

import (
	"errors"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// revive makes a retired package count again whose upgrade was called off, or
// turned out to be one to the same version: its source is there, and nobody
// else bears its name. Who only looks has it count in have.
func (r *run) revive(have *tree.Snapshot) error {
	for i, p := range have.Packages {
		if p.Retired == nil || p.State == dkms.Broken || r.comes(*have, p) || r.unfinished(p) {
			continue
		}
		if r.writing {
			if err := r.machine.Tree.Unretire(p.Package); err != nil {
				return err
			}
		}
		have.Packages[i].Retired = nil
	}
	return nil
}

// clearAway is the second half of a run that makes things match: what has been
// retired goes, as far as something has taken its place, and so does what was
// built for kernels that are gone.
func (r *run) clearAway() error {
	have, err := r.machine.Tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	want := r.want()
	gone, err := r.machine.GoneKernels(have)
	if err != nil {
		return err
	}
	want.Targets = r.unwanted(have, gone)
	if len(want.Targets) > 0 {
		if _, err := r.settle(want, have); err != nil {
			return err
		}
	}
	for _, release := range gone {
		if err := r.forgetKernel(have, release); err != nil {
			return err
		}
		r.machine.Tree.MarkBack(release)
	}
	return nil
}

// unwanted is all that may go, with the kernels that are gone.
func (r *run) unwanted(have tree.Snapshot, gone []string) []plan.Target {
	var targets []plan.Target
	for _, p := range have.Packages {
		targets = append(targets, r.lowerRetired(have, p, gone)...)
	}
	for _, s := range have.Refs() {
		if slices.Contains(gone, s.Release) {
			targets = append(targets, lowered(s.Ref, dkms.Added, "kernel "+s.Release+" is gone"))
		}
	}
	return targets
}

// lowerRetired returns what may go of p: nothing, unless it is retired, or its
// source has gone without a word and a newer version is there. Nothing stays on
// kernels that are gone.
func (r *run) lowerRetired(have tree.Snapshot, p tree.PackageState, gone []string) []plan.Target {
	whole := dkms.Ref{Package: p.Package}
	comes := r.comes(have, p)
	switch {
	case p.Retired == nil && (p.State != dkms.Broken || !r.outdated(have, p)):
		return nil
	case !comes && r.unfinished(p):
		return nil // what takes its place may still come
	}
	why := "another version took its place"
	if !comes {
		why = "its package has left it behind"
	}
	var targets []plan.Target
	left := false
	for _, s := range p.Refs {
		stays := s.State == dkms.Installed && !slices.Contains(gone, s.Release)
		if stays && (comes || r.awaited(have, s.Ref)) { // nothing has taken its place here
			left = true
			continue
		}
		targets = append(targets, lowered(s.Ref, dkms.Added, why))
	}
	if !left {
		targets = append(targets, lowered(whole, dkms.Absent, why))
	}
	return targets
}

// awaited reports whether a package of another name, which is not installed on
// ref's kernel yet, is to have one of ref's modules there: ref's package has been
// renamed, and keeps its modules until that is done.
func (r *run) awaited(have tree.Snapshot, ref dkms.Ref) bool {
	manifest, err := r.machine.Tree.Manifest(ref)
	if err != nil {
		return false
	}
	for _, other := range have.Newest() {
		recipe, known := r.machine.Known(dkms.Ref{Package: other.Package, KernelID: ref.KernelID})
		if _, installed := have.Active(other.Name, ref.KernelID); installed || !known || !recipe.Autoinstall || other.Name == ref.Name {
			continue
		}
		if slices.ContainsFunc(recipe.Modules, func(m kbuild.Module) bool {
			return slices.ContainsFunc(manifest.Modules, func(own tree.Module) bool { return own.Name == m.Dest })
		}) {
			return true
		}
	}
	return false
}

// comes reports whether a version of p's name is there that counts.
func (r *run) comes(have tree.Snapshot, p tree.PackageState) bool {
	return slices.ContainsFunc(have.Packages, func(o tree.PackageState) bool {
		return o.Name == p.Name && o.Version != p.Version && o.Retired == nil && o.State != dkms.Broken
	})
}

// outdated reports whether a newer version of p's name is there.
func (r *run) outdated(have tree.Snapshot, p tree.PackageState) bool {
	return slices.ContainsFunc(have.Newest(), func(o tree.PackageState) bool {
		return o.Name == p.Name && dkms.CompareVersions(o.Version, p.Version) > 0
	})
}

// unfinished reports whether the distribution package that has retired p is in
// the middle of its upgrade.
func (r *run) unfinished(p tree.PackageState) bool {
	return p.Retired != nil && p.Retired.By != "" && pkgmgr.PackageState(r.ctx, p.Retired.By) == pkgmgr.Unfinished
}

func lowered(ref dkms.Ref, goal dkms.State, why string) plan.Target {
	return plan.Target{Ref: ref, Goal: goal, Lower: true, Force: true, Why: why}
}

// adopt takes over what DKMS built, or we before we took fingerprints: from
// now on it is known what it was made from, as far as that can be told. Nothing
// is built for it.
func (r *run) adopt(p tree.PackageState) error {
	var errs []error
	for _, s := range p.Refs {
		manifest, err := r.machine.Tree.Manifest(s.Ref)
		if _, known := kbuild.ParseFingerprint(manifest.Fingerprint); err == nil && known {
			continue
		}
		now, err := r.machine.Fingerprint(r.ctx, s.Ref)
		if err != nil {
			continue // another time
		}
		_, k, recipe, err := r.machine.Resolved(r.ctx, s.Ref)
		if err != nil {
			continue
		}
		errs = append(errs, r.machine.Tree.Adopt(s.Ref, r.machine.Built(s.Ref, recipe, now), r.machine.UsualPlacements(k, recipe)))
	}
	return errors.Join(errs...)
}
