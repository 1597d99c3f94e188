package page

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/record"
)

// chart is bars on a common axis of time.
type chart struct {
	Ticks []tick
	Step  string // percent from tick to tick
	Rows  []row
	Many  bool // too many rows to be shown unasked
}

type tick struct{ At, Text string }

// row is a line of a chart: a slot, or a package on a kernel.
type row struct {
	Name, Kernel string
	Took         string
	Failed       bool
	Count        int // of steps, those too short to be drawn included
	Steps        []step
}

// step is one bar; its parts are within the step, in the lanes, or within the
// whole chart.
type step struct {
	At, Wide string // percent of the chart
	Title    string // all that is known, as text
	Label    string
	Room     string // class of the style sheet: how wide a screen must be for the label
	Failed   bool
	Parts    []part
}

type part struct{ Class, At, Wide string }

// stage is a class of the style sheet for each phase of a build, and for each
// other step. Few, so that all people can tell them apart.
var stage = map[string]string{
	"copy": "p", "patch": "p", "pre-build": "p",
	"make":   "c",
	"verify": "f", "strip": "f", "sign": "f", "compress": "f", "post-build": "f", "sync": "f",
	"install": "i", "installed": "i",
	"depmod": "k", "initramfs": "k", "post-transaction": "k",
}

// narrow is the part of a chart that would be less than half a pixel.
const narrow = 3000

// manyRows is how many rows of a chart are shown unasked.
const manyRows = 60

// span is a step with its place in time, in seconds from the run's beginning.
type span struct {
	from, to     float64
	name, kernel string // of the row
	what         string
	failed       bool
	why          string
	phases       []record.Phase
}

// charts returns the same steps twice: by what ran beside what, and by package
// and kernel.
func charts(r record.Run) (lanes, rows chart) {
	spans := spansOf(r)
	if len(spans) == 0 {
		return chart{}, chart{}
	}
	end := long(r)
	for _, s := range spans {
		end = max(end, s.to)
	}
	end = max(end, 0.001)
	lanes.Ticks, lanes.Step = axis(end)
	rows.Ticks, rows.Step = lanes.Ticks, lanes.Step
	for i, lane := range laid(spans) {
		one := row{Name: fmt.Sprintf("slot %d", i+1)}
		busy := 0.0
		for _, s := range lane {
			if s.to-s.from >= end/narrow || s.failed {
				one.Steps = append(one.Steps, s.inLane(end))
			}
			busy += s.to - s.from
		}
		one.Count = len(lane)
		one.Took = percentOf(busy, end)
		lanes.Rows = append(lanes.Rows, one)
	}
	rows.Rows = byRef(spans, end)
	rows.Many = len(rows.Rows) > manyRows
	return lanes, rows
}

