package hooks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

var (
	noon   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	testID = dkms.KernelID{Release: "6.1", Arch: "x86_64"}
)

func stepOf(verb plan.Verb, name string) plan.Step {
	ref := dkms.Ref{Package: dkms.Package{Name: name, Version: "1"}, KernelID: testID}
	if name == "" {
		ref.Package = dkms.Package{}
	}
	return plan.Step{Verb: verb, Ref: ref, Why: "asked for"}
}

// ended is a step's end, so long after noon.
func ended(status sched.Status, err error, took time.Duration) apply.Outcome {
	o := apply.Outcome{Outcome: sched.Outcome[plan.StepID]{Status: status, Err: err}}
	if status == sched.Done || status == sched.Failed {
		o.Started, o.Ended = noon, noon.Add(took)
	}
	return o
}

// TestRecorder takes what may become of steps through the recorder.
func TestRecorder(t *testing.T) {
	t.Parallel()
	bad := stepOf(plan.Build, "bad")
	failure := ended(sched.Failed, errors.Join(&kbuild.BuildError{
		Ref: bad.Ref, Phase: kbuild.PhaseMake, Class: kbuild.APIChange, First: "a.c:3: gone", Log: "/log", Hint: "a newer version",
		Err: errors.New("exit status 2"),
	}, errors.New("disk\nfull")), 4*time.Second)
	failure.Phases = []kbuild.Phase{{Name: "make", Began: noon.Add(time.Second), Duration: 2 * time.Second}}
	failure.Retries = []kbuild.Retry{{How: kbuild.RetryAlone, Why: "killed"}}
	cached := ended(sched.Done, nil, time.Second)
	cached.Cached = true
	idle, provided := ended(sched.Done, nil, 0), ended(sched.Done, nil, 0)
	idle.Idle, provided.Provided = true, true

	var r recorder
	r.Ended(stepOf(plan.Build, "good"), cached)
	r.Ended(stepOf(plan.Install, "good"), provided)
	r.Ended(bad, failure)
	r.Ended(stepOf(plan.Install, "bad"), ended(sched.Blocked, errors.New("needs build"), 0))
	r.Ended(stepOf(plan.Build, "late"), ended(sched.Canceled, context.Canceled, 0))
	cut := &kbuild.BuildError{Ref: stepOf(plan.Build, "cut").Ref, Phase: kbuild.PhaseMake, Class: kbuild.Interrupted, Err: context.Canceled, Log: "/log"}
	r.Ended(stepOf(plan.Build, "cut"), ended(sched.Failed, cut, time.Second))
	r.Ended(stepOf(plan.Install, "cut"), ended(sched.Blocked, &sched.BlockedError[plan.StepID]{Need: "build", Cause: cut}, 0))
	r.Ended(stepOf(plan.Depmod, ""), ended(sched.Canceled, errors.New("interrupted"), 0))
	r.Ended(stepOf(plan.Depmod, ""), ended(sched.Failed, errors.New("no index"), time.Second))
	r.Ended(stepOf(plan.Initramfs, ""), idle)

	of := func(name, step string, did record.Did) record.Outcome {
		return record.Outcome{Package: name, Version: "1", Release: "6.1", Arch: "x86_64", Step: step, Did: did, Why: "asked for"}
	}
	good, broken, blocked := of("good", "build", record.Built), of("bad", "build", record.Failed), of("bad", "install", record.NotTried)
	good.Began, good.Seconds, good.From = noon, 1, "cache"
	broken.Began, broken.Seconds, broken.Phases = noon, 4, []record.Phase{{Name: "make", After: 1, Seconds: 2}}
	broken.Error = "bad/1 for 6.1: does not compile (kernel API change): a.c:3: gone; disk; full"
	broken.Class, broken.First, broken.Log, broken.Hint = "kernel API change", "a.c:3: gone", "/log", "a newer version"
	broken.Retried = "built once more alone with one job, because it ran out of memory: killed"
	blocked.Error = "needs build"
	late, begun, after := of("late", "build", record.NotTried), of("cut", "build", record.Interrupted), of("cut", "install", record.NotTried)
	for _, o := range []*record.Outcome{&late, &begun, &after} {
		o.Class, o.Error = "interrupted", "the run was interrupted"
	}
	begun.Began, begun.Seconds = noon, 1
	want := record.Run{
		Outcomes: []record.Outcome{good, broken, blocked, late, begun, after},
		Kernels:  []record.KernelStep{{Release: "6.1", Arch: "x86_64", Step: "depmod", Began: noon, Seconds: 1, Error: "no index"}},
	}
	if diff := cmp.Diff(want, r.run); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
}

// What a failing depmod takes back is not installed, on that kernel.
func TestRecorderTakenBack(t *testing.T) {
	t.Parallel()
	var r recorder
	other := stepOf(plan.Install, "good")
	other.Ref.Release = "6.12"
	for _, s := range []plan.Step{stepOf(plan.Build, "good"), stepOf(plan.Install, "good"), other} {
		r.Ended(s, ended(sched.Done, nil, time.Second))
	}
	r.Ended(stepOf(plan.Depmod, ""), ended(sched.Failed, &dkms.Error{Kind: dkms.NothingInstalled, Problem: "taken back"}, time.Second))
	var got []string
	for _, o := range r.run.Outcomes {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Release, o.Did, o.Error)))
	}
	if diff := cmp.Diff([]string{"6.1 built", "6.1 failed taken back", "6.12 installed"}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// The steps' words for what is done are the record's.
func TestWordsOfRecord(t *testing.T) {
	t.Parallel()
	for verb, want := range map[plan.Verb]record.Did{
		plan.Add: record.Added, plan.Build: record.Built, plan.Install: record.Installed,
		plan.Uninstall: record.Uninstalled, plan.Unbuild: record.Unbuilt, plan.Remove: record.Removed,
	} {
		if got := recorded(stepOf(verb, "it87"), ended(sched.Done, nil, 0)).Did; got != want {
			t.Errorf("%s: %q; want %q", verb, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	err := errors.Join(errors.New("a"), fmt.Errorf("b\n\nc\n"))
	if got := oneLine(err); got != "a; b; c" {
		t.Errorf("oneLine = %q", got)
	}
}

// TestEnding: what is shown of a step's end tells an interruption from a failure.
func TestEnding(t *testing.T) {
	t.Parallel()
	build := stepOf(plan.Build, "it87")
	for _, tt := range []struct {
		o    apply.Outcome
		want string
	}{
		{ended(sched.Done, nil, 0), "built"},
		{ended(sched.Failed, errors.New("oops"), 0), "failed"},
		{ended(sched.Failed, &kbuild.BuildError{Ref: build.Ref, Class: kbuild.Interrupted, Err: errors.New("killed")}, 0), "interrupted"},
		{ended(sched.Failed, fmt.Errorf("script: %w", context.Canceled), 0), "interrupted"},
		{ended(sched.Failed, &kbuild.BuildError{Ref: build.Ref, Class: kbuild.Timeout, Err: errors.New("silent")}, 0), "failed"},
	} {
		if got := ending(build, tt.o); got != tt.want {
			t.Errorf("ending(%v) = %q; want %q", tt.o.Err, got, tt.want)
		}
	}
}
