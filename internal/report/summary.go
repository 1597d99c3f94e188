package report

import (
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Outcome is what became of one package for one kernel in a run.
type Outcome struct {
	Ref    dkms.Ref // Release empty: the package itself
	Did    string   // "installed", "built", "removed"; empty when nothing changed
	Detail string   // "in place of it87/1"; may be empty
	Err    error    // why it failed; nil: it did not
	Fail   *Failure // for a failed build
}

// Failure is a failed build as a person needs it.
type Failure struct {
	Class string // "kernel API change"
	First string // first error: "file:line: message"
	Log   string // path of the log
	Still string // what stays in place: "it87/1 is still installed"; may be empty
}

// Summary prints a line for each outcome that changed something or failed, and
// the hint, if there is one and something failed. With Quiet it prints the
// failures only.
func (c Console) Summary(outcomes []Outcome, hint string) {
	failed := false
	said := map[string]bool{hint: true, "": true}
	for _, o := range outcomes {
		switch {
		case o.Err != nil || o.Fail != nil:
			c.failed(o)
			c.hints(o.Err, said)
			failed = true
		case o.Did != "" && !c.Quiet:
			head := About(o.Ref) + ": " + c.paint(green, plain(o.Did))
			if o.Detail != "" {
				head += ","
			}
			c.print(head, o.Detail)
		}
	}
	if failed && hint != "" {
		c.print("  "+c.paint(bold, "hint:"), hint)
	}
}

// hints prints those of err that have not been said, and adds them to said.
func (c Console) hints(err error, said map[string]bool) {
	for _, hint := range hints(err) {
		if !said[hint] {
			c.print("  "+c.paint(bold, "hint:"), hint)
			said[hint] = true
		}
	}
}

// failed prints "NAME/VER for RELEASE: CLASS: FILE:LINE: MESSAGE" and what
// else there is to know, or the error where it is not about a build.
func (c Console) failed(o Outcome) {
	head := c.paint(red, About(o.Ref)+":")
	if o.Fail == nil {
		c.print(head, Bare(o.Ref, o.Err.Error()))
		return
	}
	text := Joined(": ", o.Fail.Class, o.Fail.First)
	if text == "" && o.Err != nil {
		text = Bare(o.Ref, o.Err.Error())
	}
	c.print(head, text)
	if o.Fail.Still != "" {
		c.print("  note:", o.Fail.Still)
	}
	if o.Fail.Log != "" {
		c.print("  log:", o.Fail.Log)
	}
}

// Bare is what an error says of ref, for a line that says already what it is about.
func Bare(ref dkms.Ref, problem string) string {
	for _, object := range []string{ref.String(), About(ref), ref.Package.String()} {
		if rest, ok := strings.CutPrefix(problem, object+": "); ok {
			return rest
		}
	}
	return problem
}

// Joined joins the words that are not empty.
func Joined(separator string, words ...string) string {
	var some []string
	for _, w := range words {
		if w != "" {
			some = append(some, w)
		}
	}
	return strings.Join(some, separator)
}
