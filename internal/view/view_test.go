package view

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

var kernel = dkms.KernelID{Release: "6.1", Arch: "x86_64"}

func ref(name, version string) dkms.Ref {
	return dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: kernel}
}

func nothing(dkms.Ref) (tree.Failure, bool) { return tree.Failure{}, false }

func installed(r dkms.Ref, gone bool) tree.PackageState {
	return tree.PackageState{Package: r.Package, State: dkms.Added, Refs: []tree.RefState{{Ref: r, State: dkms.Installed, Lacking: true, Gone: gone}}}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	build := plan.Step{Verb: plan.Build, Ref: ref("pa", "2"), Why: "its source has changed"}
	install := plan.Step{Verb: plan.Install, Ref: ref("pa", "2"), Why: "not installed"}
	note := func(reason plan.Reason) plan.Plan {
		return plan.Plan{Notes: []plan.Note{{Ref: ref("pa", "2"), Reason: reason, Text: "because"}}}
	}
	for _, tt := range []struct {
		name string
		c    Case
		want []string
	}{
		{"nothing to do", Case{Plan: note(plan.UpToDate)}, nil},
		{"excluded", Case{Plan: note(plan.ExcludedByRule)}, nil},
		{"not there", Case{Plan: plan.Plan{Steps: []plan.Step{build, install}}}, []string{"pa/2 missing: its source has changed"}},
		{"built only", Case{Plan: plan.Plan{Steps: []plan.Step{install}}}, []string{"pa/2 missing: not installed"}},
		{"an earlier build serves, the new one is not installed", Case{Plan: plan.Plan{Steps: []plan.Step{install}}, Have: tree.Snapshot{Packages: []tree.PackageState{installed(ref("pa", "2"), false)}}},
			[]string{"pa/2 stale: not installed, still 2"}},
		{"an earlier build serves, the new one cannot be installed", Case{Plan: plan.Plan{Steps: []plan.Step{install}}, Have: tree.Snapshot{Packages: []tree.PackageState{installed(ref("pa", "2"), false)}},
			Failure: func(dkms.Ref) (tree.Failure, bool) {
				return tree.Failure{Step: "install", Problem: "disk full", Began: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)}, true
			}}, []string{"pa/2 stale: disk full (since 2026-01-02 03:04), still 2"}},
		{"an earlier build serves", Case{Plan: plan.Plan{Steps: []plan.Step{build}}, Have: tree.Snapshot{Packages: []tree.PackageState{installed(ref("pa", "2"), false)}}},
			[]string{"pa/2 stale: its source has changed, still 2"}},
		{"an earlier build has lost a file", Case{Plan: plan.Plan{Steps: []plan.Step{build}}, Have: tree.Snapshot{Packages: []tree.PackageState{installed(ref("pa", "2"), true)}}},
			[]string{"pa/2 missing: its source has changed"}},
		{"another version serves", Case{Plan: note(plan.FailedBefore), Have: tree.Snapshot{Packages: []tree.PackageState{installed(ref("pa", "1"), false)}}},
			[]string{"pa/2 missing: because, still 1"}},
		{"waits for headers", Case{Plan: note(plan.PendingHeaders)}, []string{"pa/2 pending: waits for kernel headers: linux-headers-6.1"}},
		{"waits for another", Case{Plan: note(plan.MissingDepends)}, []string{"pa/2 pending: because"}},
		{"failure is remembered", Case{Plan: note(plan.FailedBefore), Failure: func(dkms.Ref) (tree.Failure, bool) {
			return tree.Failure{Problem: "make failed", Began: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Count: 2, Log: "/l"}, true
		}}, []string{"pa/2 missing: make failed (since 2026-01-02 03:04, tried 2 times), log /l"}},
		{"broken", Case{Have: tree.Snapshot{Packages: []tree.PackageState{
			{Package: ref("pa", "2").Package, State: dkms.Broken, Problem: "gone"},
			{Package: ref("pb", "1").Package, State: dkms.Broken, Problem: "gone", Retired: &tree.Retirement{}},
		}}}, []string{"pa/2 stale: broken: gone"}},
	} {
		if tt.c.Failure == nil {
			tt.c.Failure = nothing
		}
		tt.c.Headers = func(release string) string { return "linux-headers-" + release }
		var got []string
		for _, v := range Judge(tt.c) {
			line := v.Package + "/" + v.Version + " " + v.State + ": " + v.Reason
			if v.Still != "" {
				line += ", still " + v.Still
			}
			if v.Log != "" {
				line += ", log " + v.Log
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Judge (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	const sync = "dkms-hook sync builds what is missing or stale"
	for _, tt := range []struct {
		states     []string
		want       dkms.Kind // Unknown: nil
		text, hint string
	}{
		{nil, dkms.Unknown, "", ""},
		{[]string{Pending}, dkms.ModulesStale, "check: 1 module package stale or waiting", ""},
		{[]string{Stale, Pending}, dkms.ModulesStale, "check: 2 module packages stale or waiting", sync},
		{[]string{Stale, Missing, Pending, Missing}, dkms.ModulesMissing, "check: 2 module packages missing", sync},
	} {
		var found []Verdict
		for _, s := range tt.states {
			found = append(found, Verdict{State: s})
		}
		err := Sum(found)
		if tt.text == "" {
			if err != nil {
				t.Errorf("Sum(%q) = %v; want nil", tt.states, err)
			}
			continue
		}
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != tt.want || e.Error() != tt.text || e.Hint != tt.hint {
			t.Errorf("Sum(%q) = %v; want %q, hint %q", tt.states, err, tt.text, tt.hint)
		}
	}
	for _, state := range []string{Missing, Stale} {
		var e *dkms.Error
		if err := Sum([]Verdict{{State: state, Log: "/l"}}); !errors.As(err, &e) || !strings.Contains(e.Hint, "retry") {
			t.Errorf("Sum() of a %s failure = %v; want the hint to name retry", state, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	found := []Verdict{
		{Package: "pa", Version: "2", Release: "6.1", State: Missing, Reason: "it failed", Log: "/l", Still: "1"},
		{Package: "pb", Version: "1", Release: "6.1", State: Stale, Reason: "it changed", Still: "1"},
		{Package: "pc", Version: "1", State: Stale, Reason: "broken"},
	}
	for _, tt := range []struct {
		found   []Verdict
		kernels int
		want    string
	}{
		{found, 2, `pa/2 for 6.1: missing: it failed
  note: pa/1 is still installed
  log: /l
pb/1 for 6.1: stale: it changed
  note: pb/1 from an earlier build is still installed
pc/1: stale: broken
`},
		{nil, 2, "all modules are there for 2 kernels\n"},
		{nil, 1, "all modules are there for 1 kernel\n"},
		{nil, 0, "there is no kernel in /lib/modules\n"},
	} {
		var b strings.Builder
		Check(&b, tt.found, tt.kernels, "/lib/modules")
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("Check(%d kernels) (-want +got):\n%s", tt.kernels, diff)
		}
	}
	if got, want := Held(found), "these kernels lack a module, do not boot them (dkms-hook check):\n6.1: pa/2\n"; got != want {
		t.Errorf("Held() = %q; want %q", got, want)
	}
	if got := Held(found[1:]); got != "" {
		t.Errorf("Held() of what is stale = %q; want nothing", got)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	other := dkms.KernelID{Release: "6.2", Arch: "x86_64"}
	failed := dkms.Ref{Package: ref("pa", "1").Package, KernelID: kernel}
	s := Status{
		Have: tree.Snapshot{
			Packages: []tree.PackageState{
				{Package: failed.Package, State: dkms.Added, Failures: []tree.Failure{{Ref: failed, Problem: "make failed"}},
					Refs: []tree.RefState{{Ref: dkms.Ref{Package: failed.Package, KernelID: other}, State: dkms.Installed}}},
				installed(ref("pb", "1"), false),
				{Package: ref("pc", "1").Package, State: dkms.Broken, Problem: "gone"},
				{Package: ref("pd", "1").Package, State: dkms.Added, Retired: &tree.Retirement{Why: "replaced"}},
			},
			Weak: []tree.Weak{{Ref: dkms.Ref{Package: ref("pb", "1").Package, KernelID: other}, From: "6.1"}},
		},
		Shown:   func(id dkms.KernelID) bool { return id == kernel },
		Stale:   func(r tree.RefState) string { return map[string]string{"pb": "it changed"}[r.Name] },
		Waiting: func() map[dkms.Ref]string { return map[dkms.Ref]string{ref("pd", "1"): "linux-headers"} },
	}
	var got []string
	for _, row := range s.Further(s.Rows()) {
		line := row.Package.String() + " " + row.Kernel.Release + " " + row.State.String()
		for _, f := range row.Further {
			line += ", " + string(f.State) + ": " + f.Reason
		}
		got = append(got, line)
	}
	want := []string{
		"pa/1  added",
		"pb/1 6.1 installed, " + string(report.Stale) + ": it changed",
		"pc/1  broken, " + string(report.BrokenSource) + ": gone",
		"pd/1  added, " + string(report.Retired) + ": replaced",
		"pa/1 6.1 added, " + string(report.BuildFailed) + ": make failed",
		"pd/1 6.1 added, " + string(report.PendingHeaders) + ": linux-headers",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestStatusOfMended: a failure is told as long as what is there is not as it
// should be.
func TestStatusOfMended(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		state tree.RefState
		stale string
		want  bool
	}{
		{tree.RefState{State: dkms.Installed}, "", false},
		{tree.RefState{State: dkms.Installed}, "it changed", true},
		{tree.RefState{State: dkms.Installed, Differs: true}, "", true},
		{tree.RefState{State: dkms.Installed, Missing: true}, "", true},
		{tree.RefState{State: dkms.Built}, "", true},
	} {
		tt.state.Ref = ref("pa", "1")
		s := Status{
			Have: tree.Snapshot{Packages: []tree.PackageState{{
				Package: tt.state.Package, State: dkms.Added, Refs: []tree.RefState{tt.state}, Failures: []tree.Failure{{Ref: tt.state.Ref, Problem: "make failed"}},
			}}},
			Shown: func(dkms.KernelID) bool { return true }, Stale: func(tree.RefState) string { return tt.stale },
			Waiting: func() map[dkms.Ref]string { return nil },
		}
		got := false
		for _, row := range s.Further(s.Rows()) {
			for _, f := range row.Further {
				got = got || f.State == report.BuildFailed
			}
		}
		if got != tt.want {
			t.Errorf("%+v, stale %q: the failure is told: %v; want %v", tt.state, tt.stale, got, tt.want)
		}
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	safe, byHand, mended := Finding{Safe: true}, Finding{}, Finding{Safe: true, Mended: true}
	for _, tt := range []struct {
		all        []Finding
		mending    bool
		want, hint string
	}{
		{nil, false, "", ""},
		{[]Finding{safe, byHand}, false, "doctor: 2 findings in /t", "dkms-hook doctor --fix mends what is safe to mend"},
		{[]Finding{byHand}, false, "doctor: 1 finding in /t", ""},
		{[]Finding{safe, mended}, true, "doctor: 1 finding in /t", ""},
		{[]Finding{mended}, true, "", ""},
	} {
		err := Left(tt.all, "/t", tt.mending)
		var e *dkms.Error
		switch {
		case err == nil:
			if tt.want != "" {
				t.Errorf("Left(%v, %v) = nil; want %q", tt.all, tt.mending, tt.want)
			}
		case !errors.As(err, &e) || e.Error() != tt.want || e.Hint != tt.hint:
			t.Errorf("Left(%v, %v) = %v; want %q, hint %q", tt.all, tt.mending, err, tt.want, tt.hint)
		}
	}
}
