package apply

import (
	"time"

	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
)

// Outcome is how a step ended.
type Outcome struct {
	sched.Outcome[plan.StepID]
	// Provided is set where an install had nothing to do: the kernel has the
	// module in the same or a newer version.
	Provided bool
}

// Observer is told how the steps of a plan go. Started and Ended are called one
// at a time, Ended also of steps that will not run; Line and Phase by the
// goroutines of the steps, between the two.
type Observer interface {
	Started(plan.Step)
	Line(s plan.Step, text string)                   // a build has printed this
	Phase(s plan.Step, name string, d time.Duration) // a part of a build has taken so long
	Ended(plan.Step, Outcome)
}

// Deaf is an Observer whom nothing interests, to be embedded by those whom
// something does.
type Deaf struct{}

// Started does nothing.
func (Deaf) Started(plan.Step) {}

// Line does nothing.
func (Deaf) Line(plan.Step, string) {}

// Phase does nothing.
func (Deaf) Phase(plan.Step, string, time.Duration) {}

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

func (all observers) Phase(s plan.Step, name string, d time.Duration) {
	for _, o := range all {
		o.Phase(s, name, d)
	}
}

func (all observers) Ended(s plan.Step, out Outcome) {
	for _, o := range all {
		o.Ended(s, out)
	}
}
