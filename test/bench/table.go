package bench

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// A Table is printed in Markdown, its columns aligned: it can be read as it is,
// and stands in docs/benchmarks.md as it was printed.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
	Notes []string // what is to be said of it, below
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Note appends a note.
func (t *Table) Note(format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf(format, args...))
}

// Print writes the table.
func (t *Table) Print(w io.Writer) {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell), 2)
		}
	}
	line := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Fprint(w, "| ", cell, pad, " |")
			} else {
				fmt.Fprint(w, " ", pad, cell, " |")
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n### %s\n\n", t.Title)
	line(t.Head)
	for i := range t.Head {
		if i == 0 {
			fmt.Fprint(w, "|", strings.Repeat("-", width[i]+2), "|")
		} else {
			fmt.Fprint(w, strings.Repeat("-", width[i]+1), ":|")
		}
	}
	fmt.Fprintln(w)
	for _, row := range t.Rows {
		line(row)
	}
	for _, note := range t.Notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// Seconds shows a time with as many digits as can be believed.
func Seconds(d time.Duration) string {
	switch s := d.Seconds(); {
	case s >= 100:
		return fmt.Sprintf("%.0f s", s)
	case s >= 1:
		return fmt.Sprintf("%.1f s", s)
	case s >= 0.1:
		return fmt.Sprintf("%.0f ms", s*1e3)
	default:
		return fmt.Sprintf("%.1f ms", s*1e3)
	}
}

// Ratio shows a part of b: 0.68, or 1/200 where it is small.
func Ratio(a, b time.Duration) string {
	if r := float64(a) / float64(b); r >= 0.1 {
		return fmt.Sprintf("%.2f", r)
	}
	return fmt.Sprintf("1/%.0f", float64(b)/float64(a))
}
