package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Options say how steps are carried out.
type Options struct {
	// Open returns the Workshop for a plan that has something to build.
	Open func(ctx context.Context) Workshop
	// Kernel is the one that a POST_ADD is told of; ok is false where there is
	// none.
	Kernel func() (id dkms.KernelID, ok bool)
	// Result is told what add does, in DKMS's words; nil: nobody is.
	Result io.Writer
	// Collective has a module that the kernel has already be no failure: nobody
	// asked for that one in particular.
	Collective bool
	Symlink    bool // --symlink-modules
	Modprobe   bool // --modprobe-on-install
}

// slotsWithoutBuilds is how many steps are under way at a time where nothing is
// built: they mostly wait for the disk.
const slotsWithoutBuilds = 2

// Applier carries out plans, one at a time, and knows what came of all.
type Applier struct {
	o       Options
	machine *machine.Machine
	tree    tree.Tree
	console *report.Console
	keys    *Keys
	times   *tree.BuildTimes

	workshop Workshop // while a plan is carried out that has something to build

	mu       sync.Mutex                // guards what follows
	changed  map[dkms.KernelID]touched // kernels whose modules the plan has changed
	provided map[dkms.Ref]bool         // not installed because the kernel has as good a module
	did      map[dkms.Ref]report.Outcome
	told     map[plan.StepID]Outcome // what steps of the plan have told of themselves
}

// New returns an Applier for what m knows. What steps have to say, and what
// programs print that they call, goes to console.
func New(m *machine.Machine, keys *Keys, console *report.Console, o Options) *Applier {
	return &Applier{
		o: o, machine: m, tree: m.Tree, console: console, keys: keys, times: m.Tree.BuildTimes(),
		provided: map[dkms.Ref]bool{}, did: map[dkms.Ref]report.Outcome{},
	}
}

// Apply carries out p. That steps failed is told by the outcomes; the error is
// about the plan itself.
func (a *Applier) Apply(ctx context.Context, p plan.Plan, observing ...Observer) (map[plan.StepID]Outcome, error) {
	a.changed, a.told = map[dkms.KernelID]touched{}, map[plan.StepID]Outcome{}
	slots, views := slotsWithoutBuilds, false
	if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Verb == plan.Build }) {
		a.workshop = a.o.Open(ctx)
		defer a.workshop.Close()
		defer func() { _ = a.times.Save() }() // what is lost costs time only
		slots, views = a.workshop.Slots(), a.workshop.Views()
	}
	watch := observers(observing)
	steps := map[plan.StepID]plan.Step{}
	nodes := make([]sched.Node[plan.StepID], 0, len(p.Steps))
	for _, s := range a.inOrder(p.Steps, slots) {
		steps[s.ID()] = s
		nodes = append(nodes, sched.Node[plan.StepID]{
			ID: s.ID(), Needs: s.Needs, After: s.After, Holds: holds(s, views),
			Always: s.Verb == plan.Depmod || s.Verb == plan.Initramfs || s.Verb == plan.PostTransaction,
			Run: func(stepping context.Context) error {
				err := a.do(stepping, s, watch)
				a.remember(ctx, s, err)
				return err
			},
		})
	}
	done := map[plan.StepID]Outcome{}
	_, err := sched.Run(ctx, nodes, sched.Options[plan.StepID]{
		Slots:   slots,
		OnStart: func(id plan.StepID) { watch.Started(steps[id]) },
		OnEnd: func(id plan.StepID, o sched.Outcome[plan.StepID]) {
			done[id] = a.keep(steps[id], o)
			watch.Ended(steps[id], done[id])
		},
	})
	if err != nil {
		return nil, err
	}
	return done, a.final(p)
}

// holds are what no two running steps may share: what the plan says, and the
// directory NAME/VER/build unless each build has a view of its own of it.
func holds(s plan.Step, views bool) []string {
	if s.Verb != plan.Build || views {
		return s.Holds
	}
	return append(slices.Clone(s.Holds), "build "+s.Ref.Package.String())
}

func (a *Applier) do(ctx context.Context, s plan.Step, watch Observer) error {
	switch s.Verb {
	case plan.Add:
		return a.add(ctx, s)
	case plan.Build:
		return a.build(ctx, s, watch)
	case plan.Install:
		return a.install(ctx, s)
	case plan.Uninstall:
		return a.uninstall(ctx, s)
	case plan.Unbuild:
		return a.tree.Unbuild(s.Ref)
	case plan.Remove:
		return a.tree.Unregister(s.Ref.Package)
	case plan.Depmod:
		return a.depmod(ctx, s)
	case plan.Initramfs:
		return a.initramfs(ctx, s)
	case plan.PostTransaction:
		return a.postTransaction(ctx, s)
	}
	return fmt.Errorf("%s: no such step", s.Verb)
}

// tell notes what a step that runs has to tell of itself.
func (a *Applier) tell(s plan.Step, o Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[s.ID()] = o
}

// idle ends a step that has nothing to do.
func (a *Applier) idle(s plan.Step) error {
	a.tell(s, Outcome{Idle: true})
	return nil
}

// keep remembers what came of a ref.
func (a *Applier) keep(s plan.Step, o sched.Outcome[plan.StepID]) Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	ended := a.told[s.ID()]
	ended.Outcome, ended.Provided = o, s.Verb == plan.Install && a.provided[s.Ref]
	said := s.Verb.Past()
	if said == "" || s.Verb == plan.Add || o.Status == sched.Canceled || ended.Provided {
		return ended
	}
	out := a.did[s.Ref]
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
	a.did[s.Ref] = out
	return ended
}

// Result returns what came of ref, in all plans; ok is false where no step was
// about it.
func (a *Applier) Result(ref dkms.Ref) (o report.Outcome, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok = a.did[ref]
	return o, ok
}

// Failed counts the refs that something has failed for.
func (a *Applier) Failed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, o := range a.did {
		if o.Err != nil {
			n++
		}
	}
	return n
}

// final commits the changes of kernels that no Depmod step has dealt with.
func (a *Applier) final(p plan.Plan) error {
	var errs []error
	for id := range a.changed {
		if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Verb == plan.Depmod && s.Ref.KernelID == id }) {
			continue
		}
		errs = append(errs, a.changed[id].commit(), a.tree.DepmodDone(id.Release))
	}
	return errors.Join(errs...)
}
