package kbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// Build builds what j describes, in a private copy of the source that stands
// at the canonical paths for as long as it takes, and leaves the result in
// Scratch/stage for the caller to publish. Nothing outside Scratch changes,
// unless the package's own scripts change it.
//
// The error is a *BuildError. Scratch/make.log and Scratch/build are there
// then for a person to look at.
func Build(ctx context.Context, j Job) (Result, error) {
	return build(ctx, j, system.WithView)
}

func build(ctx context.Context, j Job, view func([]system.Bind, func() error) error) (Result, error) {
	b := &builder{job: j, view: view, build: filepath.Join(j.Scratch, "build"), stage: filepath.Join(j.Scratch, "stage")}
	if err := b.run(ctx); err != nil {
		return Result{}, b.failed(err)
	}
	b.result.Stage = b.stage
	return b.result, nil
}

// builder is a build while it runs.
type builder struct {
	job    Job
	view   func([]system.Bind, func() error) error
	log    *buildLog
	env    []string
	build  string // Scratch/build, the copy of the source
	stage  string // Scratch/stage
	phase  string // the one that runs
	result Result
	probes *probe.Session // nil when compilers' answers are not remembered

	how     RetryHow  // of the try that runs; empty for the first
	widened bool      // it shares jobs, which DKMS would not have it do
	waited  time.Time // for a slot, until then

	inPlace bool      // no private view: directories are exchanged instead
	began   time.Time // of make, to tell its files from the source's
}

func (b *builder) run(ctx context.Context) error {
	if err := b.timed(PhaseCopy, b.prepare); err != nil {
		return err
	}
	defer b.log.file.Close()
	if w := b.toolchain().warning(); w != "" {
		b.warn(w)
	}
	if have := b.job.Kernel.HeaderRelease(); have != "" && have != b.job.Kernel.Release {
		b.warn(fmt.Sprintf("%s holds the headers of %s", b.job.Kernel.Source, have))
	}
	if err := b.produce(ctx); err != nil {
		return err
	}
	return b.timed(PhaseSync, b.finish)
}

// produce fills the stage: from the cache, or by compiling.
func (b *builder) produce(ctx context.Context) error {
	switch restored, err := b.restored(ctx); {
	case err != nil:
		return err
	case restored:
		return b.each(ctx, b.afterwards())
	}
	if err := b.timed(PhaseCopy, b.copySource); err != nil {
		return err
	}
	b.compilers(ctx)
	if err := b.tries(ctx); err != nil {
		return err
	}
	b.learn(ctx)
	return nil
}

func (b *builder) toolchain() toolchain { return b.job.Kernel.toolchain(pathFrom(os.Environ())) }

// A phase is a part of a build on its way.
type phase struct {
	name string
	run  func(context.Context) error
}

// phases are what happens while the copy stands at its canonical path.
func (b *builder) phases(ctx context.Context) error {
	return b.each(ctx, append([]phase{
		{PhasePatch, b.patch},
		{PhasePreBuild, b.preBuild},
		{PhaseMake, b.make},
		{PhaseVerify, b.collect},
		{PhaseStrip, b.strip},
		{PhaseKeep, b.keep},
	}, b.afterwards()...))
}

// afterwards is what happens to modules, wherever they are from.
func (b *builder) afterwards() []phase {
	return []phase{
		{PhaseSign, b.sign},
		{PhaseCompress, b.compress},
		{PhasePostBuild, b.postBuild},
	}
}

func (b *builder) each(ctx context.Context, phases []phase) error {
	for _, p := range phases {
		if err := b.timed(p.name, func() error { return p.run(ctx) }); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

func (b *builder) timed(phase string, fn func() error) error {
	b.phase = phase
	began := time.Now()
	err := fn()
	if b.waited.After(began) {
		began = b.waited // what waits, waits first
	}
	b.result.add(phase, began, time.Since(began))
	return err
}

func (b *builder) warn(text string) {
	b.result.Warnings = append(b.result.Warnings, text)
	b.log.note("warning: %s", text)
}

// prepare makes the directories, the log and the environment.
func (b *builder) prepare() (err error) {
	j := b.job
	if b.log, err = newBuildLog(filepath.Join(j.Scratch, "make.log"), j.Progress); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			b.log.note("error: %v", err)
			b.log.file.Close()
		}
	}()
	b.log.header(j)
	bin, temporary := filepath.Join(j.Scratch, "bin"), filepath.Join(j.Scratch, "tmp")
	for _, dir := range []string{bin, temporary} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := b.makeStage(); err != nil {
		return err
	}
	if err := writeShim(bin, j.Kernel.Release); err != nil {
		return err
	}
	b.env = environment(j, bin, temporary)
	if j.Verbose {
		b.log.note("environment:\n#   %s", strings.Join(b.env, "\n#   "))
	}
	return nil
}

