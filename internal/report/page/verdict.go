package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// verdict is what a person wants to know first.
type verdict struct {
	Tone    tone
	Title   string
	Run     string // what it was, where and when
	Text    string
	Kernels []kernelSum
}

// tone is a class of the style sheet, and a mark that says the same without a
// colour.
type tone string

// The tones, the worst last.
const (
	neutral tone = "neutral"
	good    tone = "good"
	waits   tone = "waits"
	bad     tone = "bad"
)

// Mark is the tone as a character.
func (t tone) Mark() string {
	return map[tone]string{neutral: "–", good: "✓", waits: "!", bad: "✗"}[t]
}

// tally counts what became of refs in a run.
type tally struct {
	builds    int                 // attempts
	failed    []record.Outcome    // once for each ref
	did       map[record.Did]int  // refs, by the last thing done
	kernels   []record.KernelStep // that failed
	onlyBuild bool                // no other step has failed
}

func count(r record.Run) tally {
	t := tally{did: map[record.Did]int{}, onlyBuild: true}
	last := map[dkms.Ref]record.Did{}
	for _, o := range r.Outcomes {
		if isBuild(o) && !cutShort(o) {
			t.builds++
		}
		if last[o.Ref()] == record.Failed {
			continue
		}
		if last[o.Ref()] = o.Did; cutShort(o) {
			last[o.Ref()] = record.Interrupted
			continue
		}
		if o.Did == record.Failed {
			t.failed = append(t.failed, o)
			t.onlyBuild = t.onlyBuild && isBuild(o)
		}
	}
	for _, did := range last {
		t.did[did]++
	}
	for _, k := range r.Kernels {
		if k.Error != "" {
			t.kernels = append(t.kernels, k)
		}
	}
	return t
}

// cutShort reports whether o is of a step that the run's interruption ended or
// kept from beginning.
func cutShort(o record.Outcome) bool { return o.Class == string(record.Interrupted) }

// isBuild reports whether o is of a compiler's work. The first records did not
// say what had failed; it was a build in nearly all of them.
func isBuild(o record.Outcome) bool {
	return o.Did == record.Built || o.Step == "build" && o.Did == record.Failed || o.Did == record.Failed && o.Step == ""
}

func judge(in Input) verdict {
	t := count(in.Run)
	v := verdict{Tone: good, Title: t.title(), Run: told(in), Kernels: kernelSums(in.Rows)}
	rest := report.Joined(", ", t.done(), t.left())
	waiting := waitingNotes(in.Run)
	switch {
	case len(t.failed)+len(t.kernels) > 0:
		v.Tone = bad
	case waiting > 0 || in.Run.Interrupted:
		v.Tone = waits
	}
	switch {
	case in.Run.Interrupted && v.Tone == bad:
		v.Title = "Interrupted; " + v.Title
	case in.Run.Interrupted:
		v.Title = strings.TrimSuffix("Interrupted; until then "+t.done(), "; until then ")
	}
	var text []string
	if left := t.left(); v.Tone != bad && in.Run.Interrupted && left != "" {
		text = append(text, left+".")
	}
	if v.Tone == bad && len(t.failed) > 1 {
		text = append(text, "Failed: "+list(names(t.failed))+".")
	}
	if v.Tone == bad && rest != "" {
		text = append(text, "Of the rest: "+rest+".")
	}
	if waiting > 0 {
		text = append(text, counted(waiting, "package")+" could not be tried yet; the reasons are below.")
	}
	v.Text = strings.Join(text, " ")
	return v
}

// told is what the run was, in one line.
func told(in Input) string {
	text := "dkms-hook " + in.Run.Event
	if in.Host != "" {
		text += " on " + in.Host
	}
	return fmt.Sprintf("%s · %s · took %s", text, when(in.Run.Began), took(long(in.Run)))
}

func (t tally) title() string {
	switch n := len(t.failed); {
	case n == 1 && t.builds <= 1 && t.onlyBuild:
		return "The build of " + report.About(t.failed[0].Ref()) + " failed"
	case n == 1 && t.onlyBuild:
		return fmt.Sprintf("1 of %d builds failed: %s", t.builds, report.About(t.failed[0].Ref()))
	case n > 0 && t.onlyBuild:
		return fmt.Sprintf("%d of %s failed", n, counted(t.builds, "build"))
	case n == 1:
		return report.About(t.failed[0].Ref()) + " failed"
	case n > 0:
		return fmt.Sprintf("%d packages failed", n)
	case len(t.kernels) > 0:
		return t.kernels[0].Step + " failed for " + t.kernels[0].Release
	}
	if rest := report.Joined(", ", t.done(), t.left()); rest != "" {
		return "All went well: " + rest
	}
	return "Nothing was done"
}

// done is what went well, in words.
func (t tally) done() string {
	var words []string
	for _, did := range []record.Did{record.Installed, record.Built, record.Added, record.Uninstalled, record.Unbuilt, record.Removed} {
		word := string(did)
		if did == record.Built {
			word = "built and not installed"
		}
		if t.did[did] > 0 {
			words = append(words, fmt.Sprintf("%d %s", t.did[did], word))
		}
	}
	return report.Joined(", ", words...)
}

// left is what was not done, and has not failed, in words.
func (t tally) left() string {
	var words []string
	if n := t.did[record.Interrupted]; n > 0 {
		words = append(words, fmt.Sprintf("%d not finished", n))
	}
	if n := t.did[record.NotTried]; n > 0 {
		words = append(words, fmt.Sprintf("%d not tried, because another failed", n))
	}
	return report.Joined(", ", words...)
}

func names(outcomes []record.Outcome) []string {
	out := make([]string, 0, len(outcomes))
	for _, o := range outcomes {
		out = append(out, report.About(o.Ref()))
	}
	return out
}

// waitingNotes counts the packages that somebody may be waiting for.
func waitingNotes(r record.Run) int {
	var seen []string
	for _, n := range r.Notes {
		if name := n.Package + "/" + n.Version; n.Reason != "excluded" && !slices.Contains(seen, name) {
			seen = append(seen, name)
		}
	}
	return len(seen)
}
