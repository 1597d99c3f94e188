package trace

import (
	"maps"
	"sync"
	"time"
)

// Args are what a person may want to know of an event: the reason for a step,
// how it ended. Values are strings, numbers or booleans.
type Args map[string]any

// Recorder collects events. Its methods may be called by any goroutine.
type Recorder struct {
	now   func() time.Time
	began time.Time

	mu     sync.Mutex // guards what follows, and all spans
	spans  []*Span    // a parent is before its children
	points []point
}

// New returns a Recorder whose time begins now; times are what now returns.
func New(now func() time.Time) *Recorder { return &Recorder{now: now, began: now()} }

// Span is something that took time. A nil *Span records nothing.
type Span struct {
	r        *Recorder
	parent   *Span  // nil: it stands on a lane by itself
	group    string // of lanes; the parent's
	category string
	name     string
	args     Args
	began    time.Duration
	ended    time.Duration
	open     bool
	parts    []*Span
}

// point is an event that took no time.
type point struct {
	name string
	args Args
	at   time.Duration
}

// Start begins a span on a lane of its own in the group of lanes: "slot" gives
// "slot 1", "slot 2", …, as many as are needed at a time. The span of a group
// that was begun first is on the first lane.
func (r *Recorder) Start(group, category, name string, args Args) *Span {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(&Span{group: group, category: category, name: name, args: args, began: r.at(r.now()), open: true})
}

// Start begins a part of s, on the same lane; beside another part of s that
// runs at the same time on another one.
func (s *Span) Start(category, name string, args Args) *Span {
	if s == nil {
		return nil
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.r.add(&Span{parent: s, group: s.group, category: category, name: name, args: args, began: s.r.at(s.r.now()), open: true})
}

// Part adds a part of s that was measured elsewhere. It is cut to what s has of
// time.
func (s *Span) Part(category, name string, began, ended time.Time, args Args) {
	if s == nil {
		return
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	last := s.ended
	if s.open {
		last = s.r.at(s.r.now())
	}
	from := min(max(s.r.at(began), s.began), last)
	s.r.add(&Span{parent: s, group: s.group, category: category, name: name, args: args,
		began: from, ended: min(max(s.r.at(ended), from), last)})
}

// End ends s, and the parts of it that still run; args are added to those of
// the start. A second End does nothing.
func (s *Span) End(args Args) {
	if s == nil {
		return
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if !s.open {
		return
	}
	s.args = merged(s.args, args)
	s.end(s.r.at(s.r.now()))
}

func (s *Span) end(at time.Duration) {
	s.open, s.ended = false, max(at, s.began)
	for _, part := range s.parts {
		if part.open {
			part.args = merged(part.args, Args{"unfinished": true})
			part.end(s.ended)
		}
	}
}

// Instant records that something happened, without a duration.
func (r *Recorder) Instant(name string, args Args) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.points = append(r.points, point{name: name, args: args, at: r.at(r.now())})
}

func (r *Recorder) add(s *Span) *Span {
	s.r = r
	r.spans = append(r.spans, s)
	if s.parent != nil {
		s.parent.parts = append(s.parent.parts, s)
	}
	return s
}

// at is t as time since the Recorder's beginning.
func (r *Recorder) at(t time.Time) time.Duration { return max(t.Sub(r.began), 0) }

func merged(a, b Args) Args {
	out := maps.Clone(a)
	if out == nil {
		out = Args{}
	}
	maps.Copy(out, b)
	return out
}
