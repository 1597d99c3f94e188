package page

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
)

// took is a duration for people.
func took(seconds float64) string {
	switch s := int(math.Round(seconds)); {
	case s >= 3600:
		return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	case seconds >= 1:
		return digits(seconds) + " s"
	}
	return fmt.Sprintf("%.0f ms", seconds*1000)
}

func digits(n float64) string { return fmt.Sprintf("%.1f", n) }

// when is a moment as a person on the machine has it.
func when(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format("Mon 2 January 2006, 15:04:05 MST")
}

// counted is "1 build", "2 builds".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list is "a", "a and b", "a, b and 3 more".
func list(words []string) string {
	switch n := len(words); {
	case n == 0:
		return ""
	case n == 1:
		return words[0]
	case n <= 3:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:2], ", "), len(words)-2)
}

// quoted is a word of a command that can be pasted into a shell.
func quoted(word string) string {
	safe := func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_+-./:=@%,", r))
	}
	if word != "" && strings.TrimFunc(word, safe) == "" && word[0] != '-' {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// clean replaces, in all of in, what would steer the text rather than be read.
func clean(in *Input) {
	r := &in.Run
	each(&in.Host, &r.Event, &r.Version, &r.JobsWhy)
	r.Outcomes = copied(r.Outcomes)
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		each((*string)(&o.Did), &o.Package, &o.Version, &o.Release, &o.Arch, &o.Error, &o.Step, &o.Why, &o.From, &o.Retried, &o.Class, &o.First, &o.Log, &o.Hint, &o.Still)
		o.Phases = copied(o.Phases)
		for j := range o.Phases {
			each(&o.Phases[j].Name)
		}
	}
	r.Kernels = copied(r.Kernels)
	for i := range r.Kernels {
		k := &r.Kernels[i]
		each(&k.Release, &k.Arch, &k.Step, &k.Error)
	}
	r.Notes = copied(r.Notes)
	for i := range r.Notes {
		n := &r.Notes[i]
		each(&n.Package, &n.Version, &n.Release, &n.Reason, &n.Text)
	}
	in.Rows = copied(in.Rows)
	for i := range in.Rows {
		w := &in.Rows[i]
		each(&w.Package.Name, &w.Package.Version, &w.Kernel.Release, &w.Kernel.Arch, &w.WeakFrom)
		w.Further = copied(w.Further)
		for j := range w.Further {
			each((*string)(&w.Further[j].State), &w.Further[j].Reason, &w.Further[j].Log)
		}
	}
}

func copied[T any](s []T) []T { return append([]T(nil), s...) }

// each makes the texts plain: no control characters but line ends, nothing that
// turns the direction of the text, no bytes that are no characters.
func each(texts ...*string) {
	for _, t := range texts {
		*t = strings.Map(func(r rune) rune {
			switch {
			case r == '\n':
				return r
			case r == '\t':
				return ' '
			case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r >= 0xfff0 && r <= 0xffff:
				return unicode.ReplacementChar
			}
			return r
		}, strings.ToValidUTF8(*t, "\ufffd"))
	}
}
