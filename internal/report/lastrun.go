package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/record"
)

// Run writes what a run has done, a line for each thing, in the order in which
// they ended. That the rest of what failed was not tried is left out.
func Run(w io.Writer, r record.Run) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "dkms-hook %s: %s, took %s", plain(r.Event), r.Began.Format("2006-01-02 15:04:05"), brief(r.Ended.Sub(r.Began)))
	if r.Interrupted {
		fmt.Fprint(out, ", interrupted")
	}
	fmt.Fprintln(out)
	failed := map[dkms.Ref]bool{}
	for _, o := range r.Outcomes {
		if o.Did == record.NotTried && failed[o.Ref()] {
			continue // that the rest of its steps was not tried is no news
		}
		failed[o.Ref()] = failed[o.Ref()] || o.Did == record.Failed
		outcome(out, o)
	}
	for _, k := range r.Kernels {
		line := strings.TrimSuffix(k.Step+" for "+k.Release, " for ")
		if k.Error != "" {
			line += ": failed: " + k.Error
		}
		fmt.Fprintf(out, "%s (%s)\n", plain(line), brief(seconds(k.Seconds)))
	}
	for _, n := range r.Notes {
		ref := dkms.Ref{Package: dkms.Package{Name: n.Package, Version: n.Version}, KernelID: dkms.KernelID{Release: n.Release}}
		fmt.Fprintln(out, plain(About(ref)+": left undone: "+n.Text))
	}
	return out.Flush()
}

// outcome writes a line about o, and below it what a person wants to know of a
// failure.
func outcome(w io.Writer, o record.Outcome) {
	object := About(o.Ref())
	problem := Bare(o.Ref(), o.Error)
	switch o.Did {
	case record.Failed:
		fmt.Fprintf(w, "%s (%s)\n", plain(Joined(": ", object, Joined(" ", o.Step, "failed"), problem)), brief(seconds(o.Seconds)))
	case record.Interrupted:
		fmt.Fprintf(w, "%s (%s)\n", plain(Joined(": ", object, Joined(" ", o.Step, "interrupted"))), brief(seconds(o.Seconds)))
	case record.NotTried:
		fmt.Fprintln(w, plain(Joined(": ", object, Joined(" ", o.Step, "not tried"), problem)))
		return
	default:
		line := object + ": " + string(o.Did)
		if o.From != "" {
			line += " from the " + o.From
		}
		fmt.Fprintf(w, "%s (%s)\n", plain(line), brief(seconds(o.Seconds)))
	}
	for _, more := range []struct{ head, text string }{{"note", o.Retried}, {"note", o.Still}, {"log", o.Log}, {"hint", o.Hint}} {
		if more.text != "" {
			fmt.Fprintf(w, "  %s: %s\n", more.head, plain(more.text))
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
