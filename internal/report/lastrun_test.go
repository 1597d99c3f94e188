package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/record"
)

func TestRun(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	of := func(name string, did record.Did) record.Outcome {
		return record.Outcome{Package: name, Version: "1", Release: "6.1", Arch: "x86_64", Did: did, Seconds: 12.34}
	}
	full := of("full", record.Failed)
	full.Step, full.Error = "install", "full/1/6.1/x86_64: install cannot be done: no space left on device"
	cut, late := of("cut", record.Interrupted), of("late", record.NotTried)
	cut.Step, cut.Error, late.Step, late.Error = "build", "the run was interrupted", "build", "the run was interrupted"
	failed, blocked, cached, added := of("bad", record.Failed), of("bad", record.NotTried), of("kept", record.Built), of("new", record.Added)
	failed.Step, failed.Error = "build", "bad/1 for 6.1: does not compile: a.c:3: \x1b[31mgone"
	failed.Still, failed.Log, failed.Hint, failed.Retried = "bad/0 is still installed", "/log", "a newer one", "built once more"
	needs := of("needs", record.NotTried)
	blocked.Step, needs.Step, needs.Error, cached.From, added.Release = "install", "build", "needs build bad/1, which did not succeed", "cache", ""
	var b strings.Builder
	err := Run(&b, record.Run{
		Event: "sync", Began: began, Ended: began.Add(65 * time.Second), Interrupted: true,
		Outcomes: []record.Outcome{added, of("good", record.Built), cached, failed, blocked, needs, full, cut, late},
		Kernels:  []record.KernelStep{{Release: "6.1", Step: "depmod", Seconds: 1, Error: "no index"}, {Step: "post-transaction", Seconds: 0.02}},
		Notes:    []record.Note{{Package: "late", Version: "1", Release: "6.1", Text: "waits"}},
	})
	want := `dkms-hook sync: 2026-11-01 02:00:00, took 1m05s, interrupted
new/1: added (12.3 s)
good/1 for 6.1: built (12.3 s)
kept/1 for 6.1: built from the cache (12.3 s)
bad/1 for 6.1: build failed: does not compile: a.c:3: ?[31mgone (12.3 s)
  note: built once more
  note: bad/0 is still installed
  log: /log
  hint: a newer one
needs/1 for 6.1: build not tried: needs build bad/1, which did not succeed
full/1 for 6.1: install failed: install cannot be done: no space left on device (12.3 s)
cut/1 for 6.1: build interrupted (12.3 s)
late/1 for 6.1: build not tried: the run was interrupted
depmod for 6.1: failed: no index (1.0 s)
post-transaction (20 ms)
late/1 for 6.1: left undone: waits
`
	if diff := cmp.Diff(want, b.String()); diff != "" || err != nil {
		t.Errorf("Run (-want +got): %v\n%s", err, diff)
	}
}

// A record of the first version has less to tell.
func TestRunEarly(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := Run(&b, record.Run{Event: "sync", Outcomes: []record.Outcome{{Package: "a", Version: "1", Did: record.Failed, Error: "odd"}}})
	if want := "dkms-hook sync: 0001-01-01 00:00:00, took 0 ms\na/1: failed: odd (0 ms)\n"; err != nil || b.String() != want {
		t.Errorf("Run = %q, %v; want %q", b.String(), err, want)
	}
}
