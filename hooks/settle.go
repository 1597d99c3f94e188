package hooks

import (
	"errors"
	"fmt"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// settle makes it so: it compares want with what is there, applies the
// difference and prints what became of it.
func (r *run) settle(want plan.Want, have tree.Snapshot) (plan.Plan, error) {
	p := r.diff(want, have)
	done, err := r.apply(p)
	if err != nil {
		return p, err
	}
	r.summarize(p)
	return p, r.firstError(want, p, done)
}

// diff is what has to be done.
func (r *run) diff(want plan.Want, have tree.Snapshot) plan.Plan {
	defer r.part("plan")()
	return plan.Diff(want, r.maker.Have(r.ctx, have, want))
}

// apply carries out p and shows how it goes.
func (r *run) apply(p plan.Plan) (map[plan.StepID]apply.Outcome, error) {
	defer r.part("steps")()
	screen := r.screen()
	defer screen.Close()
	// Everything that is said while it runs goes between the progress lines.
	direct := r.console.W
	r.console.W = screen.Progress
	defer func() { r.console.W = direct }()
	return r.applier.Apply(r.ctx, p, append([]apply.Observer{screen, &r.recorder}, r.observers...)...)
}

// summarize prints a line for each package and kernel that changed or failed:
// what was reached on standard output, the rest on standard error.
func (r *run) summarize(p plan.Plan) {
	var failed []report.Outcome
	seen := map[dkms.Ref]bool{}
	have := sync.OnceValues(r.scan) // as it is now
	for _, s := range p.Steps {
		o, ok := r.applier.Result(s.Ref)
		if !ok || seen[s.Ref] {
			continue
		}
		seen[s.Ref] = true
		switch {
		case interrupted(o.Err):
		case o.Err != nil:
			failed = append(failed, failure(o, have))
		case o.Did == "":
		case s.Ref.Release == "":
			fmt.Fprintf(r.result, "%s: %s\n", s.Ref.Package, o.Did)
		default:
			fmt.Fprintf(r.result, "%s, %s, %s: %s\n", s.Ref.Package, s.Ref.Release, s.Ref.Arch, o.Did)
		}
	}
	// A single failure is the call's own error, which is printed at the end.
	if len(failed) > 1 || r.call.Collective() {
		r.console.Summary(failed, "")
	}
}

// failure adds to o what a person wants to know of a build that failed.
func failure(o report.Outcome, now func() (tree.Snapshot, error)) report.Outcome {
	var blocked *sched.BlockedError[plan.StepID]
	if errors.As(o.Err, &blocked) {
		o.Err = fmt.Errorf("not tried, because this failed: %s", blocked.Root)
		return o
	}
	var failed *kbuild.BuildError
	if !errors.As(o.Err, &failed) {
		return o
	}
	o.Fail = &report.Failure{Class: failed.Problem(), Log: failed.Log}
	if have, err := now(); err == nil {
		o.Fail.Still = stays(have, o.Ref)
	}
	return o
}

// firstError returns the failure that a call ends with: of what was wanted,
// in the order in which it was asked for.
func (r *run) firstError(want plan.Want, p plan.Plan, done map[plan.StepID]apply.Outcome) error {
	type stop struct {
		ref    dkms.Ref
		reason plan.Reason
	}
	// What stood in a target's way has stopped it if it is noted: a missing header
	// does not keep from installing what is built.
	noted := map[stop]bool{}
	for _, n := range p.Notes {
		noted[stop{n.Ref, n.Reason}] = true
	}
	failed, first := failures(p, done)
	for _, t := range want.Targets {
		if err := r.maker.Faults[t.Ref]; err != nil && t.NotReady != nil && noted[stop{t.Ref, t.NotReady.Reason}] {
			return err
		}
		if err := failed[t.Ref]; err != nil {
			return err
		}
	}
	return first
}

// failures are the first error of the steps about each ref, and of all, in the
// order of the plan. That a step was not tried for another's failure is none.
func failures(p plan.Plan, done map[plan.StepID]apply.Outcome) (failed map[dkms.Ref]error, first error) {
	failed = map[dkms.Ref]error{}
	for _, s := range p.Steps {
		o, ran := done[s.ID()]
		if !ran || o.Err == nil || o.Status == sched.Blocked {
			continue
		}
		if first == nil {
			first = o.Err
		}
		if failed[s.Ref] == nil {
			failed[s.Ref] = o.Err
		}
	}
	return failed, first
}