// binds say where the copy and the stage stand.
func (b *builder) binds() []system.Bind {
	j := b.job
	binds := []system.Bind{{From: b.build, To: j.Build}, {From: b.stage, To: j.Stage}}
	for _, alias := range j.SourceAliases {
		covers := slices.ContainsFunc([]string{j.Scratch, j.Build, j.Stage, j.Kernel.Source}, func(dir string) bool { return inside(alias, dir) })
		if system.IsDir(alias) && !covers {
			binds = append(binds, system.Bind{From: b.build, To: alias})
		}
	}
	return binds
}

// inside reports whether path is dir or lies below it.
func inside(dir, path string) bool {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// held runs fn on a thread that lives as long, so that what it starts can
// follow us into death.
func (b *builder) held(fn func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return fn()
}

// exchanged has from and to stand at each other's path while fn runs: where
// there is no privilege for a mount, that is next best. A crash meanwhile
// leaves them so.
func (b *builder) exchanged(from, to string, fn func() error) error {
	if err := system.Exchange(from, to); err != nil {
		return err
	}
	err := fn()
	return errors.Join(err, system.Exchange(from, to))
}

// preBuild runs PRE_BUILD.
func (b *builder) preBuild(ctx context.Context) error {
	return b.script(ctx, "PRE_BUILD", b.job.Recipe.PreBuild)
}

// make runs the recipe's make command, which is a piece of shell.
func (b *builder) make(ctx context.Context) error {
	return b.inSlot(ctx, func() error {
		b.began = time.Now()
		return b.runMake(ctx)
	})
}

// postBuild runs POST_BUILD, which finds the modules at the canonical path and
// may write there.
func (b *builder) postBuild(ctx context.Context) error {
	if b.job.Recipe.PostBuild == "" {
		return nil
	}
	if err := b.storeLog(); err != nil {
		return err
	}
	run := func() error { return b.script(ctx, "POST_BUILD", b.job.Recipe.PostBuild) }
	if b.inPlace {
		return b.exchanged(b.stage, b.job.Stage, run)
	}
	return run()
}

// etcDir is /etc/dkms/NAME, or nothing.
func (b *builder) etcDir() string {
	if b.job.EtcDir == "" {
		return ""
	}
	return filepath.Join(b.job.EtcDir, b.job.Recipe.Name)
}

func (b *builder) script(ctx context.Context, kind, line string) error {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	return b.inSlot(ctx, func() error {
		b.log.note("%s: %s", kind, line)
		start := time.Now()
		err := RunScript(ctx, Script{
			Kind: kind, Line: line, Dir: b.job.Build, EtcDir: b.etcDir(),
			Env: b.env, Timeout: b.job.Timeout, Stdout: b.log, Warn: b.warn, Follow: true, Spent: &b.result.Spent,
		})
		b.log.end(start, err)
		return err
	})
}

// command runs c in the build directory, with the build's environment unless
// it has one, and logs it as title.
func (b *builder) command(ctx context.Context, title string, c system.Command) error {
	b.log.note("command: %s", strings.ReplaceAll(title, "\n", "\n#   "))
	if c.Env == nil {
		c.Env = b.env
	}
	c.Dir, c.Env = b.job.Build, within(c.Env, b.job.Build)
	c.Stdout, c.Stderr, c.Silence, c.Follow, c.Spent = b.log, b.log, b.job.Timeout, true, &b.result.Spent
	start := time.Now()
	err := system.Run(ctx, c)
	b.log.end(start, err)
	return err
}

// storeLog puts the log as it is now where it will be found.
func (b *builder) storeLog() error {
	to := filepath.Join(b.stage, "log", "make.log")
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return system.CopyFile(filepath.Join(b.job.Scratch, "make.log"), to, 0o644)
}

// finish completes the stage and makes it durable.
func (b *builder) finish() error {
	if err := os.MkdirAll(filepath.Join(b.stage, "log"), 0o755); err != nil { // POST_BUILD may have been at it
		return err
	}
	if err := b.storeLog(); err != nil {
		return err
	}
	for i := range b.result.Modules {
		m := &b.result.Modules[i]
		var err error
		if m.Hash, err = system.Hash(filepath.Join(b.stage, "module", m.File)); errors.Is(err, fs.ErrNotExist) {
			return &dkms.Error{Kind: dkms.ModuleNotProduced, Problem: "POST_BUILD took " + m.File + " away"}
		} else if err != nil {
			return err
		}
	}
	return system.SyncTree(b.stage)
}
