package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// trigger is the dpkg trigger by which a transaction's registrations become one
// run at its end.
const trigger = "dkms-hook"

// enqueue has dpkg call us once more when it has configured what it can;
// awaiting, nothing that depends on the calling package is configured before.
// It reports false where nobody would call: then it is to be done now.
func (r *run) enqueue(await bool) bool {
	if os.Getenv(system.LockEnv) != "" {
		return true // a run of ours has called us, and it is that run
	}
	if r.call.Root != "" || pkgmgr.Caller().Manager != "dpkg" || !pkgmgr.Interested(trigger) {
		return false
	}
	if err := pkgmgr.Activate(r.ctx, trigger, await); err != nil {
		r.console.Warn(fmt.Sprintf("the dpkg trigger %s could not be activated, so modules are built now: %v", trigger, err))
		return false
	}
	return true
}

// register makes a package registered, whatever was before, and builds nothing
// by itself: for scriptlets of packages, whose transaction ends in a run.
func (r *run) register() error {
	p, err := r.call.exactly()
	if err != nil {
		return err
	}
	if err := r.ensureRegistered(p, ""); err != nil {
		return err
	}
	r.enqueue(true)
	return nil
}

// retire says that a package's place is about to be taken: it stays installed
// until what takes it is, or turns out not to come.
func (r *run) retire() error {
	p, err := r.call.exactly()
	if err != nil {
		return err
	}
	return r.change(func(have tree.Snapshot) error {
		if r.upgradedByCaller(p) {
			return nil
		}
		state, ok := have.Find(p)
		if !ok {
			return notInTree(p)
		}
		return r.retireFrom(state)
	})
}

func (r *run) retireFrom(state tree.PackageState) error {
	caller := pkgmgr.Caller()
	why := "its package is being replaced"
	if caller.Package != "" {
		why = caller.Package + " is being replaced"
	}
	// What it was built from is still here; later it is the successor's.
	if err := r.adopt(state); err != nil {
		r.console.Warn(err.Error())
	}
	r.keepDigests()
	if err := r.machine.Tree.Retire(state.Package, tree.Retirement{By: caller.Package, Why: why, Since: time.Now()}); err != nil {
		return err
	}
	r.enqueue(false) // whatever takes its place may be nobody who calls us
	return nil
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
	c, err := r.unregistered(p, dir)
	if err != nil {
		return err
	}
	if k, err := r.someKernel(); err == nil {
		_, _ = r.machine.Recipe(r.ctx, c, k) // for its POST_ADD
	}
	want := plan.Want{Targets: []plan.Target{{Ref: dkms.Ref{Package: p}, Goal: dkms.Added, Why: "its package was installed"}}}
	_, err = r.settle(want, have)
	return err
}

// back makes a retired package one that is registered like any other, because
// somebody names it: as after `remove` it has nothing built that counts.
func (r *run) back(state tree.PackageState) error {
	for _, s := range state.Refs {
		if err := r.machine.Tree.MarkStale(s.Ref, "it was removed and added again"); err != nil {
			return err
		}
	}
	return r.machine.Tree.Unretire(state.Package)
}

// buildsItself reports whether p asks to be built by itself. One whose dkms.conf
// is invalid does, so that it is told of.
func (r *run) buildsItself(p dkms.Package) bool {
	k, err := r.someKernel()
	if err != nil {
		return true
	}
	recipe, err := r.machine.Recipe(r.ctx, r.machine.Candidate(p, r.machine.Tree.SourceLink(p), true), k)
	return err != nil || recipe.Autoinstall
}
