package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// doAdd registers the package of s and runs its POST_ADD; if that fails, it is
// as if nothing had been added.
func (r *run) doAdd(ctx context.Context, s plan.Step) error {
	c := r.packages[s.Ref.Package]
	from := c.source
	if c.bring != nil {
		dir, err := c.bring()
		if err != nil {
			return err
		}
		c.source = dir
	}
	err := r.tree.Register(c.Package, c.source)
	if err == nil {
		// People and their notes know this line and the one below.
		fmt.Fprintf(r.result, "Creating symlink %s -> %s\n", r.tree.SourceLink(c.Package), c.source)
		if err = r.postAdd(ctx, c); err != nil {
			err = errors.Join(err, r.tree.Unregister(c.Package))
		}
	}
	if err != nil {
		if c.bring != nil {
			err = errors.Join(err, os.RemoveAll(c.source))
			c.source = from
		}
		return err
	}
	c.registered, c.bring = true, nil
	fmt.Fprintln(r.result, "DKMS: add completed.")
	return nil
}

// postAdd runs the POST_ADD of any kernel that the dkms.conf was read for.
func (r *run) postAdd(ctx context.Context, c *candidate) error {
	for ref, recipe := range r.recipes {
		if ref.Package == c.Package {
			return r.script(ctx, c, dkms.Ref{Package: ref.Package}, "POST_ADD", recipe.PostAdd)
		}
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
	scratch, err := r.tree.NewScratch(s.Ref)
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
	if err := recordDepends(job.Recipe, depends, result.Stage); err != nil {
		return err
	}
	r.mu.Lock()
	for _, p := range result.Phases {
		r.phases = append(r.phases, report.Phase{Of: s.Ref.String(), Name: p.Name, Duration: p.Duration})
	}
	r.mu.Unlock()
	return r.tree.Publish(s.Ref, result.Stage, r.builtOf(s.Ref, job.Recipe))
}

// keepFailed keeps what a person needs to see why a build failed.
func (r *run) keepFailed(ref dkms.Ref, scratch *tree.Scratch, err error) error {
	build, log := filepath.Join(scratch.Dir, "build"), filepath.Join(scratch.Dir, "make.log")
	if kerr := r.tree.KeepFailed(ref, build, log); kerr != nil {
		return errors.Join(err, kerr)
	}
	var failed *kbuild.BuildError
	if errors.As(err, &failed) {
		failed.Log = r.tree.LogPath(ref)
	}
	return err
}

// builtOf is what the tree remembers of a build.
func (r *run) builtOf(ref dkms.Ref, recipe kbuild.Recipe) tree.Built {
	b := tree.Built{Modules: r.modulesOf(recipe)}
	if c, ok := r.packages[ref.Package]; ok {
		// The directory too: its time tells of overrides that come or go.
		overrides, _ := filepath.Glob(filepath.Join(etcDir, c.Name+"*.conf"))
		b.ConfFiles = append([]string{c.confFile, etcDir}, overrides...)
	}
	return b
}

// doInstall copies the modules to where the kernel looks for them.
func (r *run) doInstall(ctx context.Context, s plan.Step) error {
	c, k, recipe, err := r.resolved(s.Ref)
	if err != nil {
		return err
	}
	if err := k.RequireModuleDir(); err != nil {
		return err
	}
	if err := r.script(ctx, c, s.Ref, "PRE_INSTALL", recipe.PreInstall); err != nil {
		return &dkms.Error{Kind: dkms.ScriptRefused, Object: s.Ref.String(), Problem: "PRE_INSTALL refused", Err: err}
	}
	placements, err := r.placements(s, k, recipe)
	if err != nil {
		return err
	}
	change, err := r.tree.Install(s.Ref, placements, tree.InstallOptions{Symlink: r.call.SymlinkModules || r.framework.SymlinkModules})
	if err != nil {
		return err
	}
	r.touched(s.Ref.KernelID, change)
	if err := r.script(ctx, c, s.Ref, "POST_INSTALL", recipe.PostInstall); err != nil {
		r.console.Warn(err.Error()) // the module is there: not a reason to take it away
	}
	return nil
}

// changes are what this run has changed for a kernel and not taken back.
func (r *run) changes(id dkms.KernelID) []*tree.Transaction {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed[id]
}

func (r *run) touched(id dkms.KernelID, change *tree.Transaction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed[id] = append(r.changed[id], change)
}

// doUninstall removes exactly what was installed.
func (r *run) doUninstall(ctx context.Context, s plan.Step) error {
	// A dkms.conf that no longer works must not keep anybody from removing
	// the package: it is asked only for its POST_REMOVE and, where dkms
	// installed the modules, for where it would have put them.
	c, k, recipe, bad := r.resolved(s.Ref)
	var known []tree.Placement
	if bad == nil {
		known = r.usualPlacements(k, recipe)
	}
	change, err := r.tree.Uninstall(s.Ref, known)
	if err != nil {
		return err
	}
	r.touched(s.Ref.KernelID, change)
	if bad != nil {
		return nil
	}
	if err := r.script(ctx, c, s.Ref, "POST_REMOVE", recipe.PostRemove); err != nil {
		r.console.Warn(err.Error())
	}
	return nil
}

func (r *run) doRemove(s plan.Step) error { return r.tree.Unregister(s.Ref.Package) }

// doDepmod refreshes the kernel's module index once, which makes this run's
// changes for the kernel final; if it fails, they are taken back.
func (r *run) doDepmod(ctx context.Context, s plan.Step) error {
	if len(r.changes(s.Ref.KernelID)) == 0 {
		return nil
	}
	k, err := r.kernel(s.Ref.KernelID)
	if err != nil {
		return err
	}
	if err := kbuild.Depmod(ctx, k); err != nil {
		return r.takeBack(s.Ref.KernelID, err)
	}
	if err := r.commit(s.Ref.KernelID); err != nil {
		return r.takeBack(s.Ref.KernelID, err)
	}
	if err := r.tree.DepmodDone(k.Release); err != nil {
		return err
	}
	r.weakModules(ctx, k)
	r.modprobe(ctx, s.Ref.KernelID)
	return nil
}

// takeBack undoes this run's changes for a kernel because of cause.
func (r *run) takeBack(id dkms.KernelID, cause error) error {
	var errs []error
	for _, change := range slices.Backward(r.changes(id)) {
		errs = append(errs, change.Undo())
	}
	if err := errors.Join(append(errs, r.tree.DepmodDone(id.Release))...); err != nil {
		cause = errors.Join(cause, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.changed, id)
	for ref, o := range r.did {
		if ref.KernelID == id {
			o.Did, o.Err = "", cause
			r.did[ref] = o
		}
	}
	return &dkms.Error{Kind: dkms.NothingInstalled, Object: id.String(), Problem: "what was changed has been taken back", Err: cause}
}

// commit makes this run's changes for a kernel final.
func (r *run) commit(id dkms.KernelID) error {
	var errs []error
	for _, change := range r.changes(id) {
		errs = append(errs, change.Commit())
	}
	return errors.Join(errs...)
}

// script runs one of a dkms.conf's scripts in the source directory. An
// executable of the script's kind in /etc/dkms/NAME wins.
func (r *run) script(ctx context.Context, c *candidate, ref dkms.Ref, kind, line string) error {
	return kbuild.RunScript(ctx, kbuild.Script{
		Kind: kind, Line: line, Ref: ref, Dir: c.source, EtcDir: filepath.Join(etcDir, c.Name),
		Stdout: r.console.W, Warn: r.console.Warn,
	})
}

// doPostTransaction runs framework.conf's post_transaction.
func (r *run) doPostTransaction(ctx context.Context) error {
	if len(r.changed) == 0 {
		return nil
	}
	for id := range r.changed {
		command := r.framework.For(id.Release).PostTransaction
		err := system.Run(ctx, system.Command{Args: []string{"/bin/sh", "-c", command}, Stdout: r.console.W, Stderr: r.console.W, Env: childEnv()})
		if err != nil {
			r.console.Warn(fmt.Sprintf("post_transaction %q: %v", command, err))
		}
	}
	return nil
}

func childEnv() []string {
	return append(os.Environ(), "PATH="+strings.TrimSpace(system.SafePath))
}
