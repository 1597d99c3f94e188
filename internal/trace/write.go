package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// event is one of the Trace Event Format. Numbers are kept as text, so that a
// nanosecond is not lost to rounding.
type event struct {
	Name     string      `json:"name"`
	Category string      `json:"cat,omitempty"`
	Phase    string      `json:"ph"` // X: complete, i: instant, M: metadata
	At       json.Number `json:"ts"` // in microseconds
	Duration json.Number `json:"dur,omitempty"`
	Process  int         `json:"pid"`
	Lane     int         `json:"tid"`
	Scope    string      `json:"s,omitempty"` // of an instant: p, the whole process
	Args     Args        `json:"args,omitempty"`
}

// Write writes all that has been recorded as one JSON object; title names
// the whole. Spans that still run end now and say "unfinished"; the Recorder
// stays as it is.
func (r *Recorder) Write(w io.Writer, title string) error {
	spans, points := r.snapshot()
	out := bufio.NewWriter(w)
	fmt.Fprint(out, `{"displayTimeUnit":"ms","traceEvents":[`)
	separator := "\n"
	for _, e := range events(spans, points, title) {
		text, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		fmt.Fprintf(out, "%s%s", separator, text)
		separator = ",\n"
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}

// snapshot copies the events, with those that run ended now.
func (r *Recorder) snapshot() ([]*Span, []point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.at(r.now())
	copies := map[*Span]*Span{}
	spans := make([]*Span, 0, len(r.spans))
	for _, s := range r.spans {
		c := *s
		c.parent, c.parts = copies[s.parent], nil
		if c.open {
			c.open, c.ended, c.args = false, max(now, c.began), merged(c.args, Args{"unfinished": true})
		}
		copies[s] = &c
		spans = append(spans, &c)
	}
	return spans, append([]point(nil), r.points...)
}

func events(spans []*Span, points []point, title string) []event {
	out := []event{{Name: "process_name", Phase: "M", At: "0", Process: 1, Args: Args{"name": title}}}
	lanes := assign(spans)
	inGroup, number := map[string]int{}, map[string]int{}
	for _, l := range lanes {
		inGroup[l.group]++
	}
	for i, l := range lanes {
		name := l.group
		if number[name]++; inGroup[name] > 1 {
			name = fmt.Sprintf("%s %d", name, number[name])
		}
		out = append(out,
			event{Name: "thread_name", Phase: "M", At: "0", Process: 1, Lane: i + 1, Args: Args{"name": name}},
			event{Name: "thread_sort_index", Phase: "M", At: "0", Process: 1, Lane: i + 1, Args: Args{"sort_index": i + 1}})
	}
	for i, l := range lanes {
		for _, s := range l.spans {
			out = append(out, event{Name: s.name, Category: s.category, Phase: "X", At: micros(s.began), Duration: micros(s.ended - s.began),
				Process: 1, Lane: i + 1, Args: s.args})
		}
	}
	for _, p := range points {
		out = append(out, event{Name: p.name, Phase: "i", At: micros(p.at), Process: 1, Scope: "p", Args: p.args})
	}
	return out
}

// micros is d in microseconds, exactly.
func micros(d time.Duration) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", d/time.Microsecond, d%time.Microsecond))
}
