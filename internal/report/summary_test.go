package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

func ref(text, release string) dkms.Ref { return dkms.Ref{Package: pkg(text), KernelID: on(release)} }

func TestSummary(t *testing.T) {
	t.Parallel()
	outcomes := []report.Outcome{
		{Ref: ref("it87/eol", "6.1"), Did: "installed"},
		{Ref: ref("zfs/2", "6.1"), Did: "installed", Detail: "in place of zfs/1"},
		{Ref: dkms.Ref{Package: pkg("old/1")}, Did: "removed"},
		{Ref: ref("same/1", "6.1")},
		{Ref: ref("asihpi/4.20.39", "6.1"), Err: errors.New("make: exit status 2"), Fail: &report.Failure{
			Class: "kernel API change", First: "hpi.c:42: too few arguments", Log: "/tree/make.log", Still: "asihpi/4.20.38 is still installed",
		}},
		{Ref: ref("odd/1", "6.1"), Err: errors.New("make: exit status 2"), Fail: &report.Failure{Log: "/tree/odd.log"}},
		{Ref: ref("a/1", "6.1"), Err: &dkms.Error{Object: "a/1/6.1/x86_64", Problem: "is busy", Hint: "wait"}},
		{Ref: ref("b/1", "6.1"), Err: &dkms.Error{Object: "/lib/modules/6.1", Problem: "is not there", Hint: "wait"}},
		{Ref: ref("c/1", "6.1"), Err: fmt.Errorf("again: %w", &dkms.Error{Object: "c/1", Problem: "is busy", Hint: "dkms-hook sync tries again"})},
	}
	const good = `it87/eol for 6.1: installed
zfs/2 for 6.1: installed, in place of zfs/1
old/1: removed
`
	const bad = `asihpi/4.20.39 for 6.1: kernel API change: hpi.c:42: too few arguments
  note: asihpi/4.20.38 is still installed
  log: /tree/make.log
odd/1 for 6.1: make: exit status 2
  log: /tree/odd.log
a/1 for 6.1: is busy
  hint: wait
b/1 for 6.1: /lib/modules/6.1: is not there
c/1 for 6.1: again: c/1: is busy
  hint: dkms-hook sync tries again
`
	for _, tt := range []struct {
		name     string
		quiet    bool
		outcomes []report.Outcome
		want     string
	}{
		{"all", false, outcomes, good + bad},
		{"quiet", true, outcomes, bad},
		{"no failure, no hint", false, outcomes[:4], good},
		{"nothing", false, nil, ""},
	} {
		var b strings.Builder
		report.Console{W: &b, Quiet: tt.quiet}.Summary(tt.outcomes, "dkms-hook sync tries again")
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%s: Summary (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSummaryInColour(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	report.Console{W: &b, Colour: true}.Summary([]report.Outcome{
		{Ref: ref("a/1", "6.1"), Did: "built", Detail: "x"},
		{Ref: ref("b/1", "6.1"), Err: errors.New("\x1b[2J")},
	}, "")
	const want = "a/1 for 6.1: \x1b[32mbuilt\x1b[0m, x\n\x1b[1;31mb/1 for 6.1:\x1b[0m ?[2J\n"
	if b.String() != want {
		t.Errorf("Summary wrote %q; want %q", b.String(), want)
	}
}

func TestTiming(t *testing.T) {
	t.Parallel()
	phases := []report.Phase{
		{Of: "it87/eol", Name: "copy", Duration: 12 * time.Millisecond},
		{Of: "it87/eol", Name: "make", Duration: 3*time.Second + 440*time.Millisecond},
		{Of: "6.1", Name: "depmod", Duration: 2 * time.Minute},
	}
	const want = `it87/eol
  copy        12 ms    0 %
  make        3.4 s    3 %
6.1
  depmod      2m00s   97 %
  total       2m03s  100 %
`
	var b strings.Builder
	c := report.Console{W: &b}
	c.Timing(phases)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Timing (-want +got):\n%s", diff)
	}
	b.Reset()
	c.Timing(nil)
	report.Console{W: &b, Quiet: true}.Timing(phases)
	if b.Len() > 0 {
		t.Errorf("Timing of nothing, or quiet, wrote %q", b.String())
	}
	c.Timing([]report.Phase{{Name: "make"}})
	if want := "  make        0 ms  100 %\n  total       0 ms  100 %\n"; b.String() != want {
		t.Errorf("Timing of no time wrote %q; want %q", b.String(), want)
	}
}
