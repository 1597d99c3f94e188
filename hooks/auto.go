package hooks

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/registry"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/view"
)

// autoYes is why autoinstall and sync want something.
const autoYes = "AUTOINSTALL=yes"

// switchOff is the file by which an administrator turns autoinstall off.
const switchOff = machine.EtcDir + "/no-autoinstall"

// autoinstall makes the newest version of every registered package with
// AUTOINSTALL=yes be installed for the kernels of the call.
func (r *run) autoinstall() error {
	if system.Exists(switchOff) {
		r.console.Notice("nothing done: " + switchOff + " exists")
		return nil
	}
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	for _, id := range ids {
		r.machine.Tree.MarkBack(id.Release)
	}
	return r.reconcile(ids, autoYes)
}

// sync makes everything that is registered be installed for the kernels of
// the call, or for all.
func (r *run) sync() error {
	ids, err := r.scope()
	if err != nil {
		return err
	}
	for _, id := range ids {
		r.machine.Tree.MarkBack(id.Release)
	}
	return r.reconcile(ids, autoYes)
}

// plan prints what sync would do, and why, and changes nothing.
func (r *run) plan() error {
	ids, err := r.scope()
	if err != nil {
		return err
	}
	have, err := r.scan()
	if err != nil {
		return err
	}
	if err := errors.Join(r.registry.Revive(r.ctx, &have, r.writing), r.look(&have)); err != nil {
		return err
	}
	want := r.wantAll(have, ids, autoYes)
	if r.call.AllKernels {
		gone, err := r.machine.GoneKernels(have)
		if err != nil {
			return err
		}
		want.Targets = append(want.Targets, r.registry.Unwanted(r.ctx, have, gone)...)
	}
	p := r.diff(want, have)
	if r.call.JSON {
		return view.JSON(r.Stdout, p)
	}
	return p.Format(r.Stdout)
}

// reconcile brings every wanted package to the kernels ids. When it is about
// all kernels, what nothing wants any more goes afterwards.
func (r *run) reconcile(ids []dkms.KernelID, why string) error {
	return r.change(func(have tree.Snapshot) error {
		want, p, err := r.bring(have, ids, why)
		failed := r.sayNotDone(p)
		if r.ctx.Err() != nil {
			return r.cutShort("dkms-hook sync")
		}
		if r.declarative {
			if r.call.AllKernels && r.maker.Only == "" {
				err = errors.Join(err, r.clearAway())
			}
			err = errors.Join(err, r.noticeHeld())
		}
		switch {
		case dkms.KindOf(err) == dkms.HeadersMissing && !r.declarative:
			return err
		case failed > 0:
			return r.notAll(failed, len(want.Targets))
		}
		return err
	})
}

// bring makes want of ids and settles it.
func (r *run) bring(have tree.Snapshot, ids []dkms.KernelID, why string) (plan.Want, plan.Plan, error) {
	defer r.keepDigests()
	if err := r.registry.Revive(r.ctx, &have, r.writing); err != nil {
		return plan.Want{}, plan.Plan{}, err
	}
	if err := r.look(&have); err != nil {
		return plan.Want{}, plan.Plan{}, err
	}
	want := r.wantAll(have, ids, why)
	p, err := r.settle(want, have)
	r.forgetMended(have, p)
	if r.declarative && dkms.KindOf(err) == dkms.HeadersMissing {
		err = nil // it waits, and sayNotDone says for what
	}
	return want, p, err
}

// forgetMended forgets the failures of what turned out to be as it should be: it
// was put right in another way than by a step that succeeded.
func (r *run) forgetMended(have tree.Snapshot, p plan.Plan) {
	if !r.declarative { // who does not compare cannot tell
		return
	}
	for _, n := range p.Notes {
		if _, failed := have.Failure(n.Ref); failed && n.Reason == plan.UpToDate {
			_ = r.machine.Tree.ForgetFailure(n.Ref) // what stays is not told of, and forgotten by the next run
		}
	}
}

