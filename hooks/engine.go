package hooks

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/jobserver"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Engine is the program's connection to whoever called it.
type Engine struct {
	Stdout, Stderr io.Writer
	Version        string // our own version, recorded in manifests and logs
}

// Do carries out one call. The error says what went wrong and, by
// report.ExitStatus, with which status to end.
func (e Engine) Do(ctx context.Context, c call.Call) (err error) {
	action, ok := find(c.Action)
	if !ok {
		return &dkms.Error{Kind: dkms.Usage, Object: c.Action, Problem: "unknown action"}
	}
	if err := action.check(c); err != nil {
		return err
	}
	// Children must read the same whatever the person's settings, and files
	// must come out with the same modes whatever the umask.
	system.Umask(0o022)
	limits := sync.OnceValue(func() jobserver.Machine { return jobserver.ReadMachine("/") })
	if c.Root != "" {
		limits() // in there may be no /proc
		if err := enterRoot(c.Root); err != nil {
			return err
		}
	}
	t, err := newTracer(c)
	if err != nil {
		return err
	}
	if t != nil {
		defer func() { t.write(e, c.Quiet, err) }()
	}
	return e.carryOut(ctx, action, c, limits, t)
}

// carryOut does what has been found to make sense, where it is to be done.
func (e Engine) carryOut(ctx context.Context, action Action, c call.Call, limits func() jobserver.Machine, t *tracer) error {
	opened := t.part("open")
	r, err := newRun(ctx, e, c, action.declarative && !c.Compatible, limits)
	opened()
	if err != nil {
		return err
	}
	r.tracedBy(t)
	if r.declarative {
		// Whoever calls, and from wherever: the same compiler, or what one has
		// built would be stale for the other.
		if err := os.Setenv("PATH", system.SafePath); err != nil {
			return err
		}
	}
	return action.run(r)
}

func enterRoot(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &dkms.Error{Kind: dkms.SourceMissing, Object: "--root " + dir, Problem: "is not a directory"}
	}
	if err := system.EnterRoot(dir); err != nil {
		return &dkms.Error{Kind: dkms.NotAllowed, Object: "--root " + dir, Problem: "cannot become the root directory", Err: err,
			Hint: "run as root"}
	}
	return nil
}
