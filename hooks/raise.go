package hooks

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// add registers a package.
func (r *run) add() error { return r.change(r.addTo) }

func (r *run) addTo(have tree.Snapshot) error {
	if archive, ok := r.finder.Archive(); ok {
		_, err := r.fromArchive(archive)
		return err
	}
	c, err := r.finder.Find(r.ctx, have)
	if err != nil {
		return err
	}
	if err := r.safeUpgrade(c.Package); err != nil {
		return err
	}
	if state, ok := have.Find(c.Package); ok && state.Retired != nil && c.Registered {
		if err := r.registry.Back(state); err != nil {
			return err
		}
		return r.applier.Added(r.ctx, c)
	}
	if c.Registered {
		return &dkms.Error{Kind: dkms.AlreadyAdded, Object: c.Package.String(), Problem: "is in the tree already",
			Hint: fmt.Sprintf("dkms remove %s --all takes it out", c.Package)}
	}
	// Its dkms.conf must be sound, for the kernel that is named or runs; that
	// the kernel is excluded or has no headers does not matter yet.
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := r.maker.Raise(r.ctx, c, id, dkms.Added, ""); err != nil {
			return err
		}
	}
	clear(r.maker.Faults)
	want := r.want()
	want.Targets = []plan.Target{{Ref: dkms.Ref{Package: c.Package}, Goal: dkms.Added, Why: "asked for"}}
	_, err = r.settle(want, have)
	return err
}

func (r *run) build() error   { return r.reach(dkms.Built) }
func (r *run) install() error { return r.reach(dkms.Installed) }

// reach brings one package as far as goal for the kernels of the call.
func (r *run) reach(goal dkms.State) error {
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	return r.change(func(have tree.Snapshot) error { return r.reachFrom(have, ids, goal) })
}

func (r *run) reachFrom(have tree.Snapshot, ids []dkms.KernelID, goal dkms.State) error {
	end := r.part("conf")
	defer end()
	c, loaded, err := r.find(have)
	if err != nil {
		return err
	}
	if err := r.safeUpgrade(c.Package); err != nil {
		return err
	}
	if state, ok := have.Find(c.Package); ok && state.Retired != nil {
		if err := r.registry.Back(state); err != nil {
			return err
		}
	}
	if loaded { // from an archive, after the scan
		if have, err = r.scan(); err != nil {
			return err
		}
	}
	want := r.want()
	for _, id := range ids {
		t, err := r.maker.Raise(r.ctx, c, id, goal, "asked for")
		if err != nil {
			return err
		}
		r.maker.RequireDepends(&t, have)
		want.Targets = append(want.Targets, t)
	}
	if goal == dkms.Installed {
		want.Targets = append(want.Targets, r.maker.Dependents(r.ctx, want.Targets, have)...)
	}
	end()
	p, err := r.settle(want, have)
	r.sayUpToDate(p, goal)
	return err
}

// find is the package that the call is about; loaded says that it came from an
// archive just now.
func (r *run) find(have tree.Snapshot) (c *machine.Candidate, loaded bool, err error) {
	if archive, ok := r.finder.Archive(); ok {
		c, err = r.fromArchive(archive)
		return c, true, err
	}
	c, err = r.finder.Find(r.ctx, have)
	return c, false, err
}

// sayUpToDate tells of each target that was there already.
func (r *run) sayUpToDate(p plan.Plan, goal dkms.State) {
	for _, n := range p.Notes {
		if n.Reason == plan.UpToDate && n.Ref.Release != "" {
			fmt.Fprintf(r.result, "%s for %s (%s): already %s, nothing to do (--force does it again)\n", n.Ref.Package, n.Ref.Release, n.Ref.Arch, goal)
		}
	}
}
