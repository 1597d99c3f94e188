package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// states is the table package × kernel.
type states struct {
	Kernels []string
	Rows    []stateRow // with anything that is not well
	Fine    []stateRow // all well
	Many    bool       // Fine is too long to be shown unasked
}

type stateRow struct {
	Package string
	Reason  string // about the package itself
	Cells   []cell
	worst   tone
}

// cell is the state of a package on a kernel.
type cell struct {
	Kernel string
	Tone   tone
	Word   string
	Reason string
}

// kernelSum is how a kernel as a whole stands.
type kernelSum struct {
	Release string
	Tone    tone
	Text    string
}

// manyFine is how many packages with which all is well are shown unasked.
const manyFine = 40

func statesOf(rows []report.Row) states {
	ids := kernels(rows)
	s := states{}
	for _, id := range ids {
		s.Kernels = append(s.Kernels, label(id, ids))
	}
	byPackage := map[dkms.Package][]report.Row{}
	var packages []dkms.Package
	for _, r := range rows {
		if byPackage[r.Package] == nil {
			packages = append(packages, r.Package)
		}
		byPackage[r.Package] = append(byPackage[r.Package], r)
	}
	slices.SortFunc(packages, func(a, b dkms.Package) int { return cmp.Compare(a.String(), b.String()) })
	for _, p := range packages {
		row := stateRowOf(p, byPackage[p], ids, s.Kernels)
		if row.worst == bad || row.worst == waits {
			s.Rows = append(s.Rows, row)
		} else {
			s.Fine = append(s.Fine, row)
		}
	}
	rank := map[tone]int{bad: 0, waits: 1}
	slices.SortStableFunc(s.Rows, func(a, b stateRow) int { return cmp.Compare(rank[a.worst], rank[b.worst]) })
	s.Many = len(s.Fine) > manyFine
	return s
}

// kernels returns those of rows, the newest first.
func kernels(rows []report.Row) []dkms.KernelID {
	var ids []dkms.KernelID
	seen := map[dkms.KernelID]bool{{}: true}
	for _, r := range rows {
		if !seen[r.Kernel] {
			seen[r.Kernel] = true
			ids = append(ids, r.Kernel)
		}
	}
	slices.SortFunc(ids, func(a, b dkms.KernelID) int { return dkms.CompareKernels(b, a) })
	return ids
}

// label names a kernel among others: with its architecture only if they differ.
func label(id dkms.KernelID, among []dkms.KernelID) string {
	if slices.ContainsFunc(among, func(o dkms.KernelID) bool { return o.Arch != id.Arch }) {
		return id.String()
	}
	return id.Release
}

func stateRowOf(p dkms.Package, rows []report.Row, ids []dkms.KernelID, labels []string) stateRow {
	out := stateRow{Package: p.String(), worst: good}
	worse := func(t tone) {
		if t == bad || t == waits && out.worst != bad {
			out.worst = t
		}
	}
	cells := map[dkms.KernelID]cell{}
	for _, r := range rows {
		c := cellOf(r)
		worse(c.Tone)
		if r.Kernel == (dkms.KernelID{}) {
			out.Reason = strings.TrimPrefix(c.Word+": "+c.Reason, "not built: ")
			if c.Reason == "" && c.Tone != bad {
				out.Reason = ""
			}
			continue
		}
		cells[r.Kernel] = c
	}
	for i, id := range ids {
		c, known := cells[id]
		if !known {
			c = cell{Tone: neutral, Word: "not built"}
		}
		c.Kernel = labels[i]
		out.Cells = append(out.Cells, c)
	}
	return out
}

func cellOf(r report.Row) cell {
	c := cell{Tone: neutral, Word: "not built"}
	switch r.State {
	case dkms.Installed:
		c.Tone, c.Word = good, "installed"
	case dkms.Built:
		c.Word = "built"
	case dkms.Broken:
		c.Tone, c.Word = bad, "broken"
	}
	var reasons []string
	if r.WeakFrom != "" {
		c.Tone, c.Word = good, "installed"
		reasons = append(reasons, "from "+r.WeakFrom)
	}
	if r.Missing {
		c.Tone, reasons = bad, append(reasons, "its modules are missing in the kernel's directory")
	}
	if r.Differs {
		c.Tone, reasons = bad, append(reasons, "its modules are not those that were built")
	}
	there := r.State == dkms.Installed || r.State == dkms.Built || r.WeakFrom != ""
	for _, f := range r.Further {
		t, word := further(f.State)
		if there {
			reasons = append(reasons, strings.TrimSuffix(word+": "+f.Reason, ": "))
		} else {
			c.Word, reasons = word, append(reasons, f.Reason)
		}
		if t == bad || c.Tone != bad && t == waits || !there && c.Tone == neutral {
			c.Tone = t
		}
	}
	c.Reason = short(report.Joined("; ", reasons...))
	return c
}

func further(s report.FurtherState) (tone, string) {
	switch s {
	case report.PendingHeaders:
		return waits, "waits for headers"
	case report.PendingDepends:
		return waits, "waits for another package"
	case report.BuildFailed:
		return bad, "failed"
	case report.Stale:
		return waits, "out of date"
	case report.BrokenSource:
		return bad, "broken"
	case report.InvalidConf:
		return bad, "invalid dkms.conf"
	case report.Excluded, report.Retired:
		return neutral, string(s)
	}
	return neutral, strings.ReplaceAll(string(s), "-", " ")
}

// short cuts a reason that would make a cell a page.
func short(text string) string {
	const most = 160
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

// kernelSums says for each kernel how many of its packages are installed.
func kernelSums(rows []report.Row) []kernelSum {
	ids := kernels(rows)
	var out []kernelSum
	for _, id := range ids {
		n, wanted, worst := 0, 0, good
		for _, r := range rows {
			if r.Kernel != id {
				continue
			}
			c := cellOf(r)
			if c.Tone == neutral && r.State != dkms.Built {
				continue // excluded, retired, or never wanted here
			}
			wanted++
			if r.State == dkms.Installed || r.WeakFrom != "" {
				n++
			}
			if c.Tone == bad || c.Tone == waits && worst == good {
				worst = c.Tone
			}
		}
		if wanted > 0 {
			out = append(out, kernelSum{label(id, ids), worst, fmt.Sprintf("%d of %d installed", n, wanted)})
		}
	}
	return out
}
