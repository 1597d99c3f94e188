package trace_test

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/trace"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// event is an event as others read it.
type event struct {
	Name, Cat, Ph, S string
	TS, Dur          float64
	PID, TID         int
	Args             map[string]any
}

// written returns what r writes: its events, and the names of its lanes.
func written(tb interface{ Fatal(...any) }, r *trace.Recorder) (events []event, lanes map[int]string) {
	var b strings.Builder
	if err := r.Write(&b, "dkms-hook sync"); err != nil {
		tb.Fatal(err)
	}
	var file struct {
		DisplayTimeUnit string
		TraceEvents     []event
	}
	d := json.NewDecoder(strings.NewReader(b.String()))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		tb.Fatal(err, b.String())
	}
	lanes = map[int]string{}
	for _, e := range file.TraceEvents {
		switch {
		case e.Ph != "M":
			events = append(events, e)
		case e.Name == "thread_name":
			lanes[e.TID], _ = e.Args["name"].(string)
		}
	}
	return events, lanes
}

func TestSteps(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := trace.New(c.now)
	plan := r.Start("program", "plan", "plan", nil)
	c.pass(5 * time.Millisecond)
	plan.End(nil)
	a := r.Start("slot", "build", "it87", trace.Args{"why": "no module yet"})
	b := r.Start("slot", "build", "bbswitch", nil)
	c.pass(1500 * time.Nanosecond)
	a.Part("phase", "copy", c.now().Add(-time.Microsecond), c.now(), nil)
	m := a.Start("phase", "make", nil)
	c.pass(time.Millisecond)
	m.End(nil)
	a.End(trace.Args{"end": "failed"})
	r.Instant("serial retry", nil)
	third := r.Start("slot", "build", "it87 again", nil)
	c.pass(time.Millisecond)
	third.End(nil)
	third.End(trace.Args{"end": "twice"})
	_ = b // is running when the trace is written
	events, lanes := written(t, r)
	want := []event{
		{Name: "plan", Cat: "plan", Ph: "X", Dur: 5000, PID: 1, TID: 1},
		{Name: "bbswitch", Cat: "build", Ph: "X", TS: 5000, Dur: 2001.5, PID: 1, TID: 2, Args: map[string]any{"unfinished": true}},
		{Name: "it87", Cat: "build", Ph: "X", TS: 5000, Dur: 1001.5, PID: 1, TID: 3, Args: map[string]any{"why": "no module yet", "end": "failed"}},
		{Name: "copy", Cat: "phase", Ph: "X", TS: 5000.5, Dur: 1, PID: 1, TID: 3},
		{Name: "make", Cat: "phase", Ph: "X", TS: 5001.5, Dur: 1000, PID: 1, TID: 3},
		{Name: "it87 again", Cat: "build", Ph: "X", TS: 6001.5, Dur: 1000, PID: 1, TID: 3},
		{Name: "serial retry", Ph: "i", S: "p", TS: 6001.5, PID: 1},
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int]string{1: "program", 2: "slot 1", 3: "slot 2"}, lanes); diff != "" {
		t.Errorf("lanes (-want +got):\n%s", diff)
	}
}

// What a part has left open ends with the whole, and a part that claims more
// time than the whole had is cut.
func TestPartsStayInside(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := trace.New(c.now)
	before := c.now()
	c.pass(time.Second)
	s := r.Start("slot", "build", "whole", nil)
	s.Start("phase", "left open", nil).Start("phase", "deep", nil)
	c.pass(time.Second)
	s.End(nil)
	s.Part("phase", "too long", before, c.now().Add(time.Hour), nil)
	events, lanes := written(t, r)
	for _, e := range events {
		if e.TS != 1e6 || e.Dur != 1e6 {
			t.Errorf("%s: ts %v, dur %v; want it to be as long as the whole", e.Name, e.TS, e.Dur)
		}
		if unfinished := e.Args["unfinished"] == true; unfinished != (e.Name == "left open" || e.Name == "deep") {
			t.Errorf("%s: args %v", e.Name, e.Args)
		}
	}
	if len(events) != 4 || len(lanes) != 2 {
		t.Errorf("%d events on %d lanes; want 4, and the one that runs beside another part on a second lane", len(events), len(lanes))
	}
}

// A clock that is set back makes an odd picture, but a valid one.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := trace.New(c.now)
	whole := r.Start("slot", "build", "whole", nil)
	c.pass(10 * time.Second)
	whole.End(nil)
	c.pass(-5 * time.Second)
	part := whole.Start("phase", "part", nil)
	c.pass(10 * time.Second)
	part.End(nil)
	negative := r.Start("slot", "build", "negative", nil)
	c.pass(-time.Hour)
	negative.End(nil)
	events, lanes := written(t, r)
	want := []event{
		{Name: "whole", Cat: "build", Ph: "X", Dur: 10e6, PID: 1, TID: 1},
		{Name: "negative", Cat: "build", Ph: "X", TS: 15e6, PID: 1, TID: 1},
		{Name: "part", Cat: "phase", Ph: "X", TS: 5e6, Dur: 10e6, PID: 1, TID: 2},
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Args" }, cmp.Ignore())
	if diff := cmp.Diff(want, events, ignore); diff != "" || len(lanes) != 2 {
		t.Errorf("%d lanes, events (-want +got):\n%s", len(lanes), diff)
	}
}

