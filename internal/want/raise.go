package want

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Raise makes the target that c shall come as far as goal for kernel id. What
// stands in the way is not an error here but the target's note, and its fault
// if it should become this call's status; an invalid dkms.conf is an error.
func (m *Maker) Raise(ctx context.Context, c *machine.Candidate, id dkms.KernelID, goal dkms.State, why string) (plan.Target, error) {
	ref := dkms.Ref{Package: c.Package, KernelID: id}
	t := plan.Target{Ref: ref, Goal: goal, Why: why, Force: m.o.Force}
	k, err := m.machine.Kernel(id)
	if err != nil {
		return t, err
	}
	recipe, err := m.machine.Recipe(ctx, c, k)
	switch kind := dkms.KindOf(err); {
	case err == nil:
	case kind == dkms.Excluded:
		m.stop(&t, plan.ExcludedByRule, err)
		return t, nil
	default:
		return t, err
	}
	t.Depends, t.DependsRebuild = recipe.Depends, recipe.RebuildOnDepends
	if err := k.RequireHeaders(); err != nil {
		m.stop(&t, plan.PendingHeaders, m.unasked(err))
	}
	return t, nil
}

// unasked makes of "kernel X has no headers" what a person needs to know who
// left -k out: that X was not their choice but the running kernel.
func (m *Maker) unasked(err error) error {
	var e *dkms.Error
	if m.o.Named() || !errors.As(err, &e) {
		return err
	}
	release, _, uerr := system.Uname()
	if uerr != nil {
		return err
	}
	own := *e
	own.Object = "running kernel " + release
	own.Problem = "has no headers in " + m.machine.Tree.InstallDir
	releases, rerr := kbuild.Releases(m.machine.Tree.InstallDir)
	if rerr == nil && len(releases) > 0 && !slices.Contains(releases, release) {
		own.Problem += "; kernels there: " + strings.Join(releases, ", ")
		own.Hint = "name one: -k " + releases[len(releases)-1]
	}
	return &own
}

// stop notes why a target cannot be reached.
func (m *Maker) stop(t *plan.Target, reason plan.Reason, err error) {
	t.NotReady = &plan.Note{Ref: t.Ref, Reason: reason, Text: problemText(err)}
	m.Faults[t.Ref] = err
}

// problemText is the problem without its object, which a note has already.
func problemText(err error) string {
	var e *dkms.Error
	if errors.As(err, &e) && e.Problem != "" && e.Kind != dkms.HeadersMissing {
		return e.Problem
	}
	return err.Error()
}
