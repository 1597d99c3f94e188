package kbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// BuildError is a build that failed, as a person needs it. It reads
// "NAME/VER for RELEASE: does not compile (kernel API change): a.c:3: message".
//
// errors.As finds a *dkms.Error in it that says the same, with the Kind of the
// cause and with Log as it is at that moment.
type BuildError struct {
	Ref   dkms.Ref
	Phase string // one of the Phase constants
	Class Class  // what kind of failure, as far as one can tell
	First string // first error of the log: "file:line: message"; may be empty
	Log   string // path of the log; the caller moves it and says so here
	Hint  string // what to do next, besides reading the log; may be empty
	Err   error  // the cause
	// Retries are the tries that failed before the last one, which this is of.
	Retries []Retry
	Phases  []Phase // as a Result's, to the one that failed
}

// Error returns one line without the path of the log.
func (e *BuildError) Error() string { return e.object() + ": " + e.Problem() }

func (e *BuildError) object() string { return fmt.Sprintf("%s for %s", e.Ref.Package, e.Ref.Release) }

// Problem returns what Error does, without the name of the package.
func (e *BuildError) Problem() string {
	if e.Phase != PhaseMake && e.Class != DiskFull {
		return e.Err.Error()
	}
	text := e.Class.verdict()
	if e.First != "" {
		return text + ": " + e.First
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *BuildError) Unwrap() error { return e.Err }

// As gives errors.As the whole failure as a *dkms.Error.
func (e *BuildError) As(target any) bool {
	out, ok := target.(**dkms.Error)
	if !ok {
		return false
	}
	whole := &dkms.Error{Object: e.object(), Problem: e.Problem(), Hint: e.Hint}
	var cause *dkms.Error
	if errors.As(e.Err, &cause) {
		whole.Kind, whole.Status = cause.Kind, cause.Status
	}
	whole.Log = e.Log
	*out = whole
	return true
}

// failed makes the BuildError of what run returned.
func (b *builder) failed(err error) *BuildError {
	e := &BuildError{Ref: b.job.Recipe.Ref, Phase: b.phase, Log: b.logPath(), Err: err, Retries: b.result.Retries, Phases: b.result.Phases}
	var known *dkms.Error
	if errors.As(err, &known) {
		e.Hint = known.Hint
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Class = Interrupted
	case errors.Is(err, system.ErrSilent):
		e.Class = Timeout
		e.Err = fmt.Errorf("nothing printed for %s (build_timeout)", b.job.Timeout)
		if known != nil { // a script's
			e.Err = err
		}
	case isFull(err):
		e.Class = DiskFull
	case b.phase != PhaseMake && system.Full(b.job.Scratch): // whatever else it says
		e.Class, e.Hint = DiskFull, DiskFull.hint()
	case known != nil && known.Kind == dkms.ModuleNotProduced && b.phase == PhaseVerify:
		e.Class = OtherModules
	case b.phase == PhaseMake:
		b.diagnose(e)
	}
	if e.Hint == "" {
		e.Hint = e.Class.hint()
	}
	if b.phase == PhaseMake && e.Class != Interrupted {
		e.Err = &dkms.Error{Kind: dkms.MakeFailed, Problem: "make failed", Err: e.Err, Hint: e.Hint}
	}
	return e
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// diagnose reads the log of a make that failed.
func (b *builder) diagnose(e *BuildError) {
	text, err := os.ReadFile(b.logPath())
	if err == nil {
		e.First, e.Class = Diagnose(string(text[min(b.log.from, len(text)):]), b.job.Build)
	}
	switch {
	case e.Class != Unclear:
	case b.log.full:
		e.Class, e.First = DiskFull, "there was no room for all of the log"
	case system.Full(b.job.Scratch): // not every program says what it failed of
		e.Class = DiskFull
	}
	var exit *system.ExitError
	if e.First == "" && errors.As(e.Err, &exit) && exit.Status == 128+int(syscall.SIGKILL) {
		e.Class = OutOfMemory // nobody else kills a make
	}
	if errors.Is(e.Err, exec.ErrNotFound) {
		e.Class = MissingTool
	}
	unexplained := e.Class == Unclear || e.Class == MissingTool || e.Class == WrongCompiler
	if t := b.toolchain(); len(t.Missing) > 0 && unexplained {
		e.Class, e.Hint = WrongCompiler, t.hint()
		if e.First == "" {
			e.First = t.warning()
		}
	}
}

func (b *builder) logPath() string { return b.job.Scratch + "/make.log" }
