package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// install copies the modules to where the kernel looks for them.
func (a *Applier) install(ctx context.Context, s plan.Step) error {
	c, k, recipe, err := a.machine.Resolved(ctx, s.Ref)
	if err != nil {
		return err
	}
	if err := k.RequireModuleDir(); err != nil {
		return err
	}
	if err := a.script(ctx, c, s.Ref, "PRE_INSTALL", recipe.PreInstall); err != nil {
		if !s.Force {
			return refused(err)
		}
		a.console.Warn(err.Error())
	}
	placements, kept, err := a.machine.Placements(ctx, k, recipe, s.Force)
	if dkms.KindOf(err) == dkms.ProvidedByKernel && a.o.Collective {
		a.console.Notice(err.Error()) // nobody asked for this one in particular
		a.mu.Lock()
		a.provided[s.Ref] = true
		a.mu.Unlock()
		return nil
	}
	if err != nil {
		return err
	}
	for _, why := range kept {
		a.console.Notice(fmt.Sprintf("%s: %s", s.Ref, why))
	}
	change, err := a.tree.Install(s.Ref, placements, tree.InstallOptions{Symlink: a.o.Symlink || a.machine.Framework.SymlinkModules})
	if err != nil {
		return err
	}
	a.touch(recipe, change)
	if err := a.script(ctx, c, s.Ref, "POST_INSTALL", recipe.PostInstall); err != nil {
		a.console.Warn(err.Error()) // the module is there: not a reason to take it away
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

// uninstall removes exactly what was installed. That is final at once: nobody
// who asked for it wants it back because depmod fails.
func (a *Applier) uninstall(ctx context.Context, s plan.Step) error {
	// A dkms.conf that no longer works must not keep anybody from removing
	// the package: it is asked only for its POST_REMOVE and, where dkms
	// installed the modules, for where it would have put them.
	c, k, recipe, bad := a.machine.Resolved(ctx, s.Ref)
	var known []tree.Placement
	if bad == nil {
		known = a.machine.UsualPlacements(k, recipe)
	}
	paths := a.machine.InstalledPaths(s.Ref, known)
	change, err := a.tree.Uninstall(s.Ref, known)
	if err != nil {
		return err
	}
	if err := change.Commit(); err != nil {
		return errors.Join(err, change.Undo())
	}
	recipe.Ref = s.Ref
	a.touch(recipe, nil, paths...)
	if bad != nil {
		return nil
	}
	if err := a.script(ctx, c, s.Ref, "POST_REMOVE", recipe.PostRemove); err != nil {
		a.console.Warn(err.Error())
	}
	return nil
}
