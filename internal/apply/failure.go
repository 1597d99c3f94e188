package apply

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// remember keeps, or forgets, that a step has failed: what is shown until it
// succeeds, and not tried again until what it was made from changes.
func (a *Applier) remember(ctx context.Context, s plan.Step, err error) {
	if s.Verb != plan.Build && s.Verb != plan.Install || ctx.Err() != nil {
		return
	}
	if err == nil {
		if s.Verb == plan.Install {
			_ = a.tree.ForgetFailure(s.Ref)
		}
		return
	}
	if dkms.KindOf(err) == dkms.ProvidedByKernel {
		return // a refusal, for good reason, of what somebody asked for
	}
	problem := strings.ReplaceAll(report.Bare(s.Ref, err.Error()), "\n", "; ")
	f := tree.Failure{Ref: s.Ref, Step: string(s.Verb), Problem: problem, Last: time.Now(), Began: time.Now(), Count: 1}
	var e *dkms.Error
	if errors.As(err, &e) {
		f.Hint, f.Log = e.Hint, e.Log
	}
	var failed *kbuild.BuildError
	if errors.As(err, &failed) {
		f.Class, f.First, f.Log, f.Problem = string(failed.Class), failed.First, failed.Log, failed.Problem()
		if lasting(failed) {
			f.Fingerprint = a.machine.InputsNow(ctx, s.Ref)
		}
	}
	if err := a.tree.RecordFailure(f); err != nil {
		a.console.Warn(err.Error())
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
