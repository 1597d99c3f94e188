package hooks

import (
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// register makes a package registered, whatever was before, and builds nothing
// by itself: for scriptlets of packages, whose transaction ends in a run.
func (r *run) register() error {
	p, err := r.call.Exactly()
	if err != nil {
		return err
	}
	if err := r.ensureRegistered(p, ""); err != nil {
		return err
	}
	r.registry.Enqueue(r.ctx, true)
	return nil
}

// retire says that a package's place is about to be taken: it stays installed
// until what takes it is, or turns out not to come.
func (r *run) retire() error {
	p, err := r.call.Exactly()
	if err != nil {
		return err
	}
	return r.change(func(have tree.Snapshot) error {
		if r.registry.Upgraded(p) {
			return nil
		}
		state, ok := have.Find(p)
		if !ok {
			return notInTree(p)
		}
		return r.registry.Retire(r.ctx, state)
	})
}

func notInTree(p dkms.Package) error {
	return &dkms.Error{Kind: dkms.NotInTree, Object: p.String(), Problem: "is not in the tree", Hint: "dkms status lists what is"}
}

// ensureRegistered registers p from its archive in archiveDir, where there is
// one, else from its place in /usr/src.
func (r *run) ensureRegistered(p dkms.Package, archiveDir string) error {
	// With rpm the old package's last scriptlet comes after this.
	r.call.RPMSafeUpgrade = pkgmgr.Caller().Manager == pkgmgr.RPM
	return r.change(func(have tree.Snapshot) error {
		if err := r.safeUpgrade(p); err != nil {
			r.console.Warn(err.Error())
		}
		state, ok := have.Find(p)
		if ok && state.Retired != nil {
			if err := r.machine.Tree.Unretire(p); err != nil {
				return err
			}
		}
		archive := filepath.Join(archiveDir, p.Name+"-"+p.Version+".dkms.tar.gz")
		switch {
		case ok && state.State != dkms.Broken:
			return nil
		case archiveDir != "" && system.Exists(archive):
			_, err := r.fromArchive(archive)
			return err
		}
		return r.registerInPlace(p, have)
	})
}

// registerInPlace registers what lies in /usr/src. That its dkms.conf is
// invalid does not keep it from being registered: the run that follows says so,
// and so does every question about the machine's state, until it is mended.
func (r *run) registerInPlace(p dkms.Package, have tree.Snapshot) error {
	dir := r.machine.Tree.Source(p)
	if !system.IsDir(dir) {
		return &dkms.Error{Kind: dkms.SourceMissing, Object: p.String(), Problem: "no source at " + dir}
	}
	c, err := r.finder.Unregistered(p, dir)
	if err != nil {
		return err
	}
	if k, err := r.finder.Kernel(); err == nil {
		_, _ = r.machine.Recipe(r.ctx, c, k) // for its POST_ADD
	}
	want := plan.Want{Targets: []plan.Target{{Ref: dkms.Ref{Package: p}, Goal: dkms.Added, Why: "its package was installed"}}}
	_, err = r.settle(want, have)
	return err
}

// buildsItself reports whether p asks to be built by itself. One whose dkms.conf
// is invalid does, so that it is told of.
func (r *run) buildsItself(p dkms.Package) bool {
	k, err := r.finder.Kernel()
	if err != nil {
		return true
	}
	recipe, err := r.machine.Recipe(r.ctx, r.machine.Candidate(p, r.machine.Tree.SourceLink(p), true), k)
	return err != nil || recipe.Autoinstall
}

// safeUpgrade notes for --rpm_safe_upgrade that p is added. It also has versions
// overridden: a refusal would leave the machine with neither the old module nor
// the new.
func (r *run) safeUpgrade(p dkms.Package) error {
	if !r.call.RPMSafeUpgrade {
		return nil
	}
	r.machine.ForceVersion = true
	return r.registry.NoteUpgrade(p)
}
