package hooks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// raise makes the target that c shall come as far as goal for kernel id. What
// stands in the way is not an error here but the target's note, and its fault
// if it should become this call's status; an invalid dkms.conf is an error.
func (r *run) raise(c *machine.Candidate, id dkms.KernelID, goal dkms.State, why string) (plan.Target, error) {
	ref := dkms.Ref{Package: c.Package, KernelID: id}
	t := plan.Target{Ref: ref, Goal: goal, Why: why, Force: r.call.Force}
	k, err := r.machine.Kernel(id)
	if err != nil {
		return t, err
	}
	recipe, err := r.machine.Recipe(r.ctx, c, k)
	switch kind := dkms.KindOf(err); {
	case err == nil:
	case kind == dkms.Excluded:
		r.stop(&t, plan.ExcludedByRule, err)
		return t, nil
	default:
		return t, err
	}
	t.Depends, t.DependsRebuild = recipe.Depends, recipe.RebuildOnDepends
	if err := k.RequireHeaders(); err != nil {
		r.stop(&t, plan.PendingHeaders, r.unasked(err))
	}
	return t, nil
}

// unasked makes of "kernel X has no headers" what a person needs to know who
// left -k out: that X was not their choice but the running kernel.
func (r *run) unasked(err error) error {
	var e *dkms.Error
	if len(r.call.Kernels) > 0 || r.call.AllKernels || !errors.As(err, &e) {
		return err
	}
	release, _, uerr := system.Uname()
	if uerr != nil {
		return err
	}
	own := *e
	own.Object = "running kernel " + release
	own.Problem = "has no headers in " + r.machine.Tree.InstallDir
	releases, rerr := kbuild.Releases(r.machine.Tree.InstallDir)
	if rerr == nil && len(releases) > 0 && !slices.Contains(releases, release) {
		own.Problem += "; kernels there: " + strings.Join(releases, ", ")
		own.Hint = "name one: -k " + releases[len(releases)-1]
	}
	return &own
}

// stop notes why a target cannot be reached.
func (r *run) stop(t *plan.Target, reason plan.Reason, err error) {
	t.NotReady = &plan.Note{Ref: t.Ref, Reason: reason, Text: problemText(err)}
	r.faults[t.Ref] = err
}

// problemText is the problem without its object, which a note has already.
func problemText(err error) string {
	var e *dkms.Error
	if errors.As(err, &e) && e.Problem != "" && e.Kind != dkms.HeadersMissing {
		return e.Problem
	}
	return err.Error()
}

// requireDepends is for what a person asks for by name: each of BUILD_DEPENDS
// must be installed on that kernel already, or --force be given.
func (r *run) requireDepends(t *plan.Target, have tree.Snapshot) {
	depends := t.Depends
	t.Depends = nil
	if t.NotReady != nil || have.Ref(t.Ref).State >= dkms.Built && !t.Force {
		return
	}
	var missing []string
	for _, name := range depends {
		if _, ok := have.Active(name, t.Ref.KernelID); !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	err := &dkms.Error{Kind: dkms.DependsMissing, Object: t.Ref.String(),
		Problem: fmt.Sprintf("needs %s installed for %s first (BUILD_DEPENDS)", strings.Join(missing, ", "), t.Ref.Release),
		Hint:    "install that first, or give --force"}
	if t.Force {
		r.console.Warn(err.Error())
		return
	}
	r.stop(t, plan.MissingDepends, err)
}

// dependents adds to want what must be rebuilt because it was built with
// another version of what want installs (BUILD_DEPENDS_REBUILD).
func (r *run) dependents(want *plan.Want, have tree.Snapshot) {
	installs := map[string][]dkms.KernelID{}
	for _, t := range want.Targets {
		if t.Goal == dkms.Installed && t.NotReady == nil {
			installs[t.Ref.Name] = append(installs[t.Ref.Name], t.Ref.KernelID)
		}
	}
	for _, s := range have.Refs() {
		if s.State != dkms.Installed || wanted(*want, s.Ref) {
			continue
		}
		c, ok := r.registered(have, s.Ref.Package)
		if !ok {
			continue
		}
		for name := range r.machine.Tree.BuiltWith(s.Ref) {
			if !slices.Contains(installs[name], s.Ref.KernelID) {
				continue
			}
			c.SetAside()
			t, err := r.raise(c, s.Ref.KernelID, dkms.Installed, "it was built with another "+name)
			t.Force = false // that was said of another
			if err != nil {
				r.console.Warn(err.Error())
				continue
			}
			delete(r.faults, t.Ref) // not what was asked for
			want.Targets = append(want.Targets, t)
			break
		}
	}
}

func wanted(want plan.Want, ref dkms.Ref) bool {
	return slices.ContainsFunc(want.Targets, func(t plan.Target) bool { return t.Ref == ref })
}

// haveOf tells the plan what is there, the finer points only of the kernels that
// want is about.
func (r *run) haveOf(s tree.Snapshot, want plan.Want) plan.Have {
	about := map[dkms.KernelID]bool{}
	for _, t := range want.Targets {
		about[t.Ref.KernelID] = true // the zero one: a package, for all kernels
	}
	var have plan.Have
	for _, p := range s.Packages {
		hp := plan.HavePackage{Package: p.Package}
		if p.State == dkms.Broken {
			hp.Broken = p.Problem
		}
		have.Packages = append(have.Packages, hp)
		for _, ref := range p.Refs {
			h := plan.HaveRef{Ref: ref.Ref, State: ref.State}
			if about[ref.KernelID] {
				h.Stale, h.BuiltWith = r.machine.Staleness(r.ctx, ref.Ref), r.machine.Tree.BuiltWith(ref.Ref)
			}
			// Both are set only where Compare has been asked.
			if ref.Missing && h.Stale == "" {
				h.Stale = "a module that was built is missing in the tree"
			}
			if ref.Lacking {
				h.Drift = "what is installed is missing or of an earlier build"
			}
			have.Refs = append(have.Refs, h)
		}
	}
	return have
}

// want begins what shall be.
func (r *run) want() plan.Want {
	return plan.Want{NoDepmod: r.call.NoDepmod, Initramfs: r.wantsInitramfs(), PostTransaction: r.machine.Framework.PostTransaction != ""}
}

// systemModules is where the programs that make initial RAM file systems look for
// modules.
const systemModules = "/lib/modules"

// wantsInitramfs reports whether initial RAM file systems are this run's
// business: not when the modules are installed somewhere else.
func (r *run) wantsInitramfs() bool {
	return r.machine.Framework.Initrd != conf.Never && !r.callerMakesInitramfs && sameFile(r.machine.Tree.InstallDir, systemModules)
}
