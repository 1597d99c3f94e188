package apply

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// add registers the package of s and runs its POST_ADD; if that fails, it is
// as if nothing had been added.
func (a *Applier) add(ctx context.Context, s plan.Step) error {
	c := a.machine.Candidate(s.Ref.Package, a.tree.SourceLink(s.Ref.Package), false)
	if c.Bring == nil {
		return a.enter(ctx, c)
	}
	from := c.Source
	brought, err := c.Bring()
	if err != nil {
		return err
	}
	c.Source = brought.Place
	if err := a.enter(ctx, c); err != nil {
		c.Source = from
		return errors.Join(err, brought.Undo())
	}
	c.Bring = nil
	return brought.Keep()
}

// enter makes c a package of the tree.
func (a *Applier) enter(ctx context.Context, c *machine.Candidate) error {
	if err := a.tree.Register(c.Package, c.Source); err != nil {
		return err
	}
	if err := a.Added(ctx, c); err != nil {
		return errors.Join(err, a.tree.Unregister(c.Package))
	}
	c.Registered = true
	return nil
}

// Added prints what people and their notes know of add, and runs POST_ADD in
// between, for the first kernel of the call.
func (a *Applier) Added(ctx context.Context, c *machine.Candidate) error {
	if a.o.Result != nil {
		fmt.Fprintf(a.o.Result, "Creating symlink %s -> %s\n", a.tree.SourceLink(c.Package), c.Source)
	}
	ref := dkms.Ref{Package: c.Package}
	if id, ok := a.o.Kernel(); ok {
		ref.KernelID = id
	}
	if err := a.script(ctx, c, ref, "POST_ADD", c.PostAdd); err != nil {
		return err
	}
	if a.o.Result != nil {
		fmt.Fprintln(a.o.Result, "DKMS: add completed.")
	}
	return nil
}

// script runs one of a dkms.conf's scripts in the source directory. An
// executable of the script's kind in /etc/dkms/NAME wins.
func (a *Applier) script(ctx context.Context, c *machine.Candidate, ref dkms.Ref, kind, line string) error {
	dir := c.Source
	if link := a.tree.SourceLink(c.Package); system.IsDir(link) {
		dir = link // scripts find the tree from where they are
	}
	return kbuild.RunScript(ctx, kbuild.Script{
		Kind: kind, Line: line, Ref: ref, Dir: dir, EtcDir: filepath.Join(machine.EtcDir, c.Name),
		Env:    kbuild.ScriptEnvironment(ref),
		Stdout: a.console.W, Warn: a.console.Warn,
	})
}

// postTransaction runs framework.conf's post_transaction.
func (a *Applier) postTransaction(ctx context.Context, s plan.Step) error {
	if len(a.changed) == 0 {
		return a.idle(s)
	}
	for id := range a.changed {
		command := a.machine.Framework.For(id.Release).PostTransaction
		err := system.Run(ctx, system.Command{Args: []string{"/bin/sh", "-c", command}, Stdout: a.console.W, Stderr: a.console.W})
		if err != nil {
			a.console.Warn(fmt.Sprintf("post_transaction %q: %v", command, err))
		}
	}
	return nil
}
