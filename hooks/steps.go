package hooks

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// doAdd registers the package of s and runs its POST_ADD; if that fails, it is
// as if nothing had been added.
func (r *run) doAdd(ctx context.Context, s plan.Step) error {
	c := r.machine.Candidate(s.Ref.Package, r.machine.Tree.SourceLink(s.Ref.Package), false)
	if c.Bring == nil {
		return r.enter(ctx, c)
	}
	from := c.Source
	brought, err := c.Bring()
	if err != nil {
		return err
	}
	c.Source = brought.Place
	if err := r.enter(ctx, c); err != nil {
		c.Source = from
		return errors.Join(err, brought.Undo())
	}
	c.Bring = nil
	return brought.Keep()
}

// enter makes c a package of the tree.
func (r *run) enter(ctx context.Context, c *machine.Candidate) error {
	if err := r.machine.Tree.Register(c.Package, c.Source); err != nil {
		return err
	}
	if err := r.sayAdded(ctx, c); err != nil {
		return errors.Join(err, r.machine.Tree.Unregister(c.Package))
	}
	c.Registered = true
	return nil
}

// sayAdded prints what people and their notes know of add, and runs POST_ADD in
// between, for the first kernel of the call.
func (r *run) sayAdded(ctx context.Context, c *machine.Candidate) error {
	if r.event == "" {
		fmt.Fprintf(r.result, "Creating symlink %s -> %s\n", r.machine.Tree.SourceLink(c.Package), c.Source)
	}
	ref := dkms.Ref{Package: c.Package}
	if ids, err := r.call.targets(); err == nil {
		ref.KernelID = ids[0]
	}
	if err := r.script(ctx, c, ref, "POST_ADD", c.PostAdd); err != nil {
		return err
	}
	if r.event == "" {
		fmt.Fprintln(r.result, "DKMS: add completed.")
	}
	return nil
}

// doBuild compiles in a scratch directory and publishes the result.
func (r *run) doBuild(ctx context.Context, s plan.Step, line func(string)) error {
	job, err := r.job(ctx, s.Ref)
	if err != nil {
		return err
	}
	depends, err := r.dependsOf(s, job.Recipe)
	if err != nil {
		return err
	}
	job.Depends = r.symversOf(depends, s.Ref.KernelID)
	made, err := r.machine.Fingerprint(r.ctx, s.Ref)
	if err != nil {
		return err
	}
	scratch, err := r.machine.Tree.NewScratch(s.Ref)
	if err != nil {
		return err
	}
	defer func() { _ = scratch.Close() }()
	job.Scratch, job.Build, job.Stage, job.Progress = scratch.Dir, scratch.Build, scratch.Stage, line
	result, err := kbuild.Build(ctx, job)
	if err != nil {
		return r.keepFailed(s.Ref, scratch, err)
	}
	for _, w := range result.Warnings {
		r.console.Warn(s.Ref.String() + ": " + w)
	}
	if job.Recipe.RebuildOnDepends {
		if err := tree.WriteDepends(result.Stage, depends); err != nil {
			return err
		}
	}
	r.mu.Lock()
	for _, p := range result.Phases {
		r.phases = append(r.phases, report.Phase{Of: s.Ref.String(), Name: p.Name, Duration: p.Duration})
	}
	r.mu.Unlock()
	return r.machine.Tree.Publish(s.Ref, result.Stage, r.machine.Built(s.Ref, job.Recipe, made))
}

// keepFailed keeps what a person needs to see why a build failed.
func (r *run) keepFailed(ref dkms.Ref, scratch *tree.Scratch, err error) error {
	build, log := filepath.Join(scratch.Dir, "build"), filepath.Join(scratch.Dir, "make.log")
	kept := r.machine.Tree.KeepFailed(ref, build, log)
	var failed *kbuild.BuildError
	if errors.As(err, &failed) {
		failed.Log = ""
		if kept == nil {
			failed.Log = r.machine.Tree.LogPath(ref)
		}
	}
	return errors.Join(err, kept)
}

func (r *run) doRemove(s plan.Step) error { return r.machine.Tree.Unregister(s.Ref.Package) }

// script runs one of a dkms.conf's scripts in the source directory. An
// executable of the script's kind in /etc/dkms/NAME wins.
func (r *run) script(ctx context.Context, c *machine.Candidate, ref dkms.Ref, kind, line string) error {
	dir := c.Source
	if link := r.machine.Tree.SourceLink(c.Package); system.IsDir(link) {
		dir = link // scripts find the tree from where they are
	}
	return kbuild.RunScript(ctx, kbuild.Script{
		Kind: kind, Line: line, Ref: ref, Dir: dir, EtcDir: filepath.Join(machine.EtcDir, c.Name),
		Env:    kbuild.ScriptEnvironment(ref),
		Stdout: r.console.W, Warn: r.console.Warn,
	})
}

// doPostTransaction runs framework.conf's post_transaction.
func (r *run) doPostTransaction(ctx context.Context) error {
	if len(r.changed) == 0 {
		return nil
	}
	for id := range r.changed {
		command := r.machine.Framework.For(id.Release).PostTransaction
		err := system.Run(ctx, system.Command{Args: []string{"/bin/sh", "-c", command}, Stdout: r.console.W, Stderr: r.console.W})
		if err != nil {
			r.console.Warn(fmt.Sprintf("post_transaction %q: %v", command, err))
		}
	}
	return nil
}
