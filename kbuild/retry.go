package kbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Retry is a try that failed and was followed by another.
type Retry struct {
	How RetryHow // how the next one built
	Why string   // what became of this one, in one line
}

// RetryHow is a way to build once more.
type RetryHow string

// The ways. They are recorded as they are.
const (
	// RetrySerial is with one job at a time, after a build failed that shared
	// the jobs though with DKMS it would have had one.
	RetrySerial RetryHow = "serial"
	// RetryAlone is with one job and nothing else beside it, after a build ran
	// out of memory.
	RetryAlone RetryHow = "alone"
)

// String says what happened.
func (r Retry) String() string {
	how := map[RetryHow]string{
		RetrySerial: "built once more with one job at a time, because it failed with several",
		RetryAlone:  "built once more alone with one job, because it ran out of memory",
	}
	return how[r.How] + ": " + r.Why
}

// advice is for those who maintain the package, when the next try did better.
func (r Retry) advice() string {
	if r.How == RetrySerial {
		return "; MAKE of dkms.conf may quote 'make' to say so"
	}
	return ""
}

// tries tries to build until it is clear how that ends.
func (b *builder) tries(ctx context.Context) error {
	warnings := len(b.result.Warnings)
	for {
		kills, _ := system.OOMKills()
		err := b.try(ctx)
		if err == nil {
			for _, r := range b.result.Retries {
				b.warn(r.String() + r.advice())
			}
			return nil
		}
		retry, ok := b.again(ctx, err, kills)
		if !ok {
			return err
		}
		b.log.note("%s", retry)
		b.result.Retries = append(b.result.Retries, retry)
		b.result.Warnings = b.result.Warnings[:warnings]
		b.how = retry.How
		if err := b.timed(PhaseCopy, b.renew); err != nil {
			return err
		}
	}
}

// try has the copy stand at its canonical path, and builds.
func (b *builder) try(ctx context.Context) error {
	if b.how == RetryAlone {
		release, err := b.wait(ctx, b.job.Jobserver.Alone)
		if err != nil {
			return err
		}
		defer release()
	}
	err := b.view(b.binds(), func() error { return b.phases(ctx) })
	if !errors.Is(err, system.ErrNoView) {
		return err
	}
	if b.job.ViewOnly {
		return &dkms.Error{Problem: "cannot be built beside others of its package", Hint: "-j 1 has one build at a time", Err: err}
	}
	b.inPlace = true
	b.log.note("no private mount namespace: building in place")
	return b.held(func() error {
		return b.exchanged(b.build, b.job.Build, func() error { return b.phases(ctx) })
	})
}

// again decides whether what ended with err is tried once more, and how. kills
// is how many processes the kernel had killed for want of memory before. Each
// way is tried once, and serial before alone only.
func (b *builder) again(ctx context.Context, err error, kills int) (Retry, bool) {
	if b.job.Jobserver == nil || ctx.Err() != nil || b.phase != PhaseMake && b.phase != PhaseVerify {
		return Retry{}, false
	}
	failed := b.failed(err)
	now, _ := system.OOMKills()
	killed := now > kills && failed.Class == Unclear
	switch {
	case failed.Class == Timeout, failed.Class == Interrupted, failed.Class == DiskFull, b.how == RetryAlone:
	case failed.Class == OutOfMemory, killed:
		why := cmp.Or(failed.First, failed.Problem())
		if now > kills {
			why += fmt.Sprintf(" (the kernel killed %d)", now-kills)
		}
		return Retry{How: RetryAlone, Why: why}, true
	case b.widened && b.how == "":
		return Retry{How: RetrySerial, Why: failed.Problem()}, true
	}
	return Retry{}, false
}

// renew makes a clean copy and an empty stage for another try. The log goes on.
func (b *builder) renew() error {
	b.log.section()
	b.result.Modules, b.result.Spent = nil, 0
	if err := errors.Join(os.RemoveAll(b.build), os.RemoveAll(b.stage)); err != nil {
		return err
	}
	if err := b.makeStage(); err != nil {
		return err
	}
	return b.copySource()
}

// makeStage makes the empty directories of the stage.
func (b *builder) makeStage() error {
	for _, dir := range []string{b.stage, filepath.Join(b.stage, "module"), filepath.Join(b.stage, "log")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// copySource makes the private copy.
func (b *builder) copySource() error {
	source, err := filepath.EvalSymlinks(b.job.Source) // a link itself would be copied as one
	if err != nil {
		return err
	}
	return system.CopyTree(source, b.build)
}
