package report

import (
	"io"
	"time"
)

// ProgressOptions say how progress is shown.
type ProgressOptions struct {
	// Terminal has lines redrawn in place; without it there is a line at the
	// start and the end of each task.
	Terminal bool
	Width    func() int       // columns of the terminal; nil: 80
	Now      func() time.Time // nil: time.Now
	Colour   bool
	Quiet    bool // show nothing
}

// Progress shows what runs at the moment. All its methods may be called from
// any goroutine.
type Progress struct{}

// NewProgress returns a Progress that writes to w, usually standard error.
// Close ends it.
func NewProgress(w io.Writer, o ProgressOptions) *Progress { return &Progress{} }

// Start shows a task; label is what people read: "build it87/eol for 6.1.0-56-amd64".
func (p *Progress) Start(id, label string) {}

// Line is the task's last word: a phase, or a line that its build printed.
func (p *Progress) Line(id, text string) {}

// End removes a task. result is how it ended: "built", "failed".
func (p *Progress) End(id, result string) {}

// Write prints whole lines between the progress lines, so that messages and
// progress can share a terminal.
func (p *Progress) Write(b []byte) (int, error) { return len(b), nil }

// Close removes what is still shown.
func (p *Progress) Close() {}
