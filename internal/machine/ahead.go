package machine

import (
	"context"
	"slices"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// evaluated is what came of a dkms.conf for one kernel.
type evaluated struct {
	conf   *conf.Conf
	recipe kbuild.Recipe
	err    error // of the evaluation
	// unresolved is why there is no recipe, though there is a conf.
	unresolved error
}

// evaluate evaluates a dkms.conf and resolves it.
func evaluate(ctx context.Context, request conf.Request, k kbuild.Kernel) (e evaluated) {
	if e.conf, e.err = conf.Load(ctx, request, k); e.err == nil {
		e.recipe, e.unresolved = e.conf.Resolve(k)
	}
	return e
}

// Ahead evaluates the dkms.conf of each ref that is registered, as many at a time
// as there are processors. Recipe tells what came of it when it is asked, so that
// the order in which things are said stays the same.
func (m *Machine) Ahead(ctx context.Context, refs []dkms.Ref) {
	type job struct {
		ref dkms.Ref
		c   *Candidate
		k   kbuild.Kernel
	}
	var jobs []job
	for _, ref := range refs {
		k, err := m.Kernel(ref.KernelID)
		if _, known := m.recipes.get(ref); known || err != nil {
			continue // of the error Recipe's caller hears
		}
		jobs = append(jobs, job{ref, m.Candidate(ref.Package, m.Tree.SourceLink(ref.Package), true), k})
	}
	// Kernel by kernel: what a dkms.conf asks for one, it mostly asks for the next.
	slices.SortStableFunc(jobs, func(a, b job) int { return dkms.CompareKernels(a.k.KernelID, b.k.KernelID) })
	var shared conf.Shared
	system.Together(len(jobs), func(i int) {
		j := jobs[i]
		request := m.confRequest(j.c)
		request.Shared = &shared
		m.ahead.put(j.ref, evaluate(ctx, request, j.k))
	})
}

// evaluated takes what Ahead has found, or evaluates now.
func (m *Machine) evaluated(ctx context.Context, c *Candidate, k kbuild.Kernel) evaluated {
	if e, ok := m.ahead.take(dkms.Ref{Package: c.Package, KernelID: k.KernelID}); ok {
		return e
	}
	return evaluate(ctx, m.confRequest(c), k)
}
