package page

import (
	"bufio"
	_ "embed"
	"html/template"
	"io"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// Input is what a page is made of.
type Input struct {
	Run  record.Run
	Rows []report.Row // the states as they are now; none: the page has no table of them
	Host string       // name of the machine; may be empty
}

var (
	//go:embed page.tmpl
	pageText string
	//go:embed page.css
	style string

	// parsed is the template; few runs of the program want it.
	parsed = sync.OnceValue(func() *template.Template {
		functions := template.FuncMap{"style": func() template.CSS { return template.CSS(style) }}
		return template.Must(template.New("page").Funcs(functions).Parse(pageText))
	})
)

// Page writes the page of in.
func Page(w io.Writer, in Input) error {
	out := bufio.NewWriter(w)
	if err := parsed().Execute(out, look(in)); err != nil {
		return err
	}
	return out.Flush()
}

// view is what the template reads. All that is in it may come from outside; the
// template escapes it.
type view struct {
	Verdict  verdict
	Facts    []fact
	Failures []failure
	Further  []failure // when there are too many to show them in full
	NotTried []string
	Lanes    chart
	Rows     chart
	States   states
	Slowest  []slow
	Notes    []note
}

// fact is a line about the run as a whole.
type fact struct{ Name, Text string }

func look(in Input) view {
	clean(&in)
	v := view{
		Verdict:  judge(in),
		Facts:    facts(in),
		Failures: failures(in),
		NotTried: notTried(in.Run),
		States:   statesOf(in.Rows),
		Slowest:  slowest(in.Run),
		Notes:    notes(in.Run),
	}
	if many := len(v.Failures); many > manyFailures {
		v.Failures, v.Further = v.Failures[:manyFailures], v.Failures[manyFailures:]
	}
	v.Lanes, v.Rows = charts(in.Run)
	return v
}

func facts(in Input) []fact {
	r := in.Run
	out := []fact{{"Run", "dkms-hook " + r.Event}}
	if in.Host != "" {
		out = append(out, fact{"Machine", in.Host})
	}
	out = append(out,
		fact{"Began", when(r.Began)},
		fact{"Ended", when(r.Ended) + ", after " + took(long(r))})
	if r.Jobs > 0 {
		text := counted(r.Jobs, "compiler")
		if r.JobsWhy != "" {
			text += " (" + r.JobsWhy + ")"
		}
		out = append(out, fact{"At a time", text})
	}
	if sum, n := compiled(r); n > 0 {
		text := took(sum)
		if wall := long(r); wall > 0 && n > 1 {
			text += ", " + digits(sum/wall) + " at a time on average"
		}
		out = append(out, fact{"All builds together", text})
	}
	return append(out, fact{"Version", r.Version})
}

// long is how many seconds the run took.
func long(r record.Run) float64 { return max(r.Ended.Sub(r.Began).Seconds(), 0) }

// compiled returns how long the builds took together, and how many there were.
func compiled(r record.Run) (seconds float64, n int) {
	for _, o := range r.Outcomes {
		if isBuild(o) {
			seconds += o.Seconds
			n++
		}
	}
	return seconds, n
}
