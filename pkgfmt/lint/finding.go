package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Severity is how bad a finding is.
type Severity string

// The severities. An error makes a package that does not work, or harms the
// machine that installs it; a warning works in some places only; a note is worth
// knowing and no reason to act.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// A Finding is one thing that a rule has to say.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// File is the path as the caller named what it is in; inside a package it
	// is PACKAGE!/PATH.
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; 0: none
	Text string `json:"text"`           // lower case, no full stop
	Hint string `json:"hint,omitempty"` // what to do about it
}

// String returns "file:line: severity: text [rule]".
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	return fmt.Sprintf("%s: %s: %s [%s]", place, f.Severity, f.Text, f.Rule)
}

// Worst returns the highest severity among findings, "" for none.
func Worst(findings []Finding) Severity {
	for _, s := range []Severity{Error, Warning, Note} {
		if slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == s }) {
			return s
		}
	}
	return ""
}

// inOrder sorts findings by place, then rule, and drops doubles.
func inOrder(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(findings)
}

// printable makes text of a stranger's file fit for a line on a terminal.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == '\u2028' || c == '\u2029' {
			return '\uFFFD'
		}
		return c
	}, s)
}
