package plan_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// The generators draw from few words, so that targets, dependencies and what
// there is meet often; some of the words are nonsense. They are shared, and a
// generator is not for several goroutines, so these tests are not parallel.
var (
	names    = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	anyName  = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "", "x/y"})
	versions = rapid.SampledFrom([]string{"1", "2", "1.0"})
	releases = rapid.SampledFrom([]string{"6.1", "6.1", "6.1", "6.2", ""})
	reasons  = rapid.SampledFrom([]string{"", "", "", "reason"})
)

func drawRef(t *rapid.T) dkms.Ref {
	r := dkms.Ref{Package: dkms.Package{Name: anyName.Draw(t, "name"), Version: versions.Draw(t, "version")}}
	if r.Release = releases.Draw(t, "release"); r.Release != "" {
		r.Arch = "x86_64"
	}
	return r
}

var havePackages = rapid.Custom(func(t *rapid.T) plan.HavePackage {
	return plan.HavePackage{Package: drawRef(t).Package, Broken: reasons.Draw(t, "broken")}
})

var haveRefs = rapid.Custom(func(t *rapid.T) plan.HaveRef {
	return plan.HaveRef{
		Ref:       drawRef(t),
		State:     dkms.State(rapid.IntRange(-1, 5).Draw(t, "state")),
		Stale:     reasons.Draw(t, "stale"),
		Drift:     reasons.Draw(t, "drift"),
		BuiltWith: rapid.MapOfN(names, versions, 0, 2).Draw(t, "with"),
	}
})

var targets = rapid.Custom(func(t *rapid.T) plan.Target {
	target := plan.Target{
		Ref:            drawRef(t),
		Goal:           dkms.State(rapid.SampledFrom([]int{3, 3, 3, 3, 2, 2, 1, 0, -1, 4}).Draw(t, "goal")),
		Lower:          rapid.IntRange(0, 4).Draw(t, "lower") == 0,
		Depends:        rapid.SliceOfN(names, 0, 2).Draw(t, "depends"),
		DependsRebuild: rapid.Bool().Draw(t, "rebuild"),
		Force:          rapid.IntRange(0, 5).Draw(t, "force") == 0,
		Why:            reasons.Draw(t, "why"),
		Exclusive:      rapid.SliceOfN(names, 0, 1).Draw(t, "exclusive"),
	}
	if rapid.IntRange(0, 5).Draw(t, "ready") == 0 {
		reason := rapid.SampledFrom([]plan.Reason{plan.PendingHeaders, plan.ExcludedByRule}).Draw(t, "reason")
		target.NotReady = &plan.Note{Reason: reason, Text: "not now"}
	}
	return target
})

func drawAll(t *rapid.T) (plan.Want, plan.Have) {
	return plan.Want{
			Targets:         rapid.SliceOfN(targets, 0, 12).Draw(t, "targets"),
			NoDepmod:        rapid.Bool().Draw(t, "no depmod"),
			Initramfs:       rapid.Bool().Draw(t, "initramfs"),
			PostTransaction: rapid.Bool().Draw(t, "post-transaction"),
		}, plan.Have{
			Packages: rapid.SliceOfN(havePackages, 0, 8).Draw(t, "packages"),
			Refs:     rapid.SliceOfN(haveRefs, 0, 12).Draw(t, "refs"),
		}
}

// apply is what running p makes of h, with builds by the rules of want.
func apply(h plan.Have, w plan.Want, p plan.Plan) plan.Have {
	packages := map[dkms.Package]plan.HavePackage{}
	for _, x := range h.Packages {
		packages[x.Package] = x
	}
	refs := map[dkms.Ref]plan.HaveRef{}
	for _, x := range h.Refs {
		refs[x.Ref] = x
	}
	rebuilds := map[dkms.Ref]bool{}
	for _, t := range w.Targets {
		rebuilds[t.Ref] = rebuilds[t.Ref] || t.DependsRebuild
	}
	for _, s := range p.Steps {
		r := refs[s.Ref]
		r.Ref = s.Ref
		switch s.Verb {
		case plan.Add:
			packages[s.Ref.Package] = plan.HavePackage{Package: s.Ref.Package}
		case plan.Build:
			r.State, r.Stale = max(r.State, dkms.Built), ""
			with := map[string]string{}
			for _, dep := range s.With {
				if _, before := r.BuiltWith[dep.Name]; before || rebuilds[s.Ref] {
					with[dep.Name] = dep.Version
				}
			}
			r.BuiltWith = with
			refs[s.Ref] = r
		case plan.Install:
			for other, x := range refs {
				if other.Name == s.Ref.Name && other.KernelID == s.Ref.KernelID && x.State == dkms.Installed {
					x.State = dkms.Built
					refs[other] = x
				}
			}
			r.State, r.Drift = dkms.Installed, ""
			refs[s.Ref] = r
		case plan.Uninstall:
			r.State = dkms.Built
			refs[s.Ref] = r
		case plan.Unbuild:
			delete(refs, s.Ref)
		case plan.Remove:
			delete(packages, s.Ref.Package)
		}
	}
	return plan.Have{Packages: slices.Collect(maps.Values(packages)), Refs: slices.Collect(maps.Values(refs))}
}

