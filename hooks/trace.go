package hooks

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/trace"
)

// tracer records what runs when, for --trace: on a lane of its own what the
// program itself is at, and the steps on a lane for each slot. A nil one records
// nothing.
type tracer struct {
	apply.Deaf
	path, title string
	spans       *trace.Recorder
	whole       *trace.Span
	at          *trace.Span                 // what the program is at; parts of it nest
	steps       map[plan.StepID]*trace.Span // those that run
}

// newTracer returns what the call asks for: nil, or a tracer whose file can be
// written.
func newTracer(c call.Call) (*tracer, error) {
	if c.Trace == "" {
		return nil, nil //nolint:nilnil // a nil tracer is one that does nothing
	}
	if !isStdout(c.Trace) {
		if err := system.CheckOutput(c.Trace); err != nil {
			return nil, notWritten("--trace "+c.Trace, err)
		}
	}
	title := strings.Join(append([]string{"dkms-hook", c.Action}, c.Operands...), " ")
	t := &tracer{path: c.Trace, title: title, spans: trace.New(time.Now), steps: map[plan.StepID]*trace.Span{}}
	t.whole = t.spans.Start("dkms-hook", "run", title, nil)
	t.at = t.whole
	return t, nil
}

// part begins a part of what the program itself does, which ends with end.
func (t *tracer) part(name string) (end func()) {
	if t == nil {
		return func() {}
	}
	outer, span := t.at, t.at.Start("part", name, nil)
	t.at = span
	return func() {
		span.End(nil)
		t.at = outer
	}
}

// tracedBy has t, which may be nil, record what r does.
func (r *run) tracedBy(t *tracer) {
	if t != nil {
		r.tracer, r.observers = t, append(r.observers, t)
	}
}

// part is the tracer's.
func (r *run) part(name string) (end func()) { return r.tracer.part(name) }

// Started begins a step.
func (t *tracer) Started(s plan.Step) {
	t.steps[s.ID()] = t.spans.Start("slot", string(s.Verb), string(s.ID()), trace.Args{"why": s.Why})
}

// Ended ends a step, with its phases in it. One that did not run is a moment.
func (t *tracer) Ended(s plan.Step, o apply.Outcome) {
	args := trace.Args{"status": o.Status.String()}
	if o.Err != nil {
		args["error"] = o.Err.Error()
	}
	if o.Status == sched.Blocked || o.Status == sched.Canceled {
		args["why"] = s.Why
		t.spans.Instant(string(s.ID()), args)
		return
	}
	if o.Idle {
		args["idle"] = true
	}
	if o.Cached {
		args["from"] = "cache"
	}
	if again := tries(o.Retries); again != "" {
		args["retried"] = again
	}
	span := t.steps[s.ID()]
	delete(t.steps, s.ID())
	for _, p := range o.Phases {
		span.Part("phase", p.Name, p.Began, p.Began.Add(p.Duration), nil)
	}
	span.End(args)
}

// write writes the trace of a run that has ended with failure, or nil. That it
// cannot be written is no reason to fail.
func (t *tracer) write(e Engine, quiet bool, failure error) {
	if err := t.written(e, failure); err != nil {
		Console(e.Stderr, quiet).Warn(notWritten("--trace "+t.path, err).Error())
	}
}

func (t *tracer) written(e Engine, failure error) error {
	args := trace.Args{"version": e.Version}
	if failure != nil {
		args["error"] = failure.Error()
	}
	t.whole.End(args)
	var text bytes.Buffer
	if err := t.spans.Write(&text, t.title); err != nil {
		return err
	}
	return e.output(t.path, text.Bytes())
}

// output writes text to the file that a person has named.
func (e Engine) output(path string, text []byte) error {
	if isStdout(path) {
		_, err := e.Stdout.Write(text)
		return err
	}
	return system.WriteOutput(path, text)
}

// isStdout reports whether path means standard output, which may be a socket, or a
// file that others write to as well.
func isStdout(path string) bool { return path == "-" || path == "/dev/stdout" }

// notWritten is the error of a file that cannot be written.
func notWritten(object string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &dkms.Error{Kind: dkms.NotAllowed, Object: object, Problem: "cannot be written", Err: err}
}
