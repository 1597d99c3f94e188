package hooks

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/view"
)

// status lists what is there. It takes no lock and changes nothing.
func (r *run) status() error {
	only, err := r.call.Spelled()
	switch {
	case dkms.KindOf(err) == dkms.Usage:
		return err
	case err != nil:
		return nil // nothing can be registered under such a name
	}
	have, err := r.scan()
	if err != nil {
		return err
	}
	have.Packages = slices.DeleteFunc(have.Packages, func(p tree.PackageState) bool {
		return only.Name != "" && p.Name != only.Name || only.Version != "" && p.Version != only.Version
	})
	have.Weak = slices.DeleteFunc(have.Weak, func(w tree.Weak) bool { return only.Name != "" && w.Name != only.Name })
	rows, err := r.rows(&have)
	if err != nil {
		return err
	}
	if r.call.Compatible {
		r.sayBroken(have)
	}
	for _, problem := range have.Problems {
		r.console.Warn(problem.String())
	}
	return r.printStatus(rows)
}

// rows are the states of what is there, compared with what was built.
func (r *run) rows(have *tree.Snapshot) ([]report.Row, error) {
	end := r.part("compare")
	comparison := r.machine.Comparison(r.ctx)
	comparison.Brief = true
	err := r.machine.Tree.Compare(r.ctx, have, comparison)
	end()
	if err != nil {
		return nil, err
	}
	v := view.Status{
		Have: *have, Shown: r.call.WantsKernel,
		Stale:   func(s tree.RefState) string { return r.machine.Staleness(r.ctx, s) },
		Waiting: func() map[dkms.Ref]string { return r.waiting(*have) },
	}
	if r.call.Compatible {
		return v.Rows(), nil
	}
	return v.Further(v.Rows()), nil
}

func (r *run) sayBroken(have tree.Snapshot) {
	for _, p := range have.Packages {
		if p.State == dkms.Broken && p.Retired == nil {
			r.console.Problem(machine.Broken(p))
		}
	}
}

func (r *run) printStatus(rows []report.Row) error {
	if r.call.JSON {
		return report.StatusJSON(r.Stdout, rows)
	}
	if err := report.Status(r.Stdout, rows); err != nil {
		return err
	}
	if r.call.Compatible {
		return nil
	}
	return report.StatusFurther(r.Stdout, rows)
}

// waiting are the wanted packages that wait for a kernel's headers.
func (r *run) waiting(have tree.Snapshot) map[dkms.Ref]string {
	all, err := r.machine.OnDisk()
	if err != nil {
		return nil
	}
	var ids []dkms.KernelID
	for _, k := range all {
		if k.HasImage() && !r.machine.Tree.WasRemoved(k.Release) && k.RequireHeaders() != nil && r.call.WantsKernel(k.KernelID) {
			ids = append(ids, k.KernelID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found := map[dkms.Ref]string{}
	r.console.Quietly(func() {
		want := r.wantAll(have, ids, autoYes)
		for _, n := range plan.Diff(want, r.maker.Have(r.ctx, have, want)).Notes {
			if n.Reason == plan.PendingHeaders {
				found[n.Ref] = r.headersPackage(n.Ref.Release)
			}
		}
	})
	return found
}
