package hooks

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
)

// recordSchema is the version of a run's record. It rises when a field changes
// its meaning or goes; new fields do not raise it. docs/run-record.md describes
// it.
const recordSchema = 1

// runRecord is what a run leaves on disk about itself.
type runRecord struct {
	Schema   int       `json:"schema"`
	Event    string    `json:"event"` // "dpkg-triggered dkms-hook", "install"
	Version  string    `json:"version"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Outcomes []outcome `json:"outcomes"`
	Notes    []note    `json:"notes"`
}

// outcome is what became of one step.
type outcome struct {
	Package string  `json:"package"`
	Version string  `json:"version"`
	Release string  `json:"release,omitempty"`
	Arch    string  `json:"arch,omitempty"`
	Did     string  `json:"did"` // added, built, installed, uninstalled, unbuilt, removed, failed, not-tried
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
}

// note is something wanted that was not done.
type note struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"`
	Reason  string `json:"reason"`
	Text    string `json:"text"`
}

// recorder keeps the record of a run.
type recorder struct {
	apply.Deaf
	record runRecord
}

// Ended adds the end of a step.
func (r *recorder) Ended(s plan.Step, o apply.Outcome) {
	did := s.Verb.Past()
	if did == "" || o.Status == sched.Canceled || o.Provided {
		return
	}
	out := outcome{Package: s.Ref.Name, Version: s.Ref.Version, Release: s.Ref.Release, Arch: s.Ref.Arch, Did: did, Seconds: o.Duration().Seconds()}
	switch o.Status {
	case sched.Failed:
		out.Did, out.Error = "failed", o.Err.Error()
	case sched.Blocked:
		out.Did, out.Error = "not-tried", o.Err.Error()
	}
	r.record.Outcomes = append(r.record.Outcomes, out)
}

// leave adds what a plan leaves undone.
func (r *recorder) leave(p plan.Plan) {
	for _, n := range p.Notes {
		if n.Reason != plan.UpToDate {
			r.record.Notes = append(r.record.Notes, note{n.Ref.Name, n.Ref.Version, n.Ref.Release, string(n.Reason), n.Text})
		}
	}
}

// keepRecord writes the run's record, if there is something to tell. That it
// cannot be written is no reason to fail.
func (r *run) keepRecord() {
	record := r.recorder.record
	if len(record.Outcomes) == 0 {
		return
	}
	record.Schema, record.Version = recordSchema, r.Version
	record.Event = strings.Join(append([]string{r.call.Action}, r.call.Operands...), " ")
	record.Ended = time.Now()
	text, err := json.MarshalIndent(record, "", "  ")
	if err == nil {
		err = r.machine.Tree.AddRun(record.Began, append(text, '\n'))
	}
	if err != nil {
		r.console.Warn(fmt.Sprintf("the record of this run could not be kept: %v", err))
	}
}
