package hooks

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
)

// screen shows the steps that run to whoever called.
type screen struct {
	apply.Deaf
	*report.Progress
	event bool // nobody sits before it
	// lines, if set, is told every line that a build prints.
	lines func(line string)
}

func (r *run) screen() *screen {
	s := &screen{event: r.event != ""}
	// A package manager draws on its terminal itself, and its log is read later:
	// one line for what takes long, and the summary.
	s.Progress = report.NewProgress(r.Stderr, report.ProgressOptions{
		Terminal: report.Terminal(r.Stderr) && !s.event, Terse: s.event, Colour: r.console.Colour, Quiet: r.call.Quiet,
	})
	if r.machine.Talkative() {
		s.lines = func(line string) { fmt.Fprintln(r.console.W, line) }
	}
	return s
}

func (s *screen) Started(step plan.Step) { s.Start(string(step.ID()), s.label(step)) }

func (s *screen) Line(step plan.Step, text string) {
	if s.lines != nil {
		s.lines(text)
		return
	}
	s.Progress.Line(string(step.ID()), text)
}

func (s *screen) Ended(step plan.Step, o apply.Outcome) { s.End(string(step.ID()), ending(step, o)) }

// label is what the progress shows; nothing for what ends at once.
func (s *screen) label(step plan.Step) string {
	switch {
	case step.Verb == plan.Build, step.Verb == plan.Install && !s.event:
		return fmt.Sprintf("%s %s for %s", step.Verb, step.Ref.Package, step.Ref.Release)
	}
	return ""
}

func ending(s plan.Step, o apply.Outcome) string {
	if o.Status == sched.Done && o.Cached {
		return s.Verb.Past() + " from the cache"
	}
	if o.Status == sched.Done && (s.Verb == plan.Build || s.Verb == plan.Install) {
		return s.Verb.Past()
	}
	if interrupted(o.Err) {
		return string(record.Interrupted)
	}
	return o.Status.String()
}
