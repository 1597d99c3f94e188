package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/system"
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
		err = r.tree.AddRun(r.history.Began, append(text, '\n'))
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
			_ = r.tree.ForgetFailure(s.Ref)
		}
		return
	}
	if kindOf(err) == dkms.ProvidedByKernel {
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
			f.Fingerprint = r.inputsNow(s.Ref)
		}
	}
	if err := r.tree.RecordFailure(f); err != nil {
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

// patience is how long a build that has hung is not tried again: a day later the
// machine may be less busy.
const patience = 24 * time.Hour

// inputsNow is inputs for the tree as it is; empty where that cannot be told.
func (r *run) inputsNow(ref dkms.Ref) string {
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return ""
	}
	now, err := r.inputs(ref, have)
	if err != nil {
		return ""
	}
	return now
}

// inputs is what ref would be built from now: its fingerprint, and what is there
// of the packages that it depends on.
func (r *run) inputs(ref dkms.Ref, have tree.Snapshot) (string, error) {
	now, err := r.fingerprint(ref)
	if err != nil {
		return "", err
	}
	words := []string{now.String()}
	recipe, _ := r.recipes.get(ref)
	for _, name := range recipe.Depends {
		version, _ := have.Active(name, ref.KernelID)
		path := filepath.Join(r.tree.ModuleDir(dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: ref.KernelID}), "Module.symvers")
		sum, _ := system.Hash(path)
		words = append(words, name+"="+version+" "+sum)
	}
	return strings.Join(words, " "), nil
}

// failedBefore returns the failure of ref that another try would repeat.
func (r *run) failedBefore(ref dkms.Ref, have tree.Snapshot) (tree.Failure, bool) {
	f, ok := r.tree.Failure(ref)
	switch {
	case !ok || f.Fingerprint == "" || r.again:
		return f, false
	case f.Class == string(kbuild.Timeout) && time.Since(f.Last) > patience:
		return f, false
	}
	recipe, _ := r.recipes.get(ref)
	for _, p := range have.Newest() { // which may come in this very run
		if version, _ := have.Active(p.Name, ref.KernelID); slices.Contains(recipe.Depends, p.Name) && version != p.Version {
			return f, false
		}
	}
	now, err := r.inputs(ref, have)
	return f, err == nil && now == f.Fingerprint
}