func (r *run) notAll(failed, of int) error {
	e := &dkms.Error{Kind: dkms.AutoinstallFailed, Object: r.call.Action,
		Problem: fmt.Sprintf("%d of %d could not be installed", failed, max(of, failed))}
	if r.declarative {
		e.Object, e.Hint = "modules", "dkms-hook check lists them; dkms-hook retry tries again"
	}
	return e
}

// look compares what is installed with what was built, for those who put it
// right, and takes over what DKMS built. Autoinstall leaves both, as DKMS does:
// somebody may have signed or patched a module in place.
func (r *run) look(have *tree.Snapshot) error {
	if !r.declarative {
		return nil
	}
	defer r.part("compare")()
	compare := func() error { return r.machine.Tree.Compare(r.ctx, have, r.machine.Comparison(r.ctx)) }
	if err := compare(); err != nil || !r.writing {
		return err
	}
	adopted := false
	for _, p := range have.Packages {
		if p.State == dkms.Broken || !slices.ContainsFunc(p.Refs, registry.Adoptable) {
			continue
		}
		adopted = true
		if err := r.registry.Adopt(r.ctx, p); err != nil {
			r.console.Warn(err.Error())
		}
	}
	if adopted {
		return compare()
	}
	return nil
}

// sayNotDone tells of what was wanted and not done, with the reason, and counts
// what failed: steps, and targets that something of their own stands in the way
// of. What waits for a package that is not there yet, or is excluded by rule,
// has not failed.
func (r *run) sayNotDone(p plan.Plan) (failed int) {
	r.recorder.leave(p)
	waiting := map[dkms.KernelID][]string{}
	still := map[string]bool{}
	for _, n := range p.Notes {
		line := fmt.Sprintf("%s for %s: %s", n.Ref.Package, n.Ref.Release, n.Text)
		if n.Reason == plan.DependsCycle {
			line = fmt.Sprintf("%s for %s: circle of dependencies: %s", n.Ref.Package, n.Ref.Release, n.Text)
		}
		switch n.Reason {
		case plan.UpToDate, plan.NotAutoinstall:
		case plan.PendingHeaders:
			waiting[n.Ref.KernelID] = append(waiting[n.Ref.KernelID], n.Ref.Package.String())
		case plan.InvalidConf: // has been told whole
			failed++
		case plan.FailedBefore:
			if r.tolerant() {
				still[n.Ref.Package.String()] = true
				continue
			}
			r.console.Problem(errors.New(line))
			failed++
		case plan.ExcludedByRule, plan.MissingDepends:
			// Whoever starts the machine every day has been told.
			if r.event != "boot" || len(p.Steps) > 0 || r.machine.Talkative() {
				r.console.Notice(line)
			}
		default:
			r.console.Problem(errors.New(line))
			failed++
		}
	}
	if r.declarative { // DKMS's own actions end with that error
		r.registry.RecordWaiting(r.ctx, waiting, r.event)
	}
	if len(still) > 0 {
		r.console.Notice("as before, not built: " + strings.Join(slices.Sorted(maps.Keys(still)), ", ") + " (dkms-hook check says why)")
	}
	return failed + r.applier.Failed()
}

// clearAway is the second half of a run that makes things match: what has been
// retired goes, as far as something has taken its place, and so does what was
// built for kernels that are gone.
func (r *run) clearAway() error {
	have, err := r.scan()
	if err != nil {
		return err
	}
	want := r.want()
	gone, err := r.machine.GoneKernels(have)
	if err != nil {
		return err
	}
	want.Targets = r.registry.Unwanted(r.ctx, have, gone)
	if len(want.Targets) > 0 {
		if _, err := r.settle(want, have); err != nil {
			return err
		}
	}
	for _, release := range gone {
		if err := r.registry.ForgetKernel(have, release); err != nil {
			return err
		}
		r.machine.Tree.MarkBack(release)
	}
	return nil
}
