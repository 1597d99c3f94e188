package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/term"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Console is where a run's messages go, and how.
type Console struct {
	W      io.Writer // usually standard error
	Colour bool
	Quiet  bool // errors and failures only
}

// Terminal reports whether w is a terminal that can move its cursor.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// Colours reports whether to write colours to w: on a terminal, unless the
// person does not want them (NO_COLOR, https://no-color.org).
func Colours(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && Terminal(w) }

// Problem prints each of the errors joined in err as "error: object: problem",
// further lines of it indented, and its hints on lines of their own.
func (c Console) Problem(err error) { c.tell(c.paint(red, "error:"), err) }

// WarnOf prints each of the errors joined in err as "warning: object: problem",
// and its hints: what it is about goes on without.
func (c Console) WarnOf(err error) {
	if !c.Quiet {
		c.tell(c.paint(yellow, "warning:"), err)
	}
}

func (c Console) tell(head string, err error) {
	for _, e := range separate(err) {
		c.print(head, e.Error())
		for _, hint := range hints(e) {
			c.print("  "+c.paint(bold, "hint:"), hint)
		}
		if log := logOf(e); log != "" {
			c.print("  "+c.paint(bold, "log:"), log)
		}
	}
}

// logOf returns the log that the outermost layer of err knows of.
func logOf(err error) string {
	var e *dkms.Error
	if !errors.As(err, &e) {
		return ""
	}
	if e.Log == "" && e.Err != nil {
		return logOf(e.Err)
	}
	return e.Log
}

// Warn prints "warning: text".
func (c Console) Warn(text string) {
	if !c.Quiet {
		c.print(c.paint(yellow, "warning:"), text)
	}
}

// Notice prints a line of information.
func (c Console) Notice(text string) {
	if !c.Quiet {
		c.print("", text)
	}
}

// Quietly has fn print errors only: what it finds is told in another way.
func (c *Console) Quietly(fn func()) {
	quiet := c.Quiet
	c.Quiet = true
	defer func() { c.Quiet = quiet }()
	fn()
}

// print writes head and text as one line, and what follows in text indented
// below it. It is one Write, so that lines of several runs do not mix; its
// error is dropped, because there is nobody left to tell.
func (c Console) print(head, text string) {
	var lines []string
	for line := range strings.Lines(text) {
		if line = plain(strings.TrimSpace(line)); line != "" {
			lines = append(lines, line)
		}
	}
	out := strings.TrimSpace(head + " " + strings.Join(lines, "\n    "))
	if strings.HasPrefix(head, "  ") {
		out = "  " + out
	}
	_, _ = io.WriteString(c.W, out+"\n")
}

// The colours: parameters of "select graphic rendition" (ECMA-48, 8.3.117).
const (
	bold   = "1"
	red    = "1;31"
	green  = "32"
	yellow = "1;33"
	faint  = "2"
)

func (c Console) paint(colour, text string) string {
	if !c.Colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// separate takes apart what errors.Join put together, at any depth, and leaves
// errors with words of their own whole.
func separate(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error }) // only the outermost layer is meant
	if !ok {
		return []error{err}
	}
	parts := joined.Unwrap()
	if err.Error() != errors.Join(parts...).Error() {
		return []error{err}
	}
	var all []error
	for _, part := range parts {
		all = append(all, separate(part)...)
	}
	return all
}

// hints returns the hints of every layer of err, from outside in, each once.
func hints(err error) []string {
	var all []string
	for err != nil {
		var e *dkms.Error
		if !errors.As(err, &e) {
			break
		}
		if e.Hint != "" && !slices.Contains(all, e.Hint) {
			all = append(all, e.Hint)
		}
		err = e.Err
	}
	return all
}

// plain replaces what would steer a terminal: names and compiler output come
// from others.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, text)
}

// About names a Ref in a sentence: "NAME/VER for RELEASE", or "NAME/VER".
func About(r dkms.Ref) string {
	if r.Release == "" {
		return r.Package.String()
	}
	return fmt.Sprintf("%s for %s", r.Package, r.Release)
}
