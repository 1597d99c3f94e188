package kbuild

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Jobserver is a number of jobs that several builds share.
type Jobserver interface {
	// Acquire waits for a slot: one command that runs one job at a time, or
	// one make, which gets more by what Share returns.
	Acquire(ctx context.Context) (release func(), err error)
	// Alone waits until no slot is held by anybody, and keeps it so.
	Alone(ctx context.Context) (release func(), err error)
	// Share returns what MAKEFLAGS has to hold for a make that shares the
	// jobs, and the files it inherits as descriptors 3 and so on, which the
	// caller closes. No flags: there is nothing to share.
	Share() (flags string, files []*os.File, err error)
}

// inSlot runs fn, which runs one command of the package, when there is a slot
// for it. How long that took is no part of the phase.
func (b *builder) inSlot(ctx context.Context, fn func() error) error {
	if b.job.Jobserver == nil || b.how == RetryAlone {
		return fn()
	}
	release, err := b.wait(ctx, b.job.Jobserver.Acquire)
	if err != nil {
		return err
	}
	defer release()
	return fn()
}

// wait waits for what acquire waits for, as a phase of its own.
func (b *builder) wait(ctx context.Context, acquire func(context.Context) (func(), error)) (release func(), err error) {
	began := time.Now()
	release, err = acquire(ctx)
	b.waited = time.Now()
	b.result.add(PhaseWait, began, b.waited.Sub(began))
	return release, err
}

// runMake runs the recipe's make command. The first try shares the jobs, unless
// the package does not want it; the others run one at a time.
func (b *builder) runMake(ctx context.Context) error {
	c := system.Command{Args: []string{shell(b.env), "-c", b.job.Recipe.Make}}
	if b.job.Jobserver == nil {
		return b.command(ctx, b.job.Recipe.Make, c)
	}
	use := useOfJobs(b.job.Recipe.Make)
	c.Args[2] = use.command
	switch {
	case b.how != "":
	case use.serial:
		b.log.note("jobs: one, as the package wants it")
	default:
		flags, files, err := b.job.Jobserver.Share()
		if err != nil {
			return err
		}
		defer func() {
			for _, f := range files {
				f.Close()
			}
		}()
		if flags != "" {
			b.log.note("jobs: shared with the other builds")
			c.Files, c.Env = files, withMakeFlags(b.env, flags)
			b.widened = use.widened
		}
	}
	return b.command(ctx, use.command, c)
}

// withMakeFlags returns env with flags in MAKEFLAGS. What build_environment
// put there stays, but for a number of jobs.
func withMakeFlags(env []string, flags string) []string {
	const name = "MAKEFLAGS="
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, name); ok {
			flags = strings.TrimRight(withoutJobs(value), " ") + " " + flags
		}
	}
	return unique(append(env[:len(env):len(env)], name+flags))
}
