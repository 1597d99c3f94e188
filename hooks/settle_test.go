package hooks

import (
	"errors"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/want"
)

// TestFirstError: what was asked for first counts first, and what went wrong
// beside it only where nothing of that did.
func TestFirstError(t *testing.T) {
	t.Parallel()
	oops, later, missing := errors.New("oops"), errors.New("later"), errors.New("no headers")
	target := func(name string, notReady *plan.Note) plan.Target {
		return plan.Target{Ref: stepOf(plan.Build, name).Ref, Goal: dkms.Installed, NotReady: notReady}
	}
	a, b, depmod := stepOf(plan.Build, "a"), stepOf(plan.Build, "b"), stepOf(plan.Depmod, "")
	install := stepOf(plan.Install, "a")
	waits := &plan.Note{Ref: b.Ref, Reason: plan.PendingHeaders, Text: "no headers"}
	for _, tt := range []struct {
		name  string
		want  []plan.Target
		notes []plan.Note
		done  map[plan.StepID]apply.Outcome
		err   error
	}{
		{name: "nothing went wrong", want: []plan.Target{target("a", nil)}, done: map[plan.StepID]apply.Outcome{a.ID(): ended(sched.Done, nil, 0)}},
		{"as it was asked for", []plan.Target{target("b", nil), target("a", nil)}, nil, map[plan.StepID]apply.Outcome{
			a.ID(): ended(sched.Failed, oops, 0), b.ID(): ended(sched.Failed, later, 0),
		}, later},
		{"what was not tried is no failure of its own", []plan.Target{target("a", nil)}, nil, map[plan.StepID]apply.Outcome{
			install.ID(): ended(sched.Blocked, errors.New("blocked"), 0), b.ID(): ended(sched.Failed, later, 0),
		}, later},
		{"of a kernel as a whole", []plan.Target{target("a", nil)}, nil, map[plan.StepID]apply.Outcome{
			a.ID(): ended(sched.Done, nil, 0), depmod.ID(): ended(sched.Failed, oops, 0),
		}, oops},
		{"what is built can be installed without headers", []plan.Target{target("b", waits)}, nil, nil, nil},
		{"what is not built cannot", []plan.Target{target("b", waits)}, []plan.Note{*waits}, nil, missing},
	} {
		r := &run{maker: want.New(nil, nil, want.Options{})}
		r.maker.Faults[b.Ref] = missing
		p := plan.Plan{Steps: []plan.Step{a, b, install, depmod}, Notes: tt.notes}
		if err := r.firstError(plan.Want{Targets: tt.want}, p, tt.done); !errors.Is(err, tt.err) {
			t.Errorf("%s: firstError() = %v; want %v", tt.name, err, tt.err)
		}
	}
}

// BenchmarkFirstError is of a thousand packages for five kernels.
func BenchmarkFirstError(b *testing.B) {
	r := &run{maker: want.New(nil, nil, want.Options{})}
	var p plan.Plan
	var w plan.Want
	done := map[plan.StepID]apply.Outcome{}
	for i := range 5000 {
		for _, verb := range []plan.Verb{plan.Build, plan.Install} {
			s := stepOf(verb, string(rune('a'+i%26))+string(rune('a'+i/26)))
			p.Steps = append(p.Steps, s)
			done[s.ID()] = apply.Outcome{}
		}
		w.Targets = append(w.Targets, plan.Target{Ref: p.Steps[len(p.Steps)-1].Ref, Goal: dkms.Installed})
	}
	for b.Loop() {
		if err := r.firstError(w, p, done); err != nil {
			b.Fatal(err)
		}
	}
}
