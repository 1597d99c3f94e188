package hooks

import (
	"fmt"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

func (r *run) uninstall() error { return r.lower(dkms.Built) }
func (r *run) unbuild() error   { return r.lower(dkms.Added) }
func (r *run) remove() error    { return r.lower(dkms.Absent) }

// lower takes one package back to goal for the kernels of the call, or for all
// that it is built for.
func (r *run) lower(goal dkms.State) error {
	p, err := r.call.Exactly()
	if err != nil {
		return err
	}
	return r.change(func(have tree.Snapshot) error { return r.lowerFrom(have, p, goal) })
}

func (r *run) lowerFrom(have tree.Snapshot, p dkms.Package, goal dkms.State) error {
	state, ok := have.Find(p)
	if !ok {
		return notInTree(p)
	}
	caller := pkgmgr.Script{}
	if goal == dkms.Absent && r.call.Root == "" {
		caller = pkgmgr.Caller()
	}
	if caller.Replacing() {
		r.console.Notice(fmt.Sprintf("%s: kept until its successor is built", p))
		return r.registry.Retire(r.ctx, state)
	}
	// A package must be removable although its files went first.
	force := r.call.Force || caller.Manager != ""
	if state.State == dkms.Broken && !force {
		return machine.Broken(state)
	}
	if r.call.RPMSafeUpgrade && goal == dkms.Absent && r.registry.Upgraded(p) {
		r.console.Notice(fmt.Sprintf("%s: kept, this transaction has just installed it", p))
		return nil
	}
	ids := []dkms.KernelID{{}} // all
	if !r.call.All {
		var err error
		if ids, err = r.call.Targets(); err != nil {
			return err
		}
	}
	want := r.want()
	for _, id := range ids {
		want.Targets = append(want.Targets, plan.Target{
			Ref: dkms.Ref{Package: p, KernelID: id}, Goal: goal, Lower: true, Why: "asked for", Force: force,
		})
	}
	if goal == dkms.Absent && r.call.All {
		want.Targets = append(want.Targets, r.registry.LeftBehind(have, p)...)
	}
	done, err := r.settle(want, have)
	r.sayNothingToLower(done, state)
	return err
}

// sayNothingToLower tells of kernels for which there was nothing to take away,
// and for which there is.
func (r *run) sayNothingToLower(p plan.Plan, state tree.PackageState) {
	for _, n := range p.Notes {
		if n.Ref.Release == "" {
			continue
		}
		line := fmt.Sprintf("%s for %s: %s", n.Ref.Package, n.Ref.Release, n.Text)
		var others []string
		for _, s := range state.Refs {
			if s.KernelID != n.Ref.KernelID {
				others = append(others, s.Release)
			}
		}
		if len(others) > 0 && len(r.call.Kernels) == 0 {
			line += "; it is built for " + strings.Join(others, ", ") + " (-k names a kernel, --all means every one)"
		}
		r.console.Notice(line)
	}
}

// kernelPrerm takes every package off a kernel that is about to be removed.
func (r *run) kernelPrerm() error {
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	return r.change(func(have tree.Snapshot) error {
		if err := r.machine.Tree.MarkRemoved(ids[0].Release); err != nil {
			r.console.Warn(err.Error())
		}
		want := r.want()
		for _, s := range have.Refs() {
			if s.Ref.KernelID == ids[0] {
				want.Targets = append(want.Targets, plan.Target{Ref: s.Ref, Goal: dkms.Added, Lower: true, Force: true,
					Why: "kernel " + s.Ref.Release + " is being removed"})
			}
		}
		if _, err := r.settle(want, have); r.ctx.Err() != nil {
			return r.cutShort("dkms-hook kernel_prerm -k " + ids[0].Release)
		} else if err != nil {
			return &dkms.Error{Kind: dkms.HookFailed, Object: ids[0].Release, Problem: "some modules could not be removed", Err: err}
		}
		return r.registry.ForgetKernel(have, ids[0].Release)
	})
}

// kernelPreinst marks what is built for a kernel that is about to be replaced
// by one of the same name: it stays in place until it has been built again.
func (r *run) kernelPreinst() error {
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	if system.Exists(switchOff) {
		return nil
	}
	return r.change(func(have tree.Snapshot) error {
		for _, s := range have.Refs() {
			if s.KernelID != ids[0] {
				continue
			}
			if err := r.machine.Tree.MarkStale(s.Ref, "the kernel was replaced by another of the same name"); err != nil {
				return &dkms.Error{Kind: dkms.HookFailed, Object: s.Ref.String(), Problem: "cannot be marked as stale", Err: err}
			}
		}
		return nil
	})
}
