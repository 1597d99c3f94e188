package hooks

import (
	"fmt"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
)

// recorder keeps the record of a run.
type recorder struct {
	apply.Deaf
	run report.Run
}

// Ended adds the end of a step.
func (r *recorder) Ended(s plan.Step, o apply.Outcome) {
	did := s.Verb.Past()
	if did == "" || o.Status == sched.Canceled || o.Provided {
		return
	}
	out := report.RunOutcome{Package: s.Ref.Name, Version: s.Ref.Version, Release: s.Ref.Release, Arch: s.Ref.Arch, Did: did, Seconds: o.Duration().Seconds()}
	switch o.Status {
	case sched.Failed:
		out.Did, out.Error = "failed", o.Err.Error()
	case sched.Blocked:
		out.Did, out.Error = "not-tried", o.Err.Error()
	}
	r.run.Outcomes = append(r.run.Outcomes, out)
}

// leave adds what a plan leaves undone.
func (r *recorder) leave(p plan.Plan) {
	for _, n := range p.Notes {
		if n.Reason != plan.UpToDate {
			r.run.Notes = append(r.run.Notes, report.RunNote{
				Package: n.Ref.Name, Version: n.Ref.Version, Release: n.Ref.Release, Reason: string(n.Reason), Text: n.Text,
			})
		}
	}
}

// keepRecord writes the run's record, if there is something to tell. That it
// cannot be written is no reason to fail.
func (r *run) keepRecord() {
	ended := r.recorder.run
	if len(ended.Outcomes) == 0 {
		return
	}
	ended.Version, ended.Ended = r.Version, time.Now()
	ended.Event = strings.Join(append([]string{r.call.Action}, r.call.Operands...), " ")
	text, err := ended.Record()
	if err == nil {
		err = r.machine.Tree.AddRun(ended.Began, text)
	}
	if err != nil {
		r.console.Warn(fmt.Sprintf("the record of this run could not be kept: %v", err))
	}
}
