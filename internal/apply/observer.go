package apply

import (
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Outcome is how a step ended.
type Outcome struct {
	sched.Outcome[plan.StepID]
	// Provided is set where an install had nothing to do: the kernel has the
	// module in the same or a newer version.
	Provided bool
	// Idle is set where a step on a kernel as a whole had nothing to do.
	Idle bool

	// The rest is of builds, also of those that failed.
	Phases  []kbuild.Phase // in order
	Retries []kbuild.Retry // tries that failed before the last
	Cached  bool           // nothing was compiled
}

// Observer is told how the steps of a plan go. Started and Ended are called one
// at a time, Ended also of steps that will not run; Line by the goroutines of the
// steps, between the two.
type Observer interface {
	Started(plan.Step)
	Line(s plan.Step, text string) // a build has printed this
	Ended(plan.Step, Outcome)
}

// Deaf is an Observer whom nothing interests, to be embedded by those whom
// something does.
type Deaf struct{}

// Started does nothing.
func (Deaf) Started(plan.Step) {}

// Line does nothing.
func (Deaf) Line(plan.Step, string) {}

// Ended does nothing.
func (Deaf) Ended(plan.Step, Outcome) {}

// observers pass on what they are told, in order.
type observers []Observer

func (all observers) Started(s plan.Step) {
	for _, o := range all {
		o.Started(s)
	}
}

func (all observers) Line(s plan.Step, text string) {
	for _, o := range all {
		o.Line(s, text)
	}
}

func (all observers) Ended(s plan.Step, out Outcome) {
	for _, o := range all {
		o.Ended(s, out)
	}
}
