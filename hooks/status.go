package hooks

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// status lists what is there. It takes no lock and changes nothing.
func (r *run) status() error {
	only, err := r.call.spelled()
	switch {
	case dkms.KindOf(err) == dkms.Usage:
		return err
	case err != nil:
		return nil // nothing can be registered under such a name
	}
	have, err := r.machine.Tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	have.Packages = slices.DeleteFunc(have.Packages, func(p tree.PackageState) bool {
		return only.Name != "" && p.Name != only.Name || only.Version != "" && p.Version != only.Version
	})
	if err := r.machine.Tree.Compare(r.ctx, &have, r.machine.Comparison(r.ctx)); err != nil {
		return err
	}
	var rows []report.Row
	for _, p := range have.Packages {
		rows = append(rows, r.rows(p)...)
	}
	for _, w := range have.Weak {
		if (only.Name == "" || w.Name == only.Name) && r.call.wantsKernel(w.KernelID) {
			rows = append(rows, report.Row{Package: w.Package, Kernel: w.KernelID, State: dkms.Installed, WeakFrom: w.From})
		}
	}
	if !r.call.Compatible {
		rows = r.further(rows, have)
	}
	for _, problem := range have.Problems {
		r.console.Warn(problem.String())
	}
	return r.printStatus(rows)
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
	return report.StatusFurther(r.Stderr, rows)
}

// rows are the lines about one package: one for each kernel that passes the
// filters, else one for the package itself.
func (r *run) rows(p tree.PackageState) []report.Row {
	if p.State == dkms.Broken && p.Retired == nil {
		if r.call.Compatible {
			r.console.Problem(machine.Broken(p))
		}
		return []report.Row{{Package: p.Package, State: dkms.Broken,
			Further: []report.Further{{State: report.BrokenSource, Reason: p.Problem}}}}
	}
	var rows []report.Row
	for _, s := range p.Refs {
		if !r.call.wantsKernel(s.KernelID) {
			continue
		}
		rows = append(rows, report.Row{Package: p.Package, Kernel: s.KernelID, State: s.State, Originals: s.Originals, Missing: s.Missing, Differs: s.Differs})
	}
	if len(rows) == 0 {
		rows = append(rows, report.Row{Package: p.Package, State: dkms.Added})
	}
	return rows
}

// further adds what DKMS has no line for: what has failed, is stale or retired,
// or waits for headers.
func (r *run) further(rows []report.Row, have tree.Snapshot) []report.Row {
	at := map[dkms.Ref]int{}
	for i, row := range rows {
		ref := dkms.Ref{Package: row.Package, KernelID: row.Kernel}
		at[ref] = i
		if why := r.machine.Staleness(r.ctx, ref); why != "" && row.Kernel != (dkms.KernelID{}) && row.WeakFrom == "" {
			rows[i].Further = append(rows[i].Further, report.Further{State: report.Stale, Reason: why})
		}
	}
	add := func(ref dkms.Ref, f report.Further) {
		i, ok := at[ref]
		if !ok {
			i = len(rows)
			at[ref] = i
			rows = append(rows, report.Row{Package: ref.Package, Kernel: ref.KernelID, State: dkms.Added})
		}
		rows[i].Further = append(rows[i].Further, f)
	}
	for _, p := range have.Packages {
		for _, f := range p.Failures {
			if r.call.wantsKernel(f.KernelID) {
				add(f.Ref, report.Further{State: report.BuildFailed, Reason: f.Problem, Log: f.Log, Since: f.Began})
			}
		}
		if p.Retired != nil {
			add(dkms.Ref{Package: p.Package}, report.Further{State: report.Retired, Reason: p.Retired.Why, Since: p.Retired.Since})
		}
	}
	for ref, why := range r.waiting(have) {
		add(ref, report.Further{State: report.PendingHeaders, Reason: why})
	}
	return rows
}

// waiting are the wanted packages that wait for a kernel's headers.
func (r *run) waiting(have tree.Snapshot) map[dkms.Ref]string {
	all, err := r.machine.OnDisk()
	if err != nil {
		return nil
	}
	var ids []dkms.KernelID
	for _, k := range all {
		if k.HasImage() && !r.machine.Tree.WasRemoved(k.Release) && k.RequireHeaders() != nil && r.call.wantsKernel(k.KernelID) {
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
				found[n.Ref] = r.registry.HeadersPackage(r.ctx, n.Ref.Release)
			}
		}
	})
	return found
}