// spansOf returns the steps whose time is known, by their beginning.
func spansOf(r record.Run) []span {
	var out []span
	add := func(s span, began time.Time, seconds float64) {
		if began.IsZero() || r.Began.IsZero() {
			return
		}
		s.from = max(began.Sub(r.Began).Seconds(), 0)
		s.to = s.from + max(seconds, 0)
		out = append(out, s)
	}
	for _, o := range r.Outcomes {
		what := cmp.Or(o.Step, string(o.Did))
		add(span{name: o.Ref().Package.String(), kernel: o.Release, what: what, failed: o.Did == record.Failed, why: o.Why, phases: o.Phases}, o.Began, o.Seconds)
	}
	for _, k := range r.Kernels {
		add(span{name: k.Step, kernel: k.Release, what: k.Step, failed: k.Error != ""}, k.Began, k.Seconds)
	}
	slices.SortStableFunc(out, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return out
}

// laid puts spans on as few lanes as possible, so that none overlap.
func laid(spans []span) [][]span {
	var lanes [][]span
	for _, s := range spans {
		i := slices.IndexFunc(lanes, func(l []span) bool { return l[len(l)-1].to <= s.from+0.0005 })
		if i < 0 {
			i, lanes = len(lanes), append(lanes, nil)
		}
		lanes[i] = append(lanes[i], s)
	}
	return lanes
}

// byRef makes a row for each package and kernel, in the order of their
// beginnings.
func byRef(spans []span, end float64) []row {
	var rows []row
	place, sum := map[[2]string]int{}, map[int]float64{}
	for _, s := range spans {
		key := [2]string{s.name, s.kernel}
		i, known := place[key]
		if !known {
			i = len(rows)
			place[key] = i
			rows = append(rows, row{Name: s.name, Kernel: s.kernel})
		}
		rows[i].Steps = append(rows[i].Steps, s.inRow(end))
		rows[i].Failed = rows[i].Failed || s.failed
		sum[i] += s.to - s.from
	}
	for i := range rows {
		rows[i].Took = took(sum[i])
	}
	return rows
}

func (s span) inLane(end float64) step {
	wide := (s.to - s.from) / end
	return step{At: percent(s.from / end), Wide: percent(wide), Title: s.brief(), Label: s.name, Room: room(s.name, wide), Failed: s.failed,
		Parts: s.parts(0, s.to-s.from)}
}

func (s span) inRow(end float64) step {
	return step{At: percent(s.from / end), Wide: percent((s.to - s.from) / end), Title: s.whole(), Failed: s.failed, Parts: s.parts(s.from, end)}
}

// parts are the stages of s, one after the other, where s begins at from of
// end. What no phase covers belongs to the one before.
func (s span) parts(from, end float64) []part {
	whole := s.to - s.from
	classes, begins := []string{cmp.Or(stage[s.what], "o")}, []float64{0}
	if len(s.phases) > 0 {
		classes[0] = cmp.Or(stage[s.phases[0].Name], "o")
	} else if s.what == "build" || s.what == "built" || s.what == string(record.Failed) {
		classes[0] = "c"
	}
	for _, p := range s.phases {
		class := cmp.Or(stage[p.Name], "o")
		if after := min(max(p.After, begins[len(begins)-1]), whole); class != classes[len(classes)-1] {
			classes, begins = append(classes, class), append(begins, after)
		}
	}
	var out []part
	for i, class := range classes {
		to := whole
		if i+1 < len(begins) {
			to = begins[i+1]
		}
		if to-begins[i] >= end/narrow || len(classes) == 1 {
			out = append(out, part{class, percent((from + begins[i]) / max(end, 1e-9)), percent((to - begins[i]) / max(end, 1e-9))})
		}
	}
	return out
}

// brief is s as one line.
func (s span) brief() string {
	text := s.what + " " + s.name
	if s.what == s.name {
		text = s.what
	}
	if s.kernel != "" {
		text += " for " + s.kernel
	}
	text += ": " + took(s.to-s.from)
	if s.failed {
		text += ", failed"
	}
	return text
}

// whole is all that is known of s.
func (s span) whole() string {
	text := fmt.Sprintf("%s: %s from %s", s.what, took(s.to-s.from), took(s.from))
	if s.failed {
		text += ", failed"
	}
	var phases []string
	for _, p := range s.phases {
		phases = append(phases, p.Name+" "+took(p.Seconds))
	}
	if len(phases) > 0 {
		text += " (" + strings.Join(phases, ", ") + ")"
	}
	if s.why != "" {
		text += "; why: " + s.why
	}
	return text
}

// room is the class of labels that need so wide a chart: some 6.5 pixels for a
// character. Empty: there is never room.
func room(label string, share float64) string {
	need := (6.5*float64(len(label)) + 6) / max(share, 1e-9)
	for _, r := range []struct {
		pixels float64
		class  string
	}{{330, "n0"}, {650, "n1"}, {1000, "n2"}, {1350, "n3"}} {
		if need <= r.pixels {
			return r.class
		}
	}
	return ""
}

// axis returns the marks for a chart of so many seconds, six at most.
func axis(end float64) (ticks []tick, step string) {
	steps := []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200}
	every := steps[len(steps)-1]
	if i := slices.IndexFunc(steps, func(s float64) bool { return end/s <= 6 }); i >= 0 {
		every = steps[i]
	}
	for every*6 < end {
		every *= 2
	}
	for i := 0; float64(i)*every < end*0.96; i++ {
		ticks = append(ticks, tick{percent(float64(i) * every / end), clock(float64(i)*every, every)})
	}
	return ticks, percent(every / end)
}

// clock is a mark on the axis.
func clock(at, every float64) string {
	switch {
	case at == 0:
		return "0"
	case every < 1:
		return strconv.FormatFloat(at, 'f', -1, 64) + " s"
	case every < 60 && at < 60:
		return fmt.Sprintf("%.0f s", at)
	case every < 600:
		return fmt.Sprintf("%d:%02d", int(at)/60, int(at)%60)
	}
	if every < 3600 {
		return fmt.Sprintf("%.0f min", at/60)
	}
	return fmt.Sprintf("%.0f h", at/3600)
}

// percent is a share with two digits, as SVG and CSS take it.
func percent(share float64) string {
	text := strconv.FormatFloat(100*share, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

func percentOf(part, whole float64) string { return fmt.Sprintf("%.0f %% busy", 100*part/whole) }
