package page

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// failure is one that a person has to look into.
type failure struct {
	Of    string
	What  string // "kernel API change"
	First string // the first error
	Facts []fact
	Log   string // a command that shows it
	Next  string // a command that tries again
	Since string // of what has failed in an earlier run
}

// manyFailures is how many failures are shown in full.
const manyFailures = 50

// failures are those of the run, and those of earlier runs that still stand.
func failures(in Input) []failure {
	var out []failure
	seen := map[dkms.Ref]bool{}
	for _, o := range count(in.Run).failed {
		seen[o.Ref()] = true
		out = append(out, failed(o))
	}
	for _, k := range in.Run.Kernels {
		if k.Error != "" {
			out = append(out, failure{Of: strings.TrimSuffix(k.Step+" for "+k.Release, " for "), First: k.Error, Next: "dkms-hook sync"})
		}
	}
	for _, row := range in.Rows {
		ref := dkms.Ref{Package: row.Package, KernelID: row.Kernel}
		for _, f := range row.Further {
			if f.State == report.BuildFailed && !seen[ref] {
				e := failure{Of: report.About(ref), First: f.Reason, Log: shown(f.Log), Next: again(ref), Since: "an earlier run"}
				if !f.Since.IsZero() {
					e.Since = when(f.Since)
				}
				out = append(out, e)
			}
		}
	}
	return out
}

func failed(o record.Outcome) failure {
	f := failure{Of: report.About(o.Ref()), What: o.Class, First: cmp.Or(o.First, o.Error), Log: shown(o.Log), Next: again(o.Ref())}
	if o.Step != "" && o.Step != "build" {
		f.What = strings.TrimSuffix("while doing: "+o.Step+", "+f.What, ", ")
	}
	for _, line := range []fact{{"What stays", o.Still}, {"Tried again", o.Retried}, {"Why it was wanted", o.Why}, {"Hint", o.Hint}} {
		if line.Text != "" {
			f.Facts = append(f.Facts, line)
		}
	}
	return f
}

// shown is the command that shows a log.
func shown(log string) string {
	if log == "" {
		return ""
	}
	return "less " + quoted(log)
}

// again is the command that tries ref once more.
func again(ref dkms.Ref) string {
	command := "dkms-hook retry " + quoted(ref.Package.String())
	if ref.Release != "" {
		command += " -k " + quoted(ref.Release)
	}
	return command
}

// notTried are what others' failures have blocked, each once.
func notTried(r record.Run) []string {
	told := map[dkms.Ref]bool{}
	for _, o := range count(r).failed { // the rest of its own steps is no news
		told[o.Ref()] = true
	}
	var out []string
	for _, o := range r.Outcomes {
		if o.Did == record.NotTried && !cutShort(o) && !told[o.Ref()] {
			told[o.Ref()] = true
			out = append(out, report.About(o.Ref())+": "+o.Error)
		}
	}
	return out
}

// note is what was left undone for one reason, and for whom.
type note struct{ Reason, Release, Text, Of string }

func notes(r record.Run) []note {
	var out []note
	of := map[note][]string{}
	for _, n := range append(leftUnfinished(r), r.Notes...) {
		key := note{Reason: strings.ReplaceAll(n.Reason, "-", " "), Release: n.Release, Text: n.Text}
		if of[key] == nil {
			out = append(out, key)
		}
		of[key] = append(of[key], n.Package+"/"+n.Version)
	}
	for i, key := range out {
		out[i].Of = strings.Join(of[key], ", ")
	}
	return out
}

// leftUnfinished are what the run's interruption left undone, each once.
func leftUnfinished(r record.Run) []record.Note {
	var out []record.Note
	seen := map[dkms.Ref]bool{}
	for _, o := range r.Outcomes {
		if cutShort(o) && !seen[o.Ref()] {
			seen[o.Ref()] = true
			out = append(out, record.Note{Package: o.Package, Version: o.Version, Release: o.Release, Reason: o.Class,
				Text: "dkms-hook sync goes on where this ended"})
		}
	}
	return out
}

// slow is a build among those that took longest.
type slow struct{ Of, Release, Took, Make, Share string }

// slowest returns the ten builds that took longest.
func slowest(r record.Run) []slow {
	var builds []record.Outcome
	for _, o := range r.Outcomes {
		if isBuild(o) && o.Seconds > 0 {
			builds = append(builds, o)
		}
	}
	slices.SortStableFunc(builds, func(a, b record.Outcome) int { return cmp.Compare(b.Seconds, a.Seconds) })
	var out []slow
	for _, o := range builds[:min(len(builds), 10)] {
		s := slow{Of: o.Ref().Package.String(), Release: o.Release, Took: took(o.Seconds), Share: percent(o.Seconds / builds[0].Seconds)}
		for _, p := range o.Phases {
			if p.Name == "make" {
				s.Make = took(p.Seconds)
			}
		}
		out = append(out, s)
	}
	return out
}
