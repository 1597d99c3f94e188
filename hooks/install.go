package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// touched is what a run has done to one kernel's modules.
type touched struct {
	installs []*tree.Transaction // open until depmod has run
	removed  bool                // something was uninstalled, for good

	modules []string // names of what came or went
	initrd  bool     // a package asks for the initial RAM file system (REMAKE_INITRD)
	gone    []string // paths of modules that were uninstalled
}

// doInstall copies the modules to where the kernel looks for them.
func (r *run) doInstall(ctx context.Context, s plan.Step) error {
	c, k, recipe, err := r.machine.Resolved(r.ctx, s.Ref)
	if err != nil {
		return err
	}
	if err := k.RequireModuleDir(); err != nil {
		return err
	}
	if err := r.script(ctx, c, s.Ref, "PRE_INSTALL", recipe.PreInstall); err != nil {
		if !s.Force {
			return refused(err)
		}
		r.console.Warn(err.Error())
	}
	placements, kept, err := r.machine.Placements(r.ctx, k, recipe, s.Force)
	if dkms.KindOf(err) == dkms.ProvidedByKernel && r.call.collective() {
		r.console.Notice(err.Error()) // nobody asked for this one in particular
		r.mu.Lock()
		r.provided[s.Ref] = true
		r.mu.Unlock()
		return nil
	}
	if err != nil {
		return err
	}
	for _, why := range kept {
		r.console.Notice(fmt.Sprintf("%s: %s", s.Ref, why))
	}
	change, err := r.machine.Tree.Install(s.Ref, placements, tree.InstallOptions{Symlink: r.call.SymlinkModules || r.machine.Framework.SymlinkModules})
	if err != nil {
		return err
	}
	r.touch(recipe, change)
	if err := r.script(ctx, c, s.Ref, "POST_INSTALL", recipe.PostInstall); err != nil {
		r.console.Warn(err.Error()) // the module is there: not a reason to take it away
	}
	return nil
}

// refused makes of a PRE_INSTALL's failure what it means.
func refused(err error) error {
	var e *dkms.Error
	if !errors.As(err, &e) {
		return err
	}
	refusal := *e
	refusal.Kind, refusal.Problem = dkms.ScriptRefused, strings.TrimSuffix(e.Problem, " failed")+" refused"
	return &refusal
}

// touch notes an install of what recipe says, or with nil an uninstall of the
// files gone.
func (r *run) touch(recipe kbuild.Recipe, install *tree.Transaction, gone ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := recipe.KernelID
	t := r.changed[id]
	t.initrd = t.initrd || recipe.RemakeInitrd
	for _, m := range recipe.Modules {
		t.modules = append(t.modules, m.Dest)
	}
	for _, path := range gone {
		if name, ok := tree.ModuleName(path); ok && !slices.Contains(t.modules, name) {
			t.modules = append(t.modules, name)
		}
	}
	if !recipe.NoWeakModules {
		t.gone = append(t.gone, gone...)
	}
	if install == nil {
		t.removed = true
	} else {
		t.installs = append(t.installs, install)
	}
	r.changed[id] = t
}

func (r *run) touchedBy(id dkms.KernelID) (touched, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.changed[id]
	return t, ok
}

// doUninstall removes exactly what was installed. That is final at once: nobody
// who asked for it wants it back because depmod fails.
func (r *run) doUninstall(ctx context.Context, s plan.Step) error {
	// A dkms.conf that no longer works must not keep anybody from removing
	// the package: it is asked only for its POST_REMOVE and, where dkms
	// installed the modules, for where it would have put them.
	c, k, recipe, bad := r.machine.Resolved(r.ctx, s.Ref)
	var known []tree.Placement
	if bad == nil {
		known = r.machine.UsualPlacements(k, recipe)
	}
	paths := r.machine.InstalledPaths(s.Ref, known)
	change, err := r.machine.Tree.Uninstall(s.Ref, known)
	if err != nil {
		return err
	}
	if err := change.Commit(); err != nil {
		return errors.Join(err, change.Undo())
	}
	recipe.Ref = s.Ref
	r.touch(recipe, nil, paths...)
	if bad != nil {
		return nil
	}
	if err := r.script(ctx, c, s.Ref, "POST_REMOVE", recipe.PostRemove); err != nil {
		r.console.Warn(err.Error())
	}
	return nil
}

// doDepmod refreshes the kernel's module index once, which makes this run's
// installs for the kernel final; if it fails, they are taken back.
func (r *run) doDepmod(ctx context.Context, s plan.Step) error {
	id := s.Ref.KernelID
	t, ok := r.touchedBy(id)
	if !ok {
		return nil
	}
	k, err := r.machine.Kernel(id)
	if err != nil {
		return err
	}
	err = kbuild.Depmod(ctx, k)
	if err == nil {
		err = t.commit()
	}
	switch {
	case err != nil && len(t.installs) > 0:
		return r.takeBack(id, t, err)
	case err != nil: // the next run will try again
		r.console.Warn(err.Error())
		return nil
	}
	if err := r.machine.Tree.DepmodDone(k.Release); err != nil {
		return err
	}
	r.weakModules(ctx, k, t.gone)
	r.modprobe(ctx, id)
	return nil
}

// takeBack undoes this run's installs for a kernel because of cause.
func (r *run) takeBack(id dkms.KernelID, t touched, cause error) error {
	var errs []error
	for _, change := range slices.Backward(t.installs) {
		errs = append(errs, change.Undo())
	}
	if !t.removed {
		errs = append(errs, r.machine.Tree.DepmodDone(id.Release)) // the index fits again
	}
	cause = errors.Join(append([]error{cause}, errs...)...)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.changed, id)
	for ref, o := range r.did {
		if ref.KernelID == id && o.Did == "installed" {
			o.Did, o.Err = "", cause
			r.did[ref] = o
		}
	}
	return &dkms.Error{Kind: dkms.NothingInstalled, Object: id.String(), Problem: "what was installed has been taken back", Err: cause}
}

// commit makes the installs final.
func (t touched) commit() error {
	var errs []error
	for _, change := range t.installs {
		errs = append(errs, change.Commit())
	}
	return errors.Join(errs...)
}
