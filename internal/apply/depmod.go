package apply

import (
	"context"
	"errors"
	"slices"

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

// touch notes an install of what recipe says, or with nil an uninstall of the
// files gone.
func (a *Applier) touch(recipe kbuild.Recipe, install *tree.Transaction, gone ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := recipe.KernelID
	t := a.changed[id]
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
	a.changed[id] = t
}

func (a *Applier) touchedBy(id dkms.KernelID) (touched, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.changed[id]
	return t, ok
}

// commit makes the installs final.
func (t touched) commit() error {
	var errs []error
	for _, change := range t.installs {
		errs = append(errs, change.Commit())
	}
	return errors.Join(errs...)
}

// depmod refreshes the kernel's module index once, which makes this run's
// installs for the kernel final; if it fails, they are taken back.
func (a *Applier) depmod(ctx context.Context, s plan.Step) error {
	id := s.Ref.KernelID
	t, ok := a.touchedBy(id)
	if !ok {
		return a.idle(s)
	}
	k, err := a.machine.Kernel(id)
	if err != nil {
		return err
	}
	err = kbuild.Depmod(ctx, k)
	if err == nil {
		err = t.commit()
	}
	switch {
	case err != nil && len(t.installs) > 0:
		return a.takeBack(id, t, err)
	case err != nil: // the next run will try again
		a.console.Warn(err.Error())
		return nil
	}
	if err := a.tree.DepmodDone(k.Release); err != nil {
		return err
	}
	a.weakModules(ctx, k, t.gone)
	a.modprobe(ctx, id)
	return nil
}

// takeBack undoes this run's installs for a kernel because of cause.
func (a *Applier) takeBack(id dkms.KernelID, t touched, cause error) error {
	var errs []error
	for _, change := range slices.Backward(t.installs) {
		errs = append(errs, change.Undo())
	}
	if !t.removed {
		errs = append(errs, a.tree.DepmodDone(id.Release)) // the index fits again
	}
	cause = errors.Join(append([]error{cause}, errs...)...)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.changed, id)
	for ref, o := range a.did {
		if ref.KernelID == id && o.Did == "installed" {
			o.Did, o.Err = "", cause
			a.did[ref] = o
		}
	}
	return &dkms.Error{Kind: dkms.NothingInstalled, Object: id.String(), Problem: "what was installed has been taken back", Err: cause}
}
