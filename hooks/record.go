package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// recorder keeps the record of a run.
type recorder struct {
	apply.Deaf
	run record.Run
}

// Ended adds the end of a step.
func (r *recorder) Ended(s plan.Step, o apply.Outcome) {
	switch {
	case o.Provided, o.Idle:
	case o.Status == sched.Canceled && s.Verb.Past() == "":
	case s.Verb.Past() == "":
		k := record.KernelStep{Release: s.Ref.Release, Arch: s.Ref.Arch, Step: string(s.Verb), Began: o.Started, Seconds: o.Duration().Seconds()}
		if o.Err != nil {
			k.Error = oneLine(o.Err)
		}
		r.run.Kernels = append(r.run.Kernels, k)
		if dkms.KindOf(o.Err) == dkms.NothingInstalled {
			r.takenBack(s.Ref.KernelID, k.Error)
		}
	default:
		r.run.Outcomes = append(r.run.Outcomes, recorded(s, o))
	}
}

// takenBack has what was installed for a kernel have failed, because its depmod
// did.
func (r *recorder) takenBack(id dkms.KernelID, why string) {
	for i, o := range r.run.Outcomes {
		if o.Did == record.Installed && o.Ref().KernelID == id {
			r.run.Outcomes[i].Did, r.run.Outcomes[i].Error = record.Failed, why
		}
	}
}

// recorded is the end of a step on a package, for the record.
func recorded(s plan.Step, o apply.Outcome) record.Outcome {
	out := record.Outcome{
		Package: s.Ref.Name, Version: s.Ref.Version, Release: s.Ref.Release, Arch: s.Ref.Arch,
		Did: record.Did(s.Verb.Past()), Step: string(s.Verb), Why: s.Why, Began: o.Started, Seconds: o.Duration().Seconds(),
	}
	for _, p := range o.Phases {
		out.Phases = append(out.Phases, record.Phase{Name: p.Name, After: p.Began.Sub(o.Started).Seconds(), Seconds: p.Duration.Seconds()})
	}
	if o.Cached {
		out.From = "cache"
	}
	out.Retried = tries(o.Retries)
	switch {
	case o.Status == sched.Done:
	case interrupted(o.Err):
		out.Did, out.Class, out.Error = record.NotTried, string(record.Interrupted), "the run was interrupted"
		if o.Status == sched.Failed {
			out.Did = record.Interrupted
		}
	case o.Status == sched.Failed:
		out.Did = record.Failed
		explain(&out, o.Err)
	default:
		out.Did, out.Error = record.NotTried, oneLine(o.Err)
	}
	return out
}

// explain has out say what is known of the failure err.
func explain(out *record.Outcome, err error) {
	out.Error = oneLine(err)
	var e *dkms.Error
	if errors.As(err, &e) {
		out.Hint, out.Log = e.Hint, e.Log
	}
	var failed *kbuild.BuildError
	if errors.As(err, &failed) {
		out.Class, out.First = string(failed.Class), failed.First
	}
}

// tries says why a build was tried more than once; empty: it was not.
func tries(all []kbuild.Retry) string {
	words := make([]string, 0, len(all))
	for _, r := range all {
		words = append(words, r.String())
	}
	return strings.Join(words, "; ")
}

// oneLine is err without line ends.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(c rune) bool { return c == '\n' }), "; ")
}

// leave adds what a plan leaves undone.
func (r *recorder) leave(p plan.Plan) {
	for _, n := range p.Notes {
		if n.Reason != plan.UpToDate {
			r.run.Notes = append(r.run.Notes, record.Note{
				Package: n.Ref.Name, Version: n.Ref.Version, Release: n.Ref.Release, Reason: string(n.Reason), Text: n.Text,
			})
		}
	}
}

// keepRecord writes the run's record, if there is something to tell. That it
// cannot be written is no reason to fail.
func (r *run) keepRecord() {
	defer r.part("record")()
	ended := r.recorder.run
	if len(ended.Outcomes) == 0 {
		return
	}
	ended.Version, ended.Ended, ended.Interrupted = r.Version, time.Now(), r.ctx.Err() != nil
	ended.Event = r.said()
	r.noteWhatStays(ended.Outcomes)
	text, err := ended.Encode()
	if err == nil {
		err = r.machine.Tree.AddRun(ended.Began, text)
	}
	if err != nil {
		r.console.Warn(fmt.Sprintf("the record of this run could not be kept: %v", err))
	}
}

// said is the action and its operands.
func (r *run) said() string {
	return strings.Join(append([]string{r.call.Action}, r.call.Operands...), " ")
}

// noteWhatStays has what failed say which version stays in place.
func (r *run) noteWhatStays(outcomes []record.Outcome) {
	if !slices.ContainsFunc(outcomes, func(o record.Outcome) bool { return o.Did == record.Failed }) {
		return
	}
	have, err := r.machine.Tree.Scan(context.WithoutCancel(r.ctx))
	if err != nil {
		return
	}
	for i, o := range outcomes {
		if o.Did == record.Failed && o.Release != "" {
			outcomes[i].Still = stays(have, o.Ref())
		}
	}
}

// stays says which version of a package stays installed although ref has failed;
// empty: none.
func stays(have tree.Snapshot, ref dkms.Ref) string {
	version, ok := have.Active(ref.Name, ref.KernelID)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s is still installed", dkms.Package{Name: ref.Name, Version: version})
}
