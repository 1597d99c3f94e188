package page

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/record"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	did := func(name string, d record.Did, step string) record.Outcome {
		return record.Outcome{Package: name, Version: "1", Release: "6.1", Did: d, Step: step, Error: map[bool]string{true: "e"}[d == record.Failed]}
	}
	built, installed := did("a", record.Built, "build"), did("a", record.Installed, "install")
	bad1, bad2 := did("b", record.Failed, "build"), did("c", record.Failed, "build")
	cut, late := did("f", record.Interrupted, "build"), did("g", record.NotTried, "build")
	early := did("h", record.Failed, "build") // as the first records told it
	cut.Class, late.Class, early.Class = "interrupted", "interrupted", "interrupted"
	depmod := []record.KernelStep{{Release: "6.1", Step: "depmod", Error: "e"}}
	wait := []record.Note{{Package: "d", Version: "1", Reason: "pending-headers"}, {Package: "d", Version: "1", Release: "6.2", Reason: "pending-headers"}}
	for _, tt := range []struct {
		run         record.Run
		tone        tone
		title, text string
	}{
		{record.Run{}, good, "Nothing was done", ""},
		{record.Run{Outcomes: []record.Outcome{built, installed}}, good, "All went well: 1 installed", ""},
		{record.Run{Outcomes: []record.Outcome{built}}, good, "All went well: 1 built and not installed", ""},
		{record.Run{Outcomes: []record.Outcome{bad1}}, bad, "The build of b/1 for 6.1 failed", ""},
		{record.Run{Outcomes: []record.Outcome{built, installed, bad1}}, bad, "1 of 2 builds failed: b/1 for 6.1", "Of the rest: 1 installed."},
		{record.Run{Outcomes: []record.Outcome{built, bad1, bad2, bad1}}, bad, "2 of 4 builds failed", "Failed: b/1 for 6.1 and c/1 for 6.1. Of the rest: 1 built and not installed."},
		{record.Run{Outcomes: []record.Outcome{built, did("a", record.Failed, "install")}}, bad, "a/1 for 6.1 failed", ""},
		{record.Run{Outcomes: []record.Outcome{bad1, did("e", record.NotTried, "build")}}, bad, "The build of b/1 for 6.1 failed", "Of the rest: 1 not tried, because another failed."},
		{record.Run{Outcomes: []record.Outcome{installed}, Kernels: depmod}, bad, "depmod failed for 6.1", "Of the rest: 1 installed."},
		{record.Run{Outcomes: []record.Outcome{installed}, Notes: wait}, waits, "All went well: 1 installed", "1 package could not be tried yet; the reasons are below."},
		{record.Run{Outcomes: []record.Outcome{installed}, Notes: []record.Note{{Package: "d", Reason: "excluded"}}}, good, "All went well: 1 installed", ""},
		{record.Run{Outcomes: []record.Outcome{installed}, Interrupted: true}, waits, "Interrupted; until then 1 installed", ""},
		{record.Run{Outcomes: []record.Outcome{bad1}, Interrupted: true}, bad, "Interrupted; The build of b/1 for 6.1 failed", ""},
		{record.Run{Interrupted: true}, waits, "Interrupted", ""},
		{record.Run{Outcomes: []record.Outcome{built, installed, cut, late}, Interrupted: true}, waits, "Interrupted; until then 1 installed", "2 not finished."},
		{record.Run{Outcomes: []record.Outcome{built, cut, late, late}, Interrupted: true}, waits, "Interrupted; until then 1 built and not installed", "2 not finished."},
		{record.Run{Outcomes: []record.Outcome{cut, late}, Interrupted: true}, waits, "Interrupted", "2 not finished."},
		{record.Run{Outcomes: []record.Outcome{bad1, early}, Interrupted: true}, bad, "Interrupted; The build of b/1 for 6.1 failed", "Of the rest: 1 not finished."},
		{record.Run{Outcomes: []record.Outcome{bad1, cut}, Interrupted: true}, bad, "Interrupted; The build of b/1 for 6.1 failed", "Of the rest: 1 not finished."},
	} {
		got := judge(Input{Run: tt.run})
		if got.Tone != tt.tone || got.Title != tt.title || got.Text != tt.text {
			t.Errorf("judge(%+v) = %s %q %q; want %s %q %q", tt.run, got.Tone, got.Title, got.Text, tt.tone, tt.title, tt.text)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{0: "0 ms", 0.25: "250 ms", 1: "1.0 s", 59.4: "59.4 s", 59.97: "1 min 00 s", 83: "1 min 23 s", 3723: "1 h 02 min"} {
		if got := took(seconds); got != want {
			t.Errorf("took(%v) = %q; want %q", seconds, got, want)
		}
	}
	for word, want := range map[string]string{"it87/eol": "it87/eol", "6.1+bpo~1": "'6.1+bpo~1'", "": "''", "-k": "'-k'", "a b": "'a b'", "it's": `'it'\''s'`, "é": "'é'", "$(x)": "'$(x)'"} {
		if got := quoted(word); got != want {
			t.Errorf("quoted(%q) = %q; want %q", word, got, want)
		}
	}
	for n, want := range map[int]string{0: "", 1: "a", 2: "a and b", 3: "a, b and c", 5: "a, b and 3 more"} {
		if got := list([]string{"a", "b", "c", "d", "e"}[:n]); got != want {
			t.Errorf("list of %d = %q; want %q", n, got, want)
		}
	}
	if got := when(time.Time{}); got != "unknown" {
		t.Errorf("when(zero) = %q", got)
	}
}

func TestAxis(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		end   float64
		every string
		last  string
	}{
		{0.004, "25%", "0.003 s"}, {9, "22.22%", "8 s"}, {80, "18.75%", "1:15"}, {600, "20%", "8:00"}, {7000, "25.71%", "90 min"}, {40000, "18%", "10 h"}, {1e6, "23.04%", "256 h"},
	} {
		ticks, every := axis(tt.end)
		if every != tt.every || len(ticks) > 7 || ticks[0].Text != "0" || ticks[len(ticks)-1].Text != tt.last {
			t.Errorf("axis(%v) = %v, %s; want every %s, up to %s", tt.end, ticks, every, tt.every, tt.last)
		}
	}
}

// TestInterrupted: what a run did not finish is left undone, and has not failed.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	of := func(name string, d record.Did) record.Outcome {
		return record.Outcome{Package: name, Version: "1", Release: "6.1", Did: d, Step: "build", Class: "interrupted", Error: "the run was interrupted"}
	}
	r := record.Run{Interrupted: true, Outcomes: []record.Outcome{of("a", record.Interrupted), of("a", record.NotTried), of("b", record.NotTried)}}
	want := []note{{Reason: "interrupted", Release: "6.1", Text: "dkms-hook sync goes on where this ended", Of: "a/1, b/1"}}
	if diff := cmp.Diff(want, notes(r)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if got := failures(Input{Run: r}); len(got) != 0 {
		t.Errorf("failures = %+v; want none", got)
	}
	if got := notTried(r); len(got) != 0 {
		t.Errorf("notTried = %q; want none: no failure kept them", got)
	}
}
