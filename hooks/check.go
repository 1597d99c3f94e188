package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// checkSchema is the version of what `check --json` prints.
const checkSchema = 1

// verdict is what check says of one package on one kernel.
type verdict struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"`
	State   string `json:"state"` // missing, stale, pending
	Reason  string `json:"reason"`
	Log     string `json:"log,omitempty"`
	Still   string `json:"still,omitempty"` // version that is installed all the same
}

// still is what is installed all the same.
func (v verdict) still() string {
	if v.Still == v.Version {
		return fmt.Sprintf("%s/%s from an earlier build", v.Package, v.Still)
	}
	return v.Package + "/" + v.Still
}

// The states of a verdict.
const (
	missing = "missing" // it is not there
	stale   = "stale"   // it is there, but a build would give something else
	pending = "pending" // it waits, for headers or for another package
)

// check tells whether every wanted module is there for each kernel that may be
// booted. It changes nothing.
func (r *run) check() error {
	ids, err := r.asked()
	if err != nil {
		return err
	}
	found, err := r.examine(ids)
	if err != nil {
		return err
	}
	if err := r.printCheck(found, len(ids)); err != nil {
		return err
	}
	return sum(found)
}

// examine compares what is wanted for ids with what is there.
func (r *run) examine(ids []dkms.KernelID) ([]verdict, error) {
	have, err := r.machine.Tree.Scan(r.ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.registry.Revive(r.ctx, &have, r.writing), r.look(&have)); err != nil {
		return nil, err
	}
	var want plan.Want
	r.console.Quietly(func() { want = r.wantAll(have, ids, "") })
	return r.judge(plan.Diff(want, r.maker.Have(r.ctx, have, want)), have), nil
}

// asked are the kernels of the call, or all that may be booted.
func (r *run) asked() ([]dkms.KernelID, error) {
	if len(r.call.Kernels) == 0 {
		return r.machine.Bootable()
	}
	ids, err := r.call.targets()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if k, err := r.machine.Kernel(id); err == nil && k.Vanished() {
			return nil, &dkms.Error{Kind: dkms.NoModuleDir, Object: id.Release, Problem: "is no kernel in " + r.machine.Tree.InstallDir}
		}
	}
	return ids, nil
}

// judge turns what a sync would do, and what it could not, into verdicts.
func (r *run) judge(p plan.Plan, have tree.Snapshot) []verdict {
	found := verdicts{run: r, have: have, seen: map[dkms.Ref]bool{}}
	for _, n := range p.Notes {
		switch n.Reason {
		case plan.UpToDate, plan.NotAutoinstall, plan.ExcludedByRule:
		case plan.PendingHeaders:
			found.add(n.Ref, pending, r.waitsFor(n.Ref.KernelID))
		case plan.MissingDepends:
			found.add(n.Ref, pending, n.Text)
		default:
			found.add(n.Ref, found.unless(n.Ref), n.Text)
		}
	}
	for _, s := range p.Steps {
		switch s.Verb {
		case plan.Build:
			found.add(s.Ref, found.unless(s.Ref), s.Why)
		case plan.Install:
			found.add(s.Ref, missing, s.Why)
		}
	}
	for _, state := range have.Packages {
		if state.State == dkms.Broken && state.Retired == nil {
			found.add(dkms.Ref{Package: state.Package}, stale, "broken: "+state.Problem)
		}
	}
	slices.SortStableFunc(found.all, func(a, b verdict) int { return dkms.CompareVersions(a.Release, b.Release) })
	return found.all
}

// verdicts collects one verdict for each ref.
type verdicts struct {
	run  *run
	have tree.Snapshot
	seen map[dkms.Ref]bool
	all  []verdict
}

// unless returns stale where ref's modules are there, from an earlier build, and
// missing where they are not.
func (v *verdicts) unless(ref dkms.Ref) string {
	if s := v.have.Ref(ref); s.State == dkms.Installed && !s.Lacking {
		return stale
	}
	return missing
}

func (v *verdicts) add(ref dkms.Ref, state, reason string) {
	if v.seen[ref] {
		return
	}
	v.seen[ref] = true
	f := verdict{Package: ref.Name, Version: ref.Version, Release: ref.Release, State: state, Reason: reason}
	if version, ok := v.have.Active(ref.Name, ref.KernelID); ok && (version != ref.Version || state == stale) {
		f.Still = version
	}
	if failure, ok := v.run.machine.Tree.Failure(ref); ok {
		f.Log = failure.Log
		if state == missing {
			f.Reason = failure.String()
		}
	}
	v.all = append(v.all, f)
}

func (r *run) waitsFor(id dkms.KernelID) string {
	if name := r.registry.HeadersPackage(r.ctx, id.Release); name != "" {
		return "waits for kernel headers: " + name
	}
	return "waits for kernel headers"
}

func (r *run) printCheck(found []verdict, kernels int) error {
	if r.call.JSON {
		encoder := json.NewEncoder(r.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			Schema   int       `json:"schema"`
			Kernels  int       `json:"kernels"`
			Findings []verdict `json:"findings"`
		}{checkSchema, kernels, append([]verdict{}, found...)})
	}
	for _, v := range found {
		line := v.Package + "/" + v.Version
		if v.Release != "" {
			line += " for " + v.Release
		}
		fmt.Fprintf(r.result, "%s: %s: %s\n", line, v.State, v.Reason)
		if v.Still != "" {
			fmt.Fprintf(r.result, "  note: %s is still installed\n", v.still())
		}
		if v.Log != "" {
			fmt.Fprintf(r.result, "  log: %s\n", v.Log)
		}
	}
	switch {
	case kernels == 0:
		fmt.Fprintf(r.result, "there is no kernel in %s\n", r.machine.Tree.InstallDir)
	case len(found) == 0:
		fmt.Fprintf(r.result, "all modules are there for %s\n", counted(kernels, "kernel"))
	}
	return nil
}

// sum is the exit status of check as an error, the worst finding first.
func sum(found []verdict) error {
	count := map[string]int{}
	hint := "dkms-hook sync builds it"
	for _, v := range found {
		count[v.State]++
		if v.Log != "" {
			hint = "dkms-hook retry tries again what has failed"
		}
	}
	switch {
	case count[missing] > 0:
		return &dkms.Error{Kind: dkms.ModulesMissing, Object: "check", Problem: counted(count[missing], "module package") + " missing",
			Hint: hint}
	case len(found) > 0:
		return &dkms.Error{Kind: dkms.ModulesStale, Object: "check", Problem: counted(len(found), "module package") + " stale or waiting"}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
