package report_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/report"
)

// screen is a terminal that knows as much as progress needs: lines, "cursor
// up, first column, erase below", and colours, which it drops.
type screen struct {
	sync.Mutex
	t      *testing.T
	lines  []string
	writes int
}

func (s *screen) Write(b []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	s.writes++
	text := string(b)
	var up int
	if n, _ := fmt.Sscanf(text, "\x1b[%dA", &up); n == 1 {
		text = strings.TrimPrefix(text, fmt.Sprintf("\x1b[%dA\r\x1b[J", up))
		if up > len(s.lines) {
			s.t.Errorf("%d lines up of %d", up, len(s.lines))
			up = len(s.lines)
		}
		s.lines = s.lines[:len(s.lines)-up]
	}
	for _, colour := range []string{"\x1b[2m", "\x1b[0m"} {
		text = strings.ReplaceAll(text, colour, "")
	}
	if strings.Contains(text, "\x1b") || (text != "" && !strings.HasSuffix(text, "\n")) {
		s.t.Errorf("wrote %q; want whole lines", b)
	}
	for line := range strings.Lines(text) {
		s.lines = append(s.lines, strings.TrimSuffix(line, "\n"))
	}
	return len(b), nil
}

func (s *screen) shows(want ...string) {
	s.t.Helper()
	s.Lock()
	defer s.Unlock()
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(s.lines, "\n")); diff != "" {
		s.t.Errorf("the terminal shows (-want +got):\n%s", diff)
	}
}

func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{t: t}
		p := report.NewProgress(s, report.ProgressOptions{Terminal: true, Colour: true, Width: func() int { return 41 }})
		p.Start("a", "build it87/eol for 6.1")
		p.Start("hidden", "")
		s.shows("build it87/eol for 6.1  0s")
		time.Sleep(65*time.Second + 50*time.Millisecond) // between two drawings
		p.Line("a", "  CC [M]  it87.o\r\n")
		p.Line("a", " \n")
		p.Line("unknown", "x")
		synctest.Wait()
		s.shows("build it87/eol for 6.1  1m05s")
		time.Sleep(time.Second)
		synctest.Wait()
		s.shows("build it87/eol for 6.1  1m06s  CC [M]  …")

		p.Start("b", "build zfs/2 for a release with a long name")
		fmt.Fprintln(p, "warning: odd")
		fmt.Fprint(p, "in ")
		fmt.Fprint(p, "parts\nrest")
		s.shows("warning: odd", "in parts",
			"build it87/eol for 6.1  1m06s  CC [M]  …",
			"build zfs/2 for a release with a long n…")
		p.End("a", "built")
		p.End("a", "built")
		p.End("hidden", "done")
		s.shows("warning: odd", "in parts", "build zfs/2 for a release with a long n…")
		p.Close()
		s.shows("warning: odd", "in parts", "rest")
		p.Close()
		p.Start("c", "late")
		p.End("c", "done")
		fmt.Fprintln(p, "still heard")
		s.shows("warning: odd", "in parts", "rest", "still heard")
	})
}

func TestProgressWithManyTasksAndANarrowTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{t: t}
		p := report.NewProgress(s, report.ProgressOptions{Terminal: true, Width: func() int { return 6 }})
		var want []string
		for i := range 10 {
			p.Start(fmt.Sprint(i), fmt.Sprintf("%d-äöüß", i))
			if i < 8 {
				want = append(want, fmt.Sprintf("%d-äö…", i))
			}
		}
		s.shows(append(want, "and …")...)
		p.Close()
		s.shows()
	})
}

// A build that prints a thousand lines is not a thousand drawings.
func TestProgressDrawsSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{t: t}
		p := report.NewProgress(s, report.ProgressOptions{Terminal: true})
		p.Start("a", "build")
		for i := range 1000 {
			p.Line("a", fmt.Sprint("line ", i))
		}
		time.Sleep(time.Second)
		p.End("a", "built")
		p.Close()
		if s.writes > 10 {
			t.Errorf("%d writes; want a few", s.writes)
		}
	})
}

func TestProgressWithoutATerminal(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	for _, tt := range []struct {
		o    report.ProgressOptions
		want string
	}{
		{report.ProgressOptions{}, "build a/1 for 6.1 ...\nsaid\nbuild a/1 for 6.1: built (1h02m)\n"},
		{report.ProgressOptions{Terse: true}, "build a/1 for 6.1 ...\nsaid\n"},
		{report.ProgressOptions{Quiet: true}, "said\n"},
		{report.ProgressOptions{Quiet: true, Terminal: true}, "said\n"},
	} {
		var b strings.Builder
		begin := now
		tt.o.Now = func() time.Time { return begin }
		p := report.NewProgress(&b, tt.o)
		p.Start("a", "build a/1 for 6.1")
		p.Line("a", "CC [M] a.o")
		begin = begin.Add(62*time.Minute + 999*time.Millisecond)
		fmt.Fprintln(p, "said")
		p.End("a", "built")
		p.Close()
		if b.String() != tt.want {
			t.Errorf("%+v: wrote %q; want %q", tt.o, b.String(), tt.want)
		}
	}
}

func TestProgressTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	p := report.NewProgress(full{}, report.ProgressOptions{})
	defer p.Close()
	if _, err := fmt.Fprintln(p, "x"); !errors.Is(err, errFull) {
		t.Errorf("Write = %v; want %v", err, errFull)
	}
}

func TestProgressIsForAnyGoroutine(t *testing.T) {
	t.Parallel()
	s := &screen{t: t}
	p := report.NewProgress(s, report.ProgressOptions{Terminal: true, Width: func() int { return 80 }})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := fmt.Sprint(i)
			p.Start(id, "build "+id)
			for range 50 {
				p.Line(id, "line")
				fmt.Fprintln(p, "message")
			}
			p.End(id, "built")
		})
	}
	all.Wait()
	p.Close()
	if len(s.lines) != 8*50 {
		t.Errorf("%d lines are left; want the 400 messages", len(s.lines))
	}
}
