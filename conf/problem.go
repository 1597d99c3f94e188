package conf

import (
	"fmt"
	"strings"
)

// A Problem is one thing that is wrong, or odd, in a configuration file.
type Problem struct {
	File string // path as the reader knows it; empty for a --directive
	Line int    // from 1; 0 when the problem has no line, such as something missing
	Text string // "no such regular expression", lower case, no full stop
	// Deprecated marks a directive that means nothing any more: of interest to
	// who maintains the package, not to who builds it.
	Deprecated bool
}

// String returns "file:line: text".
func (p Problem) String() string {
	switch {
	case p.File == "":
		return p.Text
	case p.Line == 0:
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Invalid is the error for a dkms.conf that cannot be used: every problem that
// was found, not only the first. It comes wrapped in a *dkms.Error of Kind
// ConfInvalid.
type Invalid struct {
	Problems []Problem
}

// Error returns the problem, or how many there are and then each on a line.
func (e *Invalid) Error() string {
	var lines []string
	if len(e.Problems) != 1 {
		lines = append(lines, fmt.Sprintf("%d problems", len(e.Problems)))
	}
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}
