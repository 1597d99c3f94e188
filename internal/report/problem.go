package report

import "io"

// Console is where a run's messages go, and how.
type Console struct {
	W      io.Writer // usually standard error
	Colour bool
	Quiet  bool // no notices, no warnings, no progress, no summary; errors still
}

// Problem prints each of the errors joined in err as "error: object: problem"
// and its hint on a line of its own.
func (c Console) Problem(err error) {}

// Warn prints "warning: text".
func (c Console) Warn(text string) {}

// Notice prints a line of information.
func (c Console) Notice(text string) {}
