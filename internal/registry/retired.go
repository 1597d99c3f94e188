package registry

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Retire says that a package's place is about to be taken, by what its
// distribution package, which calls us, brings next.
func (g *Registry) Retire(ctx context.Context, state tree.PackageState) error {
	caller := pkgmgr.Caller()
	why := "its package is being replaced"
	if caller.Package != "" {
		why = caller.Package + " is being replaced"
	}
	// What it was built from is still here; later it is the successor's.
	if err := g.Adopt(ctx, state); err != nil {
		g.console.Warn(err.Error())
	}
	_ = g.machine.Digests.Save() // that this fails costs time only
	if err := g.tree.Retire(state.Package, tree.Retirement{By: caller.Package, Why: why, Since: time.Now()}); err != nil {
		return err
	}
	g.Enqueue(ctx, false) // whatever takes its place may be nobody who calls us
	return nil
}

// Adoptable reports whether Adopt would take s over: by its manifest, which
// tree.Compare has read, it is not known what it was made from.
func Adoptable(s tree.RefState) bool {
	_, known := kbuild.ParseFingerprint(s.Fingerprint)
	return !known
}

// Adopt takes over what DKMS built, or we before we took fingerprints: from
// now on it is known what it was made from, as far as that can be told. Nothing
// is built for it.
func (g *Registry) Adopt(ctx context.Context, p tree.PackageState) error {
	var errs []error
	for _, s := range p.Refs {
		manifest, err := g.tree.Manifest(s.Ref)
		if _, known := kbuild.ParseFingerprint(manifest.Fingerprint); err == nil && known {
			continue
		}
		now, err := g.machine.Fingerprint(ctx, s.Ref)
		if err != nil {
			continue // another time
		}
		_, k, recipe, err := g.machine.Resolved(ctx, s.Ref)
		if err != nil {
			continue
		}
		errs = append(errs, g.tree.Adopt(s.Ref, g.machine.Built(s.Ref, recipe, now), g.machine.UsualPlacements(k, recipe)))
	}
	return errors.Join(errs...)
}

// Revive makes a retired package count again whose upgrade was called off, or
// turned out to be one to the same version: its source is there, and nobody
// else bears its name. Who does not write has it count in have only.
func (g *Registry) Revive(ctx context.Context, have *tree.Snapshot, writing bool) error {
	for i, p := range have.Packages {
		if p.Retired == nil || p.State == dkms.Broken || comes(*have, p) || unfinished(ctx, p) {
			continue
		}
		if writing {
			if err := g.tree.Unretire(p.Package); err != nil {
				return err
			}
		}
		have.Packages[i].Retired = nil
	}
	return nil
}

// Back makes a retired package one that is registered like any other, because
// somebody names it: as after `remove` it has nothing built that counts.
func (g *Registry) Back(state tree.PackageState) error {
	for _, s := range state.Refs {
		if err := g.tree.MarkStale(s.Ref, "it was removed and added again"); err != nil {
			return err
		}
	}
	return g.tree.Unretire(state.Package)
}

// Unwanted is all that may go, with the kernels that are gone.
func (g *Registry) Unwanted(ctx context.Context, have tree.Snapshot, gone []string) []plan.Target {
	var targets []plan.Target
	for _, p := range have.Packages {
		targets = append(targets, g.lowerRetired(ctx, have, p, gone)...)
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
func (g *Registry) lowerRetired(ctx context.Context, have tree.Snapshot, p tree.PackageState, gone []string) []plan.Target {
	whole := dkms.Ref{Package: p.Package}
	comes := comes(have, p)
	switch {
	case p.Retired == nil && (p.State != dkms.Broken || !outdated(have, p)):
		return nil
	case !comes && unfinished(ctx, p):
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
		if stays && (comes || g.awaited(have, s.Ref)) { // nothing has taken its place here
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
func (g *Registry) awaited(have tree.Snapshot, ref dkms.Ref) bool {
	manifest, err := g.tree.Manifest(ref)
	if err != nil {
		return false
	}
	for _, other := range have.Newest() {
		recipe, known := g.machine.Known(dkms.Ref{Package: other.Package, KernelID: ref.KernelID})
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
func comes(have tree.Snapshot, p tree.PackageState) bool {
	return slices.ContainsFunc(have.Named(p.Name), func(o tree.PackageState) bool {
		return o.Version != p.Version && o.Retired == nil && o.State != dkms.Broken
	})
}

// outdated reports whether a newer version of p's name is there.
func outdated(have tree.Snapshot, p tree.PackageState) bool {
	newest, ok := have.NewestOf(p.Name)
	return ok && dkms.CompareVersions(newest.Version, p.Version) > 0
}

// unfinished reports whether the distribution package that has retired p is in
// the middle of its upgrade.
func unfinished(ctx context.Context, p tree.PackageState) bool {
	return p.Retired != nil && p.Retired.By != "" && pkgmgr.PackageState(ctx, p.Retired.By) == pkgmgr.Unfinished
}

func lowered(ref dkms.Ref, goal dkms.State, why string) plan.Target {
	return plan.Target{Ref: ref, Goal: goal, Lower: true, Force: true, Why: why}
}

// LeftBehind are the retired versions of p's name that were kept for want of
// what p was to be; they go with it.
func (g *Registry) LeftBehind(have tree.Snapshot, p dkms.Package) []plan.Target {
	var targets []plan.Target
	for _, o := range have.Named(p.Name) {
		switch {
		case o.Version == p.Version:
		case o.Retired == nil:
			return nil // there is another one that they may be kept for
		default:
			targets = append(targets, lowered(dkms.Ref{Package: o.Package}, dkms.Absent, p.String()+" is being removed"))
		}
	}
	return targets
}

// ForgetKernel removes what is left of a kernel when nothing is built for it any
// more: that builds for it have failed, and directories.
func (g *Registry) ForgetKernel(have tree.Snapshot, release string) error {
	var errs []error
	for _, p := range have.Packages {
		for _, f := range p.Failures {
			if f.Release == release {
				errs = append(errs, g.tree.ForgetFailure(f.Ref))
			}
		}
	}
	return errors.Join(append(errs, g.tree.ForgetKernel(release))...)
}
