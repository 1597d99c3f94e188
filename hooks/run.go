package hooks

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/jobserver"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/operand"
	"github.com/dkms-hook/dkms-hook/internal/registry"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/want"
)

// run is one call while it is carried out.
type run struct {
	Engine
	ctx     context.Context
	call    call.Call
	machine *machine.Machine
	limits  func() jobserver.Machine // of the machine that it runs on, whatever --root says

	// declarative is set for actions that compare what is with what should be,
	// and mend or show every difference.
	declarative bool
	event       string // which event this is; empty for an action
	writing     bool   // the lock is ours
	// callerMakesInitramfs is set where whoever called us makes the initial
	// RAM file system next.
	callerMakesInitramfs bool

	result  io.Writer // what was asked for; nothing with -q, but for status
	console *report.Console

	finder    *operand.Finder
	maker     *want.Maker
	registry  *registry.Registry
	keys      *apply.Keys
	applier   *apply.Applier
	observers []apply.Observer // of what it applies, beside the screen and the record
	recorder  recorder
	tracer    *tracer // nil: nobody wants a trace
}

func newRun(ctx context.Context, e Engine, c call.Call, declarative bool, limits func() jobserver.Machine) (*run, error) {
	console := Console(e.Stderr, c.Quiet)
	r := &run{
		Engine: e, ctx: ctx, call: c, limits: limits,
		declarative: declarative,
		event:       c.Event(),
		result:      e.Stdout,
		console:     &console,
	}
	if c.Quiet {
		r.result = io.Discard
	}
	var err error
	if r.machine, err = machine.Open(ctx, r.options(), r.console); err != nil {
		return nil, err
	}
	r.machine.ForceVersion = c.ForceVersion
	r.finder = operand.New(&r.call, r.machine, r.console)
	r.maker = want.New(r.machine, r.console, want.Options{
		Force: c.Force, Declarative: declarative, Tolerant: r.tolerant(),
		Named: func() bool { return len(r.call.Kernels) > 0 || r.call.AllKernels },
	})
	r.registry = registry.New(r.machine, r.console, c.Root != "")
	r.keys = apply.NewKeys(r.machine, r.console)
	r.applier = apply.New(r.machine, r.keys, r.console, r.applyOptions())
	r.recorder.run.Began = time.Now()
	return r, nil
}

// options are what the call says of the machine.
func (r *run) options() machine.Options {
	c := r.call
	return machine.Options{
		DKMSTree: c.DKMSTree, SourceTree: c.SourceTree, InstallTree: c.InstallTree,
		KernelSource: c.KernelSource, KernelConfig: c.KernelConfig, ConfFile: c.ConfFile, Directives: c.Directives,
		Jobs: c.Jobs, Verbose: c.Verbose || c.Debug,
		Declarative: r.declarative, Unattended: r.event != "",
	}
}

// applyOptions say how the call has steps carried out.
func (r *run) applyOptions() apply.Options {
	o := apply.Options{
		Open: r.compilers().Open, Kernel: r.firstKernel,
		Collective: r.call.Collective(), Symlink: r.call.SymlinkModules, Modprobe: r.call.ModprobeOnInstall,
	}
	if r.event == "" {
		o.Result = r.result
	}
	return o
}

func (r *run) compilers() apply.Compilers {
	c := apply.Compilers{
		Asked: r.machine.Asked(), Limits: r.limits, Cache: r.machine.Framework.CompilerCache,
		Modules: sync.OnceValue(r.usableModules), Anew: r.call.Force, Console: r.console,
		Places: []string{r.machine.Tree.Dir, r.machine.Tree.SourceDir},
		Decided: func(jobs int, why string) {
			r.recorder.run.Jobs, r.recorder.run.JobsWhy = jobs, why
			if r.machine.Talkative() {
				r.console.Notice(why)
			}
		},
	}
	if r.machine.Framework.ProbeMemory {
		c.Probes = r.machine.Tree.ProbesDir()
	}
	return c
}

// firstKernel is the first that the call is about.
func (r *run) firstKernel() (id dkms.KernelID, ok bool) {
	ids, err := r.call.Targets()
	if err != nil {
		return id, false
	}
	return ids[0], true
}

// change calls fn under the lock, with the tree as it is then.
func (r *run) change(fn func(have tree.Snapshot) error) error {
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	have, err := r.scan()
	if err != nil {
		return err
	}
	return fn(have)
}

// scan is the tree as it is now.
func (r *run) scan() (tree.Snapshot, error) {
	defer r.part("scan")()
	return r.machine.Tree.Scan(r.ctx)
}

// begin opens a writing run: the tree is there and writable, the lock is ours,
// and what a crash left is swept up. The returned function ends it.
func (r *run) begin() (end func(), err error) {
	if err := r.machine.Tree.Writable(); err != nil {
		return nil, err
	}
	unlock, err := r.lock()
	if err != nil {
		return nil, err
	}
	r.writing = true
	end = func() {
		r.keepRecord()
		r.writing = false
		unlock()
	}
	swept := r.part("sweep")
	err = r.applier.Sweep(r.ctx)
	swept()
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// lock takes the lock of the tree, telling whom it waits for.
func (r *run) lock() (unlock func(), err error) {
	defer r.part("lock")()
	lock, err := r.machine.Tree.Lock(r.ctx, func(pid int) {
		who := "another process"
		if pid > 0 {
			who = fmt.Sprintf("pid %d", pid)
		}
		r.console.Notice(fmt.Sprintf("waiting for %s, which is changing %s", who, r.machine.Tree.Dir))
	})
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil
}

// keepDigests saves what has been read, so that it need not be read again. That
// this fails costs time only.
func (r *run) keepDigests() {
	if r.writing {
		_ = r.machine.Digests.Save()
	}
}

// Console is how messages go to w: in colour on a terminal, unless NO_COLOR is
// set.
func Console(w io.Writer, quiet bool) report.Console {
	return report.Console{W: w, Colour: report.Colours(w), Quiet: quiet}
}