// tidied is h as a machine can have it: nothing twice, one version active.
func tidied(h plan.Have) plan.Have {
	packages := map[dkms.Package]bool{}
	refs := map[dkms.Ref]bool{}
	active := map[[2]string]bool{}
	h.Packages = slices.DeleteFunc(slices.Clone(h.Packages), func(p plan.HavePackage) bool {
		twice := packages[p.Package]
		packages[p.Package] = true
		return twice
	})
	h.Refs = slices.DeleteFunc(slices.Clone(h.Refs), func(r plan.HaveRef) bool {
		at := [2]string{r.Name, r.Release}
		bad := refs[r.Ref] || (r.State != dkms.Built && r.State != dkms.Installed) || (r.State == dkms.Installed && active[at])
		refs[r.Ref], active[at] = true, active[at] || r.State == dkms.Installed
		return bad
	})
	return h
}

// What was done is not done again. (Force asks for just that, so it is left
// out, but for removals.)
func TestApplyThenDiffIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, have := drawAll(t)
		have = tidied(have)
		for i, target := range want.Targets {
			want.Targets[i].Force = target.Force && (target.Lower || target.Goal == dkms.Absent)
		}
		first := plan.Diff(want, have)
		if second := plan.Diff(want, apply(have, want, first)); len(second.Steps) > 0 {
			t.Fatalf("want %+v\nhave %+v\nfirst:\n%s\nsecond:\n%s", want, have, graph(first), graph(second))
		}
	})
}

// Every step comes behind what it needs, and no step comes twice.
func TestNothingBeforeItsNeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plan.Diff(drawAll(t))
		seen := map[plan.StepID]bool{}
		active := map[[2]string]bool{}
		for _, s := range p.Steps {
			for _, id := range slices.Concat(s.Needs, s.After) {
				if !seen[id] {
					t.Fatalf("%s is not behind %s:\n%s", s.ID(), id, graph(p))
				}
			}
			if seen[s.ID()] {
				t.Fatalf("%s is there twice:\n%s", s.ID(), graph(p))
			}
			seen[s.ID()] = true
			if at := [2]string{s.Ref.Name, s.Ref.Release}; s.Verb == plan.Install {
				if active[at] {
					t.Fatalf("two versions of %v are installed:\n%s", at, graph(p))
				}
				active[at] = true
			}
			if s.Why == "" {
				t.Fatalf("%s does not say why", s.ID())
			}
		}
	})
}

// Needs lead back to the work on the same name or on a dependency, and only
// Depmod, Initramfs and PostTransaction wait without needing: so a failure
// blocks exactly what depends on it.
func TestFailureBlocksOnlyDependents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, have := drawAll(t)
		p := plan.Diff(want, have)
		depends := map[dkms.Ref][]string{}
		for _, target := range want.Targets {
			depends[target.Ref] = append(depends[target.Ref], target.Depends...)
		}
		for _, r := range have.Refs {
			depends[r.Ref] = append(depends[r.Ref], slices.Collect(maps.Keys(r.BuiltWith))...)
		}
		steps := map[plan.StepID]plan.Step{}
		for _, s := range p.Steps {
			steps[s.ID()] = s
			if len(s.After) > 0 && !slices.Contains([]plan.Verb{plan.Depmod, plan.Initramfs, plan.PostTransaction}, s.Verb) {
				t.Fatalf("%s waits without needing", s.ID())
			}
			if len(s.Needs) > 0 && len(s.After) > 0 {
				t.Fatalf("%s could be blocked by a failure and hide the changes of others", s.ID())
			}
			for _, id := range s.Needs {
				need := steps[id]
				if need.Ref.Name != s.Ref.Name && !slices.Contains(depends[s.Ref], need.Ref.Name) {
					t.Fatalf("%s needs %s, on which it does not depend", s.ID(), id)
				}
				if need.Ref.Release != s.Ref.Release && need.Ref.Release != "" && s.Verb != plan.Remove {
					t.Fatalf("%s needs %s, for another kernel", s.ID(), id)
				}
			}
		}
	})
}

// Equal inputs give equal plans, in whatever order they come.
func TestOrderOfInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, have := drawAll(t)
		p := plan.Diff(want, have)
		want.Targets = rapid.Permutation(want.Targets).Draw(t, "other targets")
		have.Packages = rapid.Permutation(have.Packages).Draw(t, "other packages")
		have.Refs = rapid.Permutation(have.Refs).Draw(t, "other refs")
		if diff := cmp.Diff(p, plan.Diff(want, have)); diff != "" {
			t.Fatalf("the order of the input changes the plan:\n%s", diff)
		}
	})
}

// No target is forgotten: each has a step or a note.
func TestNoSilentSkip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, have := drawAll(t)
		p := plan.Diff(want, have)
		for _, target := range want.Targets {
			about := func(r dkms.Ref) bool {
				return r.Package == target.Ref.Package && (r.Release == target.Ref.Release || r.Release == "" || target.Ref.Release == "")
			}
			step := slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Verb != plan.Depmod && about(s.Ref) })
			note := slices.ContainsFunc(p.Notes, func(n plan.Note) bool { return about(n.Ref) })
			if !step && !note {
				t.Fatalf("%+v has neither step nor note:\n%s%v", target, graph(p), p.Notes)
			}
		}
	})
}
