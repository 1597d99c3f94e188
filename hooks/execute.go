package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
)

// outcomes are how the steps of a plan ended.
type outcomes map[plan.StepID]sched.Outcome[plan.StepID]

// execute carries out p, two steps at a time: small packages spend most of
// their time in serial parts of their builds, which another one's compilers can
// fill. That steps failed is told by the outcomes; the error
// is about the plan itself.
func (r *run) execute(p plan.Plan) (outcomes, error) {
	// A package manager draws on its terminal itself, and its log is read later:
	// one line for what takes long, and the summary.
	progress := report.NewProgress(r.Stderr, report.ProgressOptions{
		Terminal: report.Terminal(r.Stderr) && r.event == "", Terse: r.event != "", Colour: r.console.Colour, Quiet: r.call.Quiet,
	})
	defer progress.Close()
	// Everything that is said while it runs goes between the progress lines.
	direct := r.console.W
	r.console.W = progress
	defer func() { r.console.W = direct }()

	steps := map[plan.StepID]plan.Step{}
	nodes := make([]sched.Node[plan.StepID], 0, len(p.Steps))
	for _, s := range p.Steps {
		steps[s.ID()] = s
		nodes = append(nodes, sched.Node[plan.StepID]{
			ID: s.ID(), Needs: s.Needs, After: s.After, Holds: holds(s),
			Always: s.Verb == plan.Depmod || s.Verb == plan.Initramfs || s.Verb == plan.PostTransaction,
			Run: func(ctx context.Context) error {
				err := r.do(ctx, s, progress)
				r.remember(s, err)
				return err
			},
		})
	}
	done, err := sched.Run(r.ctx, nodes, sched.Options[plan.StepID]{
		Slots:   r.slots(),
		OnStart: func(id plan.StepID) { progress.Start(string(id), r.label(steps[id])) },
		OnEnd: func(id plan.StepID, o sched.Outcome[plan.StepID]) {
			progress.End(string(id), ending(steps[id], o))
			r.note(steps[id], o)
		},
	})
	if err != nil {
		return done, err
	}
	return done, r.final(p)
}

// slots is how many steps may run at a time: one where one compiler may.
func (r *run) slots() int {
	if r.machine.Jobs() == 1 {
		return 1
	}
	return 2
}

// holds are what no two running steps may share: what the plan says, and the
// directory NAME/VER/build, in which a failed build is left for a person to read.
func holds(s plan.Step) []string {
	if s.Verb != plan.Build {
		return s.Holds
	}
	return append(slices.Clone(s.Holds), "build "+s.Ref.Package.String())
}

// final commits the changes of kernels that no Depmod step has dealt with.
func (r *run) final(p plan.Plan) error {
	var errs []error
	for id := range r.changed {
		if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Verb == plan.Depmod && s.Ref.KernelID == id }) {
			continue
		}
		errs = append(errs, r.changed[id].commit(), r.machine.Tree.DepmodDone(id.Release))
	}
	return errors.Join(errs...)
}

func (r *run) do(ctx context.Context, s plan.Step, progress *report.Progress) error {
	switch s.Verb {
	case plan.Add:
		return r.doAdd(ctx, s)
	case plan.Build:
		return r.doBuild(ctx, s, r.follow(s, progress))
	case plan.Install:
		return r.doInstall(ctx, s)
	case plan.Uninstall:
		return r.doUninstall(ctx, s)
	case plan.Unbuild:
		return r.machine.Tree.Unbuild(s.Ref)
	case plan.Remove:
		return r.doRemove(s)
	case plan.Depmod:
		return r.doDepmod(ctx, s)
	case plan.Initramfs:
		return r.doInitramfs(ctx, s)
	case plan.PostTransaction:
		return r.doPostTransaction(ctx)
	}
	return fmt.Errorf("%s: no such step", s.Verb)
}

// follow is told each line that a build prints.
func (r *run) follow(s plan.Step, progress *report.Progress) func(string) {
	if r.machine.Talkative() {
		return func(line string) { fmt.Fprintln(r.console.W, line) }
	}
	return func(line string) { progress.Line(string(s.ID()), line) }
}

// label is what the progress shows; nothing for what ends at once.
func (r *run) label(s plan.Step) string {
	switch {
	case s.Verb == plan.Build, s.Verb == plan.Install && r.event == "":
		return fmt.Sprintf("%s %s for %s", s.Verb, s.Ref.Package, s.Ref.Release)
	}
	return ""
}

func ending(s plan.Step, o sched.Outcome[plan.StepID]) string {
	switch {
	case o.Status == sched.Done && s.Verb == plan.Build:
		return "built"
	case o.Status == sched.Done && s.Verb == plan.Install:
		return "installed"
	}
	return o.Status.String()
}

// note keeps what is worth a line at the end and in the table of times.
func (r *run) note(s plan.Step, o sched.Outcome[plan.StepID]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := o.Duration(); d > time.Millisecond && s.Verb != plan.Build {
		r.phases = append(r.phases, report.Phase{Of: s.Subject(), Name: string(s.Verb), Duration: d})
	}
	r.keepOutcome(s, o)
	said, worth := past[s.Verb]
	if !worth || s.Verb == plan.Add {
		return
	}
	if o.Status == sched.Canceled || s.Verb == plan.Install && r.provided[s.Ref] {
		return
	}
	out := r.did[s.Ref]
	out.Ref = s.Ref
	switch o.Status {
	case sched.Done:
		out.Did = said
	case sched.Failed:
		out.Err = o.Err
	case sched.Blocked:
		if out.Err == nil {
			out.Err = o.Err
		}
	}
	r.did[s.Ref] = out
}

// firstError returns the failure that a call ends with: of what was wanted,
// in the order in which it was asked for.
func (r *run) firstError(want plan.Want, p plan.Plan, done outcomes) error {
	for _, t := range want.Targets {
		if err := r.faults[t.Ref]; err != nil && noted(p, t) {
			return err
		}
		for _, s := range p.Steps {
			o, ran := done[s.ID()]
			if !ran || s.Ref != t.Ref || o.Status == sched.Blocked {
				continue
			}
			if o.Err != nil {
				return o.Err
			}
		}
	}
	for _, s := range p.Steps {
		if o := done[s.ID()]; o.Status == sched.Failed || o.Status == sched.Canceled {
			return o.Err
		}
	}
	return nil
}

// noted reports whether what stood in t's way has stopped it: a missing header
// does not keep from installing what is built.
func noted(p plan.Plan, t plan.Target) bool {
	return t.NotReady != nil && slices.ContainsFunc(p.Notes, func(n plan.Note) bool {
		return n.Ref == t.Ref && n.Reason == t.NotReady.Reason
	})
}
