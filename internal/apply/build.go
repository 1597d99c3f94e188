package apply

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Work is one build: what it is told, and what it is made from.
type Work struct {
	kbuild.Job
	From kbuild.Fingerprint
}

// Builder makes the modules of a Work in its Scratch, and leaves what is to be
// published in the Result's Stage. What it prints it tells the job's Progress.
type Builder interface {
	Build(ctx context.Context, w Work) (kbuild.Result, error)
}

// build has the Builder work in a scratch directory and publishes the result.
func (a *Applier) build(ctx context.Context, s plan.Step, watch Observer) error {
	job, err := a.job(ctx, s.Ref)
	if err != nil {
		return err
	}
	depends, err := a.dependsOf(ctx, s, job.Recipe)
	if err != nil {
		return err
	}
	job.Depends = a.symversOf(depends, s.Ref.KernelID)
	made, err := a.machine.Fingerprint(ctx, s.Ref)
	if err != nil {
		return err
	}
	scratch, err := a.tree.NewScratch(s.Ref)
	if err != nil {
		return err
	}
	defer func() { _ = scratch.Close() }()
	job.Scratch, job.Build, job.Stage = scratch.Dir, scratch.Build, scratch.Stage
	job.Progress = func(line string) { watch.Line(s, line) }
	result, err := a.workshop.Build(ctx, Work{job, made})
	if err != nil {
		return a.keepFailed(s, scratch, err)
	}
	a.tell(s, Outcome{Phases: result.Phases, Retries: result.Retries, Cached: result.Cached})
	return a.publish(s, job.Recipe, made, depends, result)
}

// publish makes what a build has staged the state of its ref.
func (a *Applier) publish(s plan.Step, recipe kbuild.Recipe, made kbuild.Fingerprint, depends []dkms.Package, result kbuild.Result) error {
	for _, w := range result.Warnings {
		a.console.Warn(s.Ref.String() + ": " + w)
	}
	if recipe.RebuildOnDepends {
		if err := tree.WriteDepends(result.Stage, depends); err != nil {
			return err
		}
	}
	if err := a.tree.Publish(s.Ref, result.Stage, a.machine.Built(s.Ref, recipe, made)); err != nil {
		return err
	}
	if !result.Cached {
		a.times.Keep(s.Ref.Package, result.Spent)
	}
	return nil
}

// keepFailed keeps what a person needs to see why a build failed.
func (a *Applier) keepFailed(s plan.Step, scratch *tree.Scratch, err error) error {
	build, log := filepath.Join(scratch.Dir, "build"), filepath.Join(scratch.Dir, "make.log")
	kept := a.tree.KeepFailed(s.Ref, build, log)
	var failed *kbuild.BuildError
	if errors.As(err, &failed) {
		a.tell(s, Outcome{Phases: failed.Phases, Retries: failed.Retries})
		failed.Log = ""
		if kept == nil {
			failed.Log = a.tree.LogPath(s.Ref)
		}
	}
	return errors.Join(err, kept)
}

// job is everything that one build is told.
func (a *Applier) job(ctx context.Context, ref dkms.Ref) (kbuild.Job, error) {
	c, k, recipe, err := a.machine.Resolved(ctx, ref)
	if err != nil {
		return kbuild.Job{}, err
	}
	source, err := filepath.EvalSymlinks(c.Source)
	if err != nil {
		return kbuild.Job{}, &dkms.Error{Kind: dkms.ConfMissing, Object: c.Source, Problem: "cannot be reached", Err: err}
	}
	signer, err := a.keys.signer(k)
	if err != nil {
		return kbuild.Job{}, err
	}
	env, err := a.machine.BuildEnvironment(ctx, k.Release)
	if err != nil {
		return kbuild.Job{}, err
	}
	job := kbuild.Job{
		Recipe: recipe, Kernel: k, Source: source,
		Build: a.tree.BuildDir(c.Package), Stage: a.tree.RefDir(ref),
		EtcDir:   machine.EtcDir,
		Env:      env,
		Timeout:  a.machine.Framework.BuildTimeout,
		Signer:   signer,
		Compress: a.compression(),
		Verbose:  a.machine.Talkative(),
	}
	// Some packages build in /usr/src itself; there, too, they meet the copy.
	for _, alias := range []string{a.tree.Source(c.Package), a.tree.SourceLink(c.Package)} {
		if resolved, err := filepath.EvalSymlinks(alias); err == nil && resolved == source {
			job.SourceAliases = append(job.SourceAliases, source)
			break
		}
	}
	return job, nil
}

// dependsOf returns the packages that recipe is built against: those the step
// names, else the active version of each of BUILD_DEPENDS.
func (a *Applier) dependsOf(ctx context.Context, s plan.Step, recipe kbuild.Recipe) ([]dkms.Package, error) {
	if len(recipe.Depends) == 0 {
		return nil, nil
	}
	have, err := a.tree.Scan(ctx)
	if err != nil {
		return nil, err
	}
	var out []dkms.Package
	for _, name := range recipe.Depends {
		i := slices.IndexFunc(s.With, func(p dkms.Package) bool { return p.Name == name })
		if i >= 0 {
			out = append(out, s.With[i])
		} else if version, ok := have.Active(name, recipe.KernelID); ok {
			out = append(out, dkms.Package{Name: name, Version: version})
		}
	}
	return out, nil
}

// symversOf finds the exported symbols of what a build depends on.
func (a *Applier) symversOf(depends []dkms.Package, id dkms.KernelID) []kbuild.Depend {
	var out []kbuild.Depend
	for _, p := range depends {
		path := filepath.Join(a.tree.ModuleDir(dkms.Ref{Package: p, KernelID: id}), "Module.symvers")
		if system.Exists(path) {
			out = append(out, kbuild.Depend{Name: p.Name, Symvers: path})
		}
	}
	return out
}

func (a *Applier) compression() ko.CompressOptions {
	return ko.CompressOptions{
		Gzip: strings.Join(a.machine.Framework.CompressGzip, " "), Xz: strings.Join(a.machine.Framework.CompressXz, " "), Zstd: strings.Join(a.machine.Framework.CompressZstd, " "),
	}
}
