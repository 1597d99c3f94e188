package view

import (
	"fmt"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Verdict is what `check` says of one package on one kernel.
type Verdict struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"`
	State   string `json:"state"` // Missing, Stale, Pending
	Reason  string `json:"reason"`
	Log     string `json:"log,omitempty"`
	Still   string `json:"still,omitempty"` // version that is installed all the same
}

// The states of a Verdict.
const (
	Missing = "missing" // it is not there
	Stale   = "stale"   // it is there, but a build would give something else
	Pending = "pending" // it waits, for headers or for another package
)

// still is what is installed all the same.
func (v Verdict) still() string {
	if v.Still == v.Version {
		return fmt.Sprintf("%s/%s from an earlier build", v.Package, v.Still)
	}
	return v.Package + "/" + v.Still
}

// Case is what verdicts are given on.
type Case struct {
	Have    tree.Snapshot
	Plan    plan.Plan                           // what would be done, and could not
	Failure func(dkms.Ref) (tree.Failure, bool) // what is remembered
	Headers func(release string) string         // package that would bring them; empty: nobody knows
}

// Judge gives one verdict for each ref that is not as it should be.
func Judge(c Case) []Verdict {
	found := verdicts{Case: c, seen: map[dkms.Ref]bool{}}
	for _, n := range c.Plan.Notes {
		switch n.Reason {
		case plan.UpToDate, plan.NotAutoinstall, plan.ExcludedByRule:
		case plan.PendingHeaders:
			found.add(n.Ref, Pending, waitsFor(c.Headers(n.Ref.Release)))
		case plan.MissingDepends:
			found.add(n.Ref, Pending, n.Text)
		default:
			found.add(n.Ref, found.unless(n.Ref), n.Text)
		}
	}
	for _, s := range c.Plan.Steps {
		if s.Verb == plan.Build || s.Verb == plan.Install {
			found.add(s.Ref, found.unless(s.Ref), s.Why)
		}
	}
	for _, state := range c.Have.Packages {
		if state.State == dkms.Broken && state.Retired == nil {
			found.add(dkms.Ref{Package: state.Package}, Stale, "broken: "+state.Problem)
		}
	}
	slices.SortStableFunc(found.all, func(a, b Verdict) int { return dkms.CompareVersions(a.Release, b.Release) })
	return found.all
}

func waitsFor(brings string) string {
	if brings != "" {
		return "waits for kernel headers: " + brings
	}
	return "waits for kernel headers"
}

// verdicts collects one verdict for each ref.
type verdicts struct {
	Case
	seen map[dkms.Ref]bool
	all  []Verdict
}

// unless returns Stale where ref's modules are there, from an earlier build, and
// Missing where they are not.
func (v *verdicts) unless(ref dkms.Ref) string {
	if s := v.Have.Ref(ref); s.State == dkms.Installed && !s.Gone {
		return Stale
	}
	return Missing
}

func (v *verdicts) add(ref dkms.Ref, state, reason string) {
	if v.seen[ref] {
		return
	}
	v.seen[ref] = true
	f := Verdict{Package: ref.Name, Version: ref.Version, Release: ref.Release, State: state, Reason: reason}
	if version, ok := v.Have.Active(ref.Name, ref.KernelID); ok && (version != ref.Version || state == Stale) {
		f.Still = version
	}
	if failure, ok := v.Failure(ref); ok {
		f.Log = failure.Log
		if state == Missing || failure.Step == string(plan.Install) {
			f.Reason = failure.String()
		}
	}
	v.all = append(v.all, f)
}

// Sum is the exit status of `check` as an error, the worst finding first.
func Sum(found []Verdict) error {
	count := map[string]int{}
	hint := "dkms-hook sync builds what is missing or stale"
	for _, v := range found {
		count[v.State]++
		if v.Log != "" {
			hint = "dkms-hook retry tries again what has failed"
		}
	}
	switch {
	case count[Missing] > 0:
		return &dkms.Error{Kind: dkms.ModulesMissing, Object: "check", Problem: counted(count[Missing], "module package") + " missing",
			Hint: hint}
	case len(found) > 0:
		if count[Stale] == 0 {
			hint = "" // what it waits for starts it
		}
		return &dkms.Error{Kind: dkms.ModulesStale, Object: "check", Problem: counted(len(found), "module package") + " stale or waiting", Hint: hint}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
