package apply

import (
	"context"
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/cache"
	"github.com/dkms-hook/dkms-hook/internal/jobserver"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// A Workshop is where the builds of one plan are done, with all that they share.
type Workshop interface {
	Builder
	// Slots is how many steps may be under way at a time.
	Slots() int
	// Views reports whether builds of one package, for several kernels, may be
	// under way at a time, since each has a private view of its directories.
	Views() bool
	// Close is called when no build is under way any more.
	Close()
}

// Compilers say how workshops compile.
type Compilers struct {
	Asked  int                      // -j or parallel_jobs: 0 for no limit, less where nobody said anything
	Limits func() jobserver.Machine // what the machine has; asked when something is to be built
	Probes string                   // where is kept what compilers have answered; empty: nowhere
	Cache  string                   // a program such as ccache that goes before the compilers; empty: none
	// Modules keeps what was built; it is asked for when something is to be built.
	// nil, or one that returns nil: nothing is kept.
	Modules func() *cache.Store
	// Anew has modules built although they are kept.
	Anew bool
	// Places are directories below which builds have theirs bound over others.
	Places []string
	// Decided is told how many jobs there are, and why.
	Decided func(jobs int, why string)
	Console *report.Console
}

// Open returns a Workshop whose makes share one number of jobs. Where no
// jobserver can be had, each has as many of its own, and one builds at a time.
func (c Compilers) Open(ctx context.Context) Workshop {
	n, why := jobserver.Jobs(c.Asked, c.Limits())
	c.Decided(n, why)
	if err := system.RaiseFileLimit(); err != nil {
		c.Console.Warn(err.Error())
	}
	w := &compilers{console: c.Console, cache: c.Cache, anew: c.Anew, slots: 1}
	if c.Modules != nil {
		w.modules = c.Modules()
	}
	if c.Probes != "" {
		w.probes = probe.New(c.Probes)
	}
	// By the environment's PATH, as builds find it.
	version, err := system.Output(ctx, system.Command{Args: []string{"make", "--version"}})
	if err != nil {
		return w // builds say that make is missing
	}
	if w.jobs, err = jobserver.New(n, jobserver.StyleOf(string(version))); err != nil {
		c.Console.Warn(fmt.Sprintf("builds do not share their jobs: %v", err))
		return w
	}
	if n > 1 {
		w.slots = n + 1 // one copies, strips or signs while the others' compilers run
		w.views = c.views()
	}
	return w
}

// views reports whether builds get views. It is asked once for all of them: what
// is built in place would disturb others of its package that are not.
func (c Compilers) views() bool {
	var binds []system.Bind
	for _, dir := range c.Places {
		if system.IsDir(dir) {
			binds = append(binds, system.Bind{From: dir, To: dir})
		}
	}
	return system.WithView(binds, func() error { return nil }) == nil
}

// compilers is the Workshop of Compilers.
type compilers struct {
	console *report.Console
	jobs    *jobserver.Server // nil: none
	probes  *probe.Memory
	cache   string
	modules *cache.Store // nil: none
	anew    bool
	slots   int
	views   bool
}

// Build has kbuild build it.
func (c *compilers) Build(ctx context.Context, w Work) (kbuild.Result, error) {
	w.Probes, w.CompilerCache, w.ViewOnly = c.probes, c.cache, c.views
	if c.jobs != nil { // a nil one in the interface is not nil
		w.Jobserver = c.jobs
	}
	if c.modules != nil {
		var err error
		if w.Cache, err = cachedFor(c.modules, w, c.anew); err != nil {
			return kbuild.Result{}, err
		}
	}
	return kbuild.Build(ctx, w.Job)
}

// Slots is one more than the jobs: one step copies, strips or signs while the
// others' compilers run.
func (c *compilers) Slots() int { return c.slots }

// Views is Workshop's. With one slot nobody has asked.
func (c *compilers) Views() bool { return c.views }

// Close ends the jobserver.
func (c *compilers) Close() {
	if c.jobs == nil {
		return
	}
	if err := c.jobs.Close(); err != nil {
		c.console.Warn(err.Error())
	}
}
