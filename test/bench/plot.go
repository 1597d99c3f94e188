package bench

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"
)

// A Plot shows times over numbers, both in logarithms: there linear growth is
// a line of slope 1, and a steeper one shows.
type Plot struct {
	Title, X string
	Lines    []Line
}

// A Line is named at its right end. Colour counts the colours there are, and
// begins again after the last.
type Line struct {
	Name   string
	Colour int
	Dashed bool
	Points []Point // by N
}

// The picture's measures, in pixels; the space to the right is for names.
const (
	plotWidth, plotHeight = 760.0, 420.0
	left, right           = 64.0, 190.0
	top, bottom           = 44.0, 52.0
)

// plotStyle has a second set of colours for who reads in the dark.
const plotStyle = `
.paper{fill:#fff} text{font:13px system-ui,sans-serif;fill:#333} .title{font-size:15px;font-weight:600}
.grid{stroke:#e4e4e4} .guide{stroke:#999;stroke-dasharray:2 4} .note{fill:#666}
.line{fill:none;stroke-width:2} .dashed{stroke-dasharray:7 4}
.line.c0{stroke:#1f6fc4} .dot.c0{fill:#1f6fc4} .line.c1{stroke:#c2571a} .dot.c1{fill:#c2571a}
@media (prefers-color-scheme:dark){
.paper{fill:#16181c} text{fill:#ddd} .grid{stroke:#33363c} .guide{stroke:#777} .note{fill:#999}
.line.c0{stroke:#6cb2f5} .dot.c0{fill:#6cb2f5} .line.c1{stroke:#f0975c} .dot.c1{fill:#f0975c}
}`

const plotColours = 2

// scale maps a decade range to pixels.
type scale struct{ first, last, from, to float64 }

func (s scale) at(v float64) float64 {
	return s.from + (math.Log10(v)-s.first)/(s.last-s.first)*(s.to-s.from)
}

// decades are the powers of ten that span the values.
func decades(values []float64, from, to float64) scale {
	first, last := math.Floor(math.Log10(slices.Min(values))+1e-9), math.Ceil(math.Log10(slices.Max(values))-1e-9)
	return scale{first, max(last, first+1), from, to}
}

// SVG draws the plot. There must be a point.
func (p Plot) SVG() string {
	var ns, times []float64
	for _, l := range p.Lines {
		for _, point := range l.Points {
			ns, times = append(ns, float64(point.N)), append(times, point.Took.Seconds())
		}
	}
	x, y := decades(ns, left, plotWidth-right), decades(times, plotHeight-bottom, top)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`+"\n<style>%s\n</style>\n",
		plotWidth, plotHeight, html.EscapeString(p.Title), plotStyle)
	fmt.Fprintf(&b, `<rect class="paper" width="%g" height="%g" rx="6"/>`+"\n", plotWidth, plotHeight)
	text(&b, "title", "start", left, 26, p.Title)
	p.grid(&b, x, y)
	p.guide(&b, x, y)
	for _, l := range p.Lines {
		l.draw(&b, x, y)
	}
	p.names(&b, x, y)
	b.WriteString("</svg>\n")
	return b.String()
}

func text(b *strings.Builder, class, anchor string, x, y float64, s string) {
	fmt.Fprintf(b, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, anchor, x, y, html.EscapeString(s))
}

func segment(b *strings.Builder, class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

func (p Plot) grid(b *strings.Builder, x, y scale) {
	for d := x.first; d <= x.last; d++ {
		at := x.at(math.Pow(10, d))
		segment(b, "grid", at, top, at, plotHeight-bottom)
		text(b, "", "middle", at, plotHeight-bottom+18, fmt.Sprintf("%.0f", math.Pow(10, d)))
	}
	for d := y.first; d <= y.last; d++ {
		at := y.at(math.Pow(10, d))
		segment(b, "grid", left, at, plotWidth-right, at)
		text(b, "", "end", left-8, at+4, axisTime(d))
	}
	text(b, "note", "middle", (left+plotWidth-right)/2, plotHeight-12, p.X)
}

// axisTime is ten to that power, in seconds.
func axisTime(power float64) string {
	return time.Duration(math.Round(math.Pow(10, power+9))).String()
}

// guide is what linear growth would look like, up to the highest last point.
func (p Plot) guide(b *strings.Builder, x, y scale) {
	var end Point
	for _, l := range p.Lines {
		if last := l.Points[len(l.Points)-1]; last.Took > end.Took {
			end = last
		}
	}
	n, took := float64(end.N), end.Took.Seconds()
	begin := max(math.Pow(10, x.first), n*math.Pow(10, y.first)/took)
	segment(b, "guide", x.at(begin), y.at(took*begin/n), x.at(n), y.at(took))
	text(b, "note", "start", x.at(begin)+8, y.at(took*begin/n)-22, "linear")
}

func (l Line) class(kind string) string {
	if l.Dashed {
		kind += " dashed"
	}
	return fmt.Sprintf("%s c%d", kind, l.Colour%plotColours)
}

func (l Line) draw(b *strings.Builder, x, y scale) {
	fmt.Fprintf(b, `<polyline class="%s" points="`, l.class("line"))
	for _, p := range l.Points {
		fmt.Fprintf(b, "%.1f,%.1f ", x.at(float64(p.N)), y.at(p.Took.Seconds()))
	}
	b.WriteString(`"/>` + "\n")
	for _, p := range l.Points {
		fmt.Fprintf(b, `<circle class="%s" cx="%.1f" cy="%.1f" r="3.5"><title>%s: %d: %s</title></circle>`+"\n",
			l.class("dot"), x.at(float64(p.N)), y.at(p.Took.Seconds()), html.EscapeString(l.Name), p.N, Seconds(p.Took))
	}
}

// names writes each line's name at its end, from the top down, no two upon
// each other.
func (p Plot) names(b *strings.Builder, x, y scale) {
	lines := slices.SortedFunc(slices.Values(p.Lines), func(a, b Line) int {
		return int(b.Points[len(b.Points)-1].Took - a.Points[len(a.Points)-1].Took)
	})
	least := 0.0
	for _, l := range lines {
		end := l.Points[len(l.Points)-1]
		at := max(y.at(end.Took.Seconds())+4, least)
		least = at + 17
		text(b, "", "start", x.at(float64(end.N))+10, at, l.Name+": "+Seconds(end.Took))
	}
}
