package hooks

import (
	"encoding/json"
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

// The states of a verdict.
const (
	missing = "missing" // it is not there
	stale   = "stale"   // it is there, but a build would give something else
	pending = "pending" // it waits, for headers or for another package
)

// check tells whether every wanted module is there for each kernel that may be
// booted. It changes nothing.
func (r *run) check() error {
	ids, err := r.bootable()
	if err != nil {
		return err
	}
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	if err := r.look(&have); err != nil {
		return err
	}
	var want plan.Want
	r.quietly(func() { want = r.wantAll(have, ids, "") })
	found := r.judge(plan.Diff(want, r.haveOf(have, want)), have)
	if err := r.printCheck(found, len(ids)); err != nil {
		return err
	}
	return sum(found)
}

// bootable are the kernels of the call, or those with an image. On a machine
// that has none, one that builds for others, they are those with headers.
func (r *run) bootable() ([]dkms.KernelID, error) {
	if len(r.call.Kernels) > 0 {
		return r.call.targets()
	}
	all, err := r.onDisk()
	if err != nil {
		return nil, err
	}
	var ids []dkms.KernelID
	for _, k := range all {
		if k.HasImage() {
			ids = append(ids, k.KernelID)
		}
	}
	if len(ids) == 0 {
		return r.wantedKernels()
	}
	return ids, nil
}

// quietly has fn print errors only: its findings are told in another way.
func (r *run) quietly(fn func()) {
	was := r.console
	r.console.Quiet = true
	fn()
	r.console = was
}

// judge turns what a sync would do, and what it could not, into verdicts.
func (r *run) judge(p plan.Plan, have tree.Snapshot) []verdict {
	var found []verdict
	seen := map[dkms.Ref]bool{}
	add := func(ref dkms.Ref, state, reason string) {
		if seen[ref] {
			return
		}
		seen[ref] = true
		v := verdict{Package: ref.Name, Version: ref.Version, Release: ref.Release, State: state, Reason: reason}
		if version, ok := have.Active(ref.Name, ref.KernelID); ok && version != ref.Version {
			v.Still = version
		}
		if f, ok := r.tree.Failure(ref); ok {
			v.Log = f.Log
			if state == missing {
				v.Reason = words(f)
			}
		}
		found = append(found, v)
	}
	for _, n := range p.Notes {
		switch n.Reason {
		case plan.UpToDate, plan.NotAutoinstall, plan.ExcludedByRule:
		case plan.PendingHeaders:
			add(n.Ref, pending, r.waitsFor(n.Ref.KernelID))
		case plan.MissingDepends:
			add(n.Ref, pending, n.Text)
		default:
			add(n.Ref, missing, n.Text)
		}
	}
	for _, s := range p.Steps {
		if s.Verb != plan.Build && s.Verb != plan.Install || r.hasAsGood(s, have) {
			continue
		}
		state := missing
		if s.Verb == plan.Build && have.Ref(s.Ref).State == dkms.Installed {
			state = stale
		}
		add(s.Ref, state, s.Why)
	}
	for _, state := range have.Packages {
		if state.State == dkms.Broken && state.Retired == nil {
			add(dkms.Ref{Package: state.Package}, stale, "broken: "+state.Problem)
		}
	}
	slices.SortStableFunc(found, func(a, b verdict) int { return dkms.CompareVersions(a.Release, b.Release) })
	return found
}

// hasAsGood reports whether an install would find that the kernel has the
// module already, in the same or a newer version.
func (r *run) hasAsGood(s plan.Step, have tree.Snapshot) bool {
	if s.Verb != plan.Install || have.Ref(s.Ref).State != dkms.Built {
		return false
	}
	_, k, recipe, err := r.resolved(s.Ref)
	if err != nil {
		return false
	}
	_, err = r.placements(s, k, recipe)
	return kindOf(err) == dkms.ProvidedByKernel
}

func (r *run) waitsFor(id dkms.KernelID) string {
	if name := r.headersPackage(id.Release); name != "" {
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
			fmt.Fprintf(r.result, "  note: %s/%s is still installed\n", v.Package, v.Still)
		}
		if v.Log != "" {
			fmt.Fprintf(r.result, "  log: %s\n", v.Log)
		}
	}
	switch {
	case kernels == 0:
		fmt.Fprintf(r.result, "there is no kernel in %s\n", r.tree.InstallDir)
	case len(found) == 0:
		fmt.Fprintf(r.result, "all modules are there for %s\n", counted(kernels, "kernel"))
	}
	return nil
}

// sum is the exit status of check as an error, the worst finding first.
func sum(found []verdict) error {
	count := map[string]int{}
	for _, v := range found {
		count[v.State]++
	}
	switch {
	case count[missing] > 0:
		return &dkms.Error{Kind: dkms.ModulesMissing, Object: "check", Problem: counted(count[missing], "module package") + " missing",
			Hint: "dkms-hook retry tries again what has failed"}
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
