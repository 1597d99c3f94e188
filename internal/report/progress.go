package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// ProgressOptions say how progress is shown.
type ProgressOptions struct {
	// Terminal has lines redrawn in place; without it there is a line at the
	// start and the end of each task.
	Terminal bool
	Terse    bool             // without Terminal, say nothing at the end of a task
	Width    func() int       // columns of the terminal; nil: ask it, or 80
	Now      func() time.Time // nil: time.Now
	Colour   bool
	Quiet    bool // show nothing
}

// Progress shows what runs at the moment. All its methods may be called from
// any goroutine.
type Progress struct {
	w    io.Writer
	o    ProgressOptions
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu    sync.Mutex
	tasks []*task
	lines int    // drawn, above the cursor
	rest  []byte // of a line that was written in part
}

type task struct {
	id, label, last string
	began           time.Time
}

const (
	tick     = 200 * time.Millisecond // between two drawings
	maxLines = 8                      // of tasks at a time
)

// NewProgress returns a Progress that writes to w, usually standard error.
// Close ends it.
func NewProgress(w io.Writer, o ProgressOptions) *Progress {
	if o.Width == nil {
		o.Width = func() int { return width(w) }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Progress{w: w, o: o, stop: make(chan struct{})}
	if p.drawn() {
		p.done.Go(p.keepDrawing)
	}
	return p
}

func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}

// drawn reports whether there are lines that are redrawn.
func (p *Progress) drawn() bool { return p.o.Terminal && !p.o.Quiet }

func (p *Progress) keepDrawing() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.mu.Lock()
			_ = p.redraw(nil)
			p.mu.Unlock()
		}
	}
}

// Start shows a task; label is what people read: "build it87/eol for
// 6.1.0-56-amd64". Without a label nothing is shown of it.
func (p *Progress) Start(id, label string) {
	if label == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks = append(p.tasks, &task{id: id, label: plain(label), began: p.o.Now()})
	p.tell(label + " ...")
}

// Line is the task's last word: a phase, or a line that its build printed.
func (p *Progress) Line(id, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text = strings.TrimSpace(text)
	if t := p.find(id); t != nil && text != "" {
		t.last = text // drawn by the next tick: a build prints fast
	}
}

// End removes a task. result is how it ended: "built", "failed".
func (p *Progress) End(id, result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.find(id)
	if t == nil {
		return
	}
	for i := range p.tasks {
		if p.tasks[i] == t {
			p.tasks = append(p.tasks[:i], p.tasks[i+1:]...)
			break
		}
	}
	if p.o.Terse {
		return
	}
	p.tell(fmt.Sprintf("%s: %s (%s)", t.label, result, elapsed(p.o.Now().Sub(t.began))))
}

func (p *Progress) find(id string) *task {
	for _, t := range p.tasks {
		if t.id == id {
			return t
		}
	}
	return nil
}

// tell redraws, or where nothing is drawn prints line.
func (p *Progress) tell(line string) {
	switch {
	case p.o.Quiet:
	case p.o.Terminal:
		_ = p.redraw(nil)
	default:
		_, _ = fmt.Fprintln(p.w, plain(line))
	}
}

// Write prints whole lines between the progress lines, so that messages and
// progress can share a terminal. What follows the last newline waits for its
// own, or for Close.
func (p *Progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, b...)
	end := bytes.LastIndexByte(p.rest, '\n') + 1
	if end == 0 {
		return len(b), nil
	}
	text := p.rest[:end]
	p.rest = append([]byte(nil), p.rest[end:]...)
	if err := p.redraw(text); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close removes what is still shown. Write works on, without progress.
func (p *Progress) Close() {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks = nil
	if len(p.rest) > 0 {
		p.rest = append(p.rest, '\n')
	}
	_ = p.redraw(p.rest)
	p.rest = nil
}

// redraw takes the drawn lines away, writes text, and draws them anew below
// it, all in one Write so that nothing flickers.
func (p *Progress) redraw(text []byte) error {
	var b bytes.Buffer
	if p.lines > 0 {
		// Cursor up, to the first column, erase to the end of the display
		// (console_codes(4)).
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", p.lines)
	}
	b.Write(text)
	p.lines = 0
	if p.drawn() {
		columns := max(p.o.Width()-1, 1) // a full line would wrap on some terminals
		for i, t := range p.tasks {
			if i == maxLines {
				fmt.Fprintf(&b, "%s\n", cut(fmt.Sprintf("and %d more", len(p.tasks)-i), columns))
				p.lines++
				break
			}
			b.WriteString(p.line(t, columns) + "\n")
			p.lines++
		}
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := p.w.Write(b.Bytes())
	return err
}

// line is "LABEL  TIME  LAST WORD", cut to columns.
func (p *Progress) line(t *task, columns int) string {
	head := cut(fmt.Sprintf("%s  %s", t.label, elapsed(p.o.Now().Sub(t.began))), columns)
	room := columns - utf8.RuneCountInString(head) - 2
	if t.last == "" || room < 8 {
		return head
	}
	return head + "  " + Console{Colour: p.o.Colour}.paint(faint, cut(plain(t.last), room))
}

// cut shortens text to so many characters, taking each for one column wide.
func cut(text string, columns int) string {
	runes := []rune(text)
	if len(runes) <= columns {
		return text
	}
	return string(runes[:max(columns-1, 0)]) + "…"
}

// elapsed is a duration as people say it: 3s, 2m05s, 1h02m.
func elapsed(d time.Duration) string {
	d = d.Truncate(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%dh%02dm", h, m)
	case m > 0:
		return fmt.Sprintf("%dm%02ds", m, s)
	}
	return fmt.Sprintf("%ds", s)
}
