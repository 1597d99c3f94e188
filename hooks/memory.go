package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
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

// past is what a verb has done when it is done.
var past = map[plan.Verb]string{
	plan.Add: "added", plan.Build: "built", plan.Install: "installed",
	plan.Uninstall: "uninstalled", plan.Unbuild: "unbuilt", plan.Remove: "removed",
}

// keepOutcome adds the end of a step to the run's record. The caller holds mu.
func (r *run) keepOutcome(s plan.Step, o sched.Outcome[plan.StepID]) {
	did, worth := past[s.Verb]
	if !worth || o.Status == sched.Canceled || s.Verb == plan.Install && r.provided[s.Ref] {
		return
	}
	out := outcome{Package: s.Ref.Name, Version: s.Ref.Version, Release: s.Ref.Release, Arch: s.Ref.Arch, Did: did, Seconds: o.Duration().Seconds()}
	switch o.Status {
	case sched.Failed:
		out.Did, out.Error = "failed", o.Err.Error()
	case sched.Blocked:
		out.Did, out.Error = "not-tried", o.Err.Error()
	}
	r.history.Outcomes = append(r.history.Outcomes, out)
}

// keepNotes adds what a plan leaves undone.
func (r *run) keepNotes(p plan.Plan) {
	for _, n := range p.Notes {
		if n.Reason != plan.UpToDate {
			r.history.Notes = append(r.history.Notes, note{n.Ref.Name, n.Ref.Version, n.Ref.Release, string(n.Reason), n.Text})
		}
	}
}

// keepHistory writes the run's record, if there is something to tell. That it
// cannot be written is no reason to fail.
func (r *run) keepHistory() {
	if len(r.history.Outcomes) == 0 {
		return
	}
	r.history.Schema, r.history.Version = recordSchema, r.Version
	r.history.Event = strings.Join(append([]string{r.call.Action}, r.call.Operands...), " ")
	r.history.Ended = time.Now()
	text, err := json.MarshalIndent(r.history, "", "  ")
	if err == nil {
		err = r.machine.Tree.AddRun(r.history.Began, append(text, '\n'))
	}
	if err != nil {
		r.console.Warn(fmt.Sprintf("the record of this run could not be kept: %v", err))
	}
}

// remember keeps, or forgets, that a step has failed: what is shown until it
// succeeds, and not tried again until what it was made from changes.
func (r *run) remember(s plan.Step, err error) {
	if s.Verb != plan.Build && s.Verb != plan.Install || r.ctx.Err() != nil {
		return
	}
	if err == nil {
		if s.Verb == plan.Install {
			_ = r.machine.Tree.ForgetFailure(s.Ref)
		}
		return
	}
	if dkms.KindOf(err) == dkms.ProvidedByKernel {
		return // a refusal, for good reason, of what somebody asked for
	}
	f := tree.Failure{Ref: s.Ref, Step: string(s.Verb), Problem: err.Error(), Last: time.Now(), Began: time.Now(), Count: 1}
	var e *dkms.Error
	if errors.As(err, &e) {
		f.Problem, f.Hint, f.Log = e.Problem, e.Hint, e.Log
	}
	var failed *kbuild.BuildError
	if errors.As(err, &failed) {
		f.Class, f.First, f.Log, f.Problem = string(failed.Class), failed.First, failed.Log, failed.Problem()
		if lasting(failed) {
			f.Fingerprint = r.machine.InputsNow(r.ctx, s.Ref)
		}
	}
	if err := r.machine.Tree.RecordFailure(f); err != nil {
		r.console.Warn(fmt.Sprintf("%s: the failure could not be recorded: %v", s.Ref, err))
	}
}

// lasting reports whether a build would fail again from the same inputs: not
// for want of memory, disk, a program or a library's header, which are no part of
// them.
func lasting(e *kbuild.BuildError) bool {
	switch e.Class {
	case kbuild.OutOfMemory, kbuild.DiskFull, kbuild.Interrupted, kbuild.MissingTool:
		return false
	case kbuild.MissingHeader:
		return kernelHeader.MatchString(e.First)
	}
	switch e.Phase {
	case kbuild.PhasePatch, kbuild.PhaseMake, kbuild.PhaseVerify:
		return true
	}
	return false
}

// kernelHeader matches a missing header that no package could bring: those of
// the kernel lie in directories, as linux/genhd.h.
var kernelHeader = regexp.MustCompile(`: (\w[\w.-]*/[\w./-]+): No such file`)
