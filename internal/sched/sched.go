package sched

import (
	"context"
	"fmt"
	"time"
)

// Node is one function of the graph. IDs are unique; Needs and After name
// other nodes.
type Node[ID comparable] struct {
	ID    ID
	Needs []ID     // must have ended well, or this one does not run
	After []ID     // must have ended, however
	Holds []string // resources that no other node may hold at the same time
	// Weight is how many slots it takes while it runs. Less than one counts as
	// one, more than there are as all of them.
	Weight int
	// Always has it run although the context has ended, with a context that
	// does not end: for what must follow a change that was made.
	Always bool
	// Run does the work. A panic in it becomes its error, a *Panic. nil does
	// nothing, well.
	Run func(ctx context.Context) error
}

// Options say how to run a graph.
type Options[ID comparable] struct {
	Slots int // weights that run at the same time; less than one counts as one

	// OnStart and OnEnd, if set, are told of each node that runs, and OnEnd
	// also of each that will not. They are called one at a time.
	OnStart func(id ID)
	OnEnd   func(id ID, o Outcome[ID])
}

// Status is how a node ended.
type Status int

// The ways to end.
const (
	Done     Status = iota // it ran and returned nil
	Failed                 // it ran and returned an error, or panicked
	Blocked                // it did not run: something that it needs did not end well
	Canceled               // it did not run: the context ended before
)

// String returns the status as a word.
func (s Status) String() string {
	if s < Done || s > Canceled {
		return "unknown"
	}
	return [...]string{"done", "failed", "blocked", "canceled"}[s]
}

// Outcome is how one node ended.
type Outcome[ID comparable] struct {
	Status Status
	// Err is what Run returned, or for Blocked a *BlockedError, or for
	// Canceled the context's cause. nil for Done only.
	Err error
	// Need and Root are for Blocked: the first of Needs that did not end well,
	// and the node whose failure it all comes from.
	Need, Root ID
	// Started and Ended are zero for a node that did not run.
	Started, Ended time.Time
}

// Duration is how long the node ran.
func (o Outcome[ID]) Duration() time.Duration { return o.Ended.Sub(o.Started) }

// BlockedError is the error of a node whose need did not end well.
type BlockedError[ID comparable] struct {
	Need, Root ID
	Cause      error // Root's error
}

// Error names the need.
func (e *BlockedError[ID]) Error() string {
	return fmt.Sprintf("needs %v, which did not succeed", e.Need)
}

// Unwrap returns the error of the node that failed first.
func (e *BlockedError[ID]) Unwrap() error { return e.Cause }

// Panic is the error of a node that panicked.
type Panic struct {
	Value any
	Stack []byte
}

// Error returns the value of the panic.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }
