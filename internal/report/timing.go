package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Phase is a part of a run, for Timing.
type Phase struct {
	Of       string // what it belongs to; may be empty
	Name     string
	Duration time.Duration
}

// Timing prints a table of where the time went: the phases in their order,
// below what they belong to, and their sum.
func (c Console) Timing(phases []Phase) {
	if c.Quiet || len(phases) == 0 {
		return
	}
	var total time.Duration
	wide := len("total")
	for _, p := range phases {
		total += p.Duration
		wide = max(wide, utf8.RuneCountInString(p.Name))
	}
	var b strings.Builder
	of := ""
	for _, p := range phases {
		if p.Of != of {
			of = p.Of
			fmt.Fprintf(&b, "%s\n", plain(of))
		}
		row(&b, wide, plain(p.Name), p.Duration, total)
	}
	row(&b, wide, "total", total, total)
	_, _ = io.WriteString(c.W, b.String())
}

func row(b *strings.Builder, wide int, name string, d, total time.Duration) {
	share := 100.0
	if total > 0 {
		share = 100 * float64(d) / float64(total)
	}
	fill := strings.Repeat(" ", wide-utf8.RuneCountInString(name))
	fmt.Fprintf(b, "  %s%s  %9s  %3.0f %%\n", name, fill, brief(d), share)
}

// brief is a duration with as many digits as matter.
func brief(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return elapsed(d)
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