func TestNilRecordsNothing(t *testing.T) {
	t.Parallel()
	var r *trace.Recorder
	s := r.Start("slot", "build", "x", nil)
	s.Start("phase", "y", nil).End(nil)
	s.Part("phase", "z", time.Now(), time.Now(), nil)
	s.End(nil)
	r.Instant("i", nil)
	if s != nil {
		t.Error("a nil Recorder made a span")
	}
}

// drawn is a span that a property test has made, and what is known of it.
type drawn struct {
	span         *trace.Span
	parent       int // -1: none
	began, ended time.Duration
	open         bool
}

// Whatever is recorded is there, once, with its times to the nanosecond; on a
// lane spans nest or lie apart; a lane is used again as soon as it is free.
func TestAnySpans(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		r := trace.New(c.now)
		spans, now := draw(t, c, r)
		events, lanes := written(t, r)
		if len(events) != len(spans) {
			t.Fatalf("%d events; want %d", len(events), len(spans))
		}
		seen := map[int]event{}
		for _, e := range events {
			id := int(e.Name[0]-'A')*26 + int(e.Name[1]-'A')
			if _, twice := seen[id]; twice || lanes[e.TID] == "" {
				t.Fatalf("%s is there twice, or on no lane: %v", e.Name, lanes)
			}
			seen[id] = e
			s := spans[id]
			if s.open {
				s.ended = now
			}
			if math.Abs(e.TS*1000-float64(s.began)) > 0.5 || math.Abs(e.Dur*1000-float64(s.ended-s.began)) > 0.5 {
				t.Fatalf("%s: ts %v, dur %v; want %v to %v", e.Name, e.TS, e.Dur, s.began, s.ended)
			}
		}
		apart(t, events)
		if most := crowd(events); len(lanes) > most {
			t.Fatalf("%d lanes; never more than %d spans ran at a time", len(lanes), most)
		}
	})
}

// draw makes spans in random order, up to 60 of them, and returns them with
// the time at the end.
func draw(t *rapid.T, c *clock, r *trace.Recorder) (spans []drawn, now time.Duration) {
	for range rapid.IntRange(0, 120).Draw(t, "actions") {
		pause := time.Duration(rapid.IntRange(0, 3000).Draw(t, "pause"))
		c.pass(pause)
		now += pause
		id := len(spans)
		name := string([]byte{'A' + byte(id/26), 'A' + byte(id%26)})
		switch i := rapid.IntRange(-1, id-1).Draw(t, "which"); {
		case i >= 0 && rapid.Bool().Draw(t, "end"):
			spans[i].span.End(nil)
			ends(spans, i, now)
		case id == 60:
		case i >= 0 && spans[i].open:
			spans = append(spans, drawn{spans[i].span.Start("phase", name, nil), i, now, 0, true})
		default:
			spans = append(spans, drawn{r.Start("slot", "step", name, nil), -1, now, 0, true})
		}
	}
	return spans, now
}

// ends is what End shall do.
func ends(spans []drawn, i int, now time.Duration) {
	if !spans[i].open {
		return
	}
	spans[i].open, spans[i].ended = false, now
	for j := range spans {
		if spans[j].parent == i {
			ends(spans, j, now)
		}
	}
}

// apart fails where two spans of a lane overlap and neither holds the other.
func apart(t *rapid.T, events []event) {
	for i, a := range events {
		for _, b := range events[:i] {
			if a.TID != b.TID || a.TS+a.Dur <= b.TS+1e-4 || b.TS+b.Dur <= a.TS+1e-4 {
				continue
			}
			inside := func(a, b event) bool { return a.TS >= b.TS-1e-4 && a.TS+a.Dur <= b.TS+b.Dur+1e-4 }
			if !inside(a, b) && !inside(b, a) {
				t.Fatalf("lane %d: %+v and %+v overlap", a.TID, a, b)
			}
		}
	}
}

// crowd is how many spans ran at a time, at most.
func crowd(events []event) int {
	most := 0
	for _, a := range events {
		n := 0
		for _, b := range events {
			if b.TS <= a.TS && (a.TS < b.TS+b.Dur-1e-4 || b.TS == a.TS) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	r := trace.New(time.Now)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				s := r.Start("slot", "build", "s", nil)
				s.Start("phase", "make", nil).End(nil)
				r.Instant("i", nil)
				s.End(trace.Args{"end": "built"})
			}
		})
	}
	for range 10 {
		var b strings.Builder
		if err := r.Write(&b, "while it runs"); err != nil || !json.Valid([]byte(b.String())) {
			t.Error("a trace that is written meanwhile is not valid", err)
		}
	}
	all.Wait()
	events, lanes := written(t, r)
	if len(events) != 8*50*3 || len(lanes) > 8 {
		t.Errorf("%d events on %d lanes; want 1200 on at most 8", len(events), len(lanes))
	}
}
