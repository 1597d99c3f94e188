package report

import (
	"time"

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
	Still string // version that stays in place: "it87/1 is still installed"; may be empty
}

// Summary prints one line for each outcome that changed something or failed,
// and one hint when something failed.
func (c Console) Summary(outcomes []Outcome, hint string) {}

// Phase is a part of a run, for Timing.
type Phase struct {
	Of       string // what it belongs to; may be empty
	Name     string
	Duration time.Duration
}

// Timing prints a table of where the time went.
func (c Console) Timing(phases []Phase) {}
