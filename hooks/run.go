package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// etcDir holds framework.conf and what an administrator overrides.
const etcDir = "/etc/dkms"

// run is one call while it is carried out.
type run struct {
	Engine
	ctx       context.Context
	call      Call
	framework conf.Framework
	tree      tree.Tree
	chroot    bool // decided before any private namespace is made

	// declarative is set for actions that compare what is with what should be,
	// and mend or show every difference.
	declarative bool
	writing     bool   // the lock is ours
	event       string // which event this is; empty for an action
	only        string // the name of the one package that it is about; empty: all
	again       bool   // what has failed is tried whatever is remembered of it
	// callerMakesInitramfs is set where whoever called us makes the initial
	// RAM file system next.
	callerMakesInitramfs bool

	fingerprinter *kbuild.Fingerprinter
	fingerprints  memo[dkms.Ref, kbuild.Fingerprint]
	digests       *tree.Digests

	result  io.Writer // what was asked for; nothing with -q, but for status
	console report.Console

	loaded bool               // a package came from an archive during the run
	faults map[dkms.Ref]error // what stands behind a target that is not ready

	kernels memo[dkms.KernelID, kbuild.Kernel]
	recipes memo[dkms.Ref, kbuild.Recipe]

	reading  sync.Mutex // held while a dkms.conf is evaluated; guards packages
	packages map[dkms.Package]*candidate

	keys sync.Mutex // held while the signing key is looked for, or made

	mu       sync.Mutex                // guards what follows
	changed  map[dkms.KernelID]touched // kernels whose modules this run has changed
	provided map[dkms.Ref]bool         // not installed because the kernel has as good a module
	did      map[dkms.Ref]report.Outcome
	phases   []report.Phase
	history  runRecord
}

func newRun(ctx context.Context, e Engine, c Call) (*run, error) {
	framework, problems, err := conf.LoadFramework(ctx, etcDir)
	if err != nil {
		return nil, err
	}
	r := &run{
		Engine: e, ctx: ctx, call: c, framework: framework,
		chroot:  system.InChroot(),
		result:  e.Stdout,
		console: Console(e.Stderr, c.Quiet),

		packages: map[dkms.Package]*candidate{},
		faults:   map[dkms.Ref]error{},
		changed:  map[dkms.KernelID]touched{},
		provided: map[dkms.Ref]bool{},
		did:      map[dkms.Ref]report.Outcome{},
	}
	for _, p := range problems {
		r.console.Warn(p.String())
	}
	if c.Quiet {
		r.result = io.Discard
	}
	r.tree = tree.Tree{
		Dir:        or(c.DKMSTree, framework.DKMSTree),
		SourceDir:  or(c.SourceTree, framework.SourceTree),
		InstallDir: or(c.InstallTree, framework.InstallTree),
	}
	r.digests = r.tree.Digests()
	r.fingerprinter = &kbuild.Fingerprinter{Digests: r.digests}
	r.history.Began = time.Now()
	return r, nil
}

func or(given, otherwise string) string {
	if given != "" {
		return given
	}
	return otherwise
}

// change calls fn under the lock, with the tree as it is then.
func (r *run) change(fn func(have tree.Snapshot) error) error {
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	return fn(have)
}

// begin opens a writing run: the tree is there and writable, the lock is ours,
// and what a crash left is swept up. The returned function ends it.
func (r *run) begin() (end func(), err error) {
	if err := r.writable(); err != nil {
		return nil, err
	}
	unlock, err := r.lock()
	if err != nil {
		return nil, err
	}
	r.writing = true
	end = func() {
		r.keepHistory()
		r.writing = false
		unlock()
	}
	if err := r.sweep(); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// lock takes the lock of the tree, telling whom it waits for.
func (r *run) lock() (unlock func(), err error) {
	lock, err := r.tree.Lock(r.ctx, func(pid int) {
		who := "another process"
		if pid > 0 {
			who = fmt.Sprintf("pid %d", pid)
		}
		r.console.Notice(fmt.Sprintf("waiting for %s, which is changing %s", who, r.tree.Dir))
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
		_ = r.digests.Save()
	}
}

// sweep clears away what a killed run left, and runs the depmod it still owed.
func (r *run) sweep() error {
	swept, err := r.tree.Sweep(r.ctx)
	for _, note := range swept.Notes {
		r.console.Notice(note)
	}
	if err != nil {
		return err
	}
	arch, err := kbuild.HostArch()
	if err != nil {
		return err
	}
	for _, release := range swept.Depmod {
		k, err := r.kernel(dkms.KernelID{Release: release, Arch: arch})
		if err == nil {
			err = kbuild.Depmod(r.ctx, k)
		}
		if err != nil {
			r.console.Warn(err.Error())
			continue
		}
		if err := r.tree.DepmodDone(release); err != nil {
			return err
		}
	}
	return nil
}

// writable refuses early and in one voice what would fail half-way.
func (r *run) writable() error {
	err := os.MkdirAll(r.tree.Dir, 0o755)
	if err == nil {
		err = syscall.Access(r.tree.Dir, 2 /* W_OK */)
	}
	if err == nil {
		return nil
	}
	hint := "run as root"
	if errors.Is(err, syscall.EROFS) {
		hint = "the file system is read-only"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &dkms.Error{Kind: dkms.NotAllowed, Object: r.tree.Dir, Problem: "cannot be written", Err: err, Hint: hint}
}

// kernel returns what is known of id, read once.
func (r *run) kernel(id dkms.KernelID) (kbuild.Kernel, error) {
	if k, ok := r.kernels.get(id); ok {
		return k, nil
	}
	k, err := kbuild.OpenKernel(kbuild.KernelOptions{
		ID: id, InstallTree: r.tree.InstallDir, SourceDir: r.call.KernelSource, ConfigFile: r.call.KernelConfig,
	})
	if err != nil {
		return kbuild.Kernel{}, err
	}
	r.kernels.put(id, k)
	return k, nil
}

// Console is how messages go to w: in colour on a terminal, unless NO_COLOR is
// set.
func Console(w io.Writer, quiet bool) report.Console {
	return report.Console{W: w, Colour: report.Colours(w), Quiet: quiet}
}
