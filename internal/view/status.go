package view

import (
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Status is what the rows of `status` are made from.
type Status struct {
	Have  tree.Snapshot
	Shown func(dkms.KernelID) bool // passes the filters
	// The rest is for what DKMS has no line for.
	Stale   func(tree.RefState) string // why a build would give something else; empty: it would not
	Waiting func() map[dkms.Ref]string // who waits for headers, and for which package
}

// Rows are the lines about each package: one for each kernel that passes the
// filters, else one for the package itself.
func (s Status) Rows() []report.Row {
	var rows []report.Row
	for _, p := range s.Have.Packages {
		rows = append(rows, s.rowsOf(p)...)
	}
	for _, w := range s.Have.Weak {
		if s.Shown(w.KernelID) {
			rows = append(rows, report.Row{Package: w.Package, Kernel: w.KernelID, State: dkms.Installed, WeakFrom: w.From})
		}
	}
	return rows
}

func (s Status) rowsOf(p tree.PackageState) []report.Row {
	if p.State == dkms.Broken && p.Retired == nil {
		return []report.Row{{Package: p.Package, State: dkms.Broken,
			Further: []report.Further{{State: report.BrokenSource, Reason: p.Problem}}}}
	}
	var rows []report.Row
	for _, r := range p.Refs {
		if !s.Shown(r.KernelID) {
			continue
		}
		rows = append(rows, report.Row{Package: p.Package, Kernel: r.KernelID, State: r.State, Originals: r.Originals, Missing: r.Missing, Differs: r.Differs})
	}
	if len(rows) == 0 {
		rows = append(rows, report.Row{Package: p.Package, State: dkms.Added})
	}
	return rows
}

// Further adds to rows what DKMS has no line for: what has failed, is stale or
// retired, or waits for headers. A failure that has been made good is none, though
// nobody has forgotten it yet.
func (s Status) Further(rows []report.Row) []report.Row {
	at := map[dkms.Ref]int{}
	for i, row := range rows {
		at[dkms.Ref{Package: row.Package, KernelID: row.Kernel}] = i
	}
	well := map[dkms.Ref]bool{}
	for _, ref := range s.Have.Refs() {
		i, ok := at[ref.Ref]
		if !ok || rows[i].WeakFrom != "" {
			continue
		}
		why := s.Stale(ref)
		if why != "" {
			rows[i].Further = append(rows[i].Further, report.Further{State: report.Stale, Reason: why})
		}
		well[ref.Ref] = why == "" && ref.State == dkms.Installed && !ref.Missing && !ref.Differs
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
	for _, p := range s.Have.Packages {
		for _, f := range p.Failures {
			if s.Shown(f.KernelID) && !well[f.Ref] {
				add(f.Ref, report.Further{State: report.BuildFailed, Reason: f.Problem, Log: f.Log, Since: f.Began})
			}
		}
		if p.Retired != nil {
			add(dkms.Ref{Package: p.Package}, report.Further{State: report.Retired, Reason: p.Retired.Why, Since: p.Retired.Since})
		}
	}
	for ref, why := range s.Waiting() {
		add(ref, report.Further{State: report.PendingHeaders, Reason: why})
	}
	return rows
}
