package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// The goldens are written in a small language, a line for each thing:
//
//	package NAME/VER [broken="why"]
//	built|installed NAME/VER KERNEL[/ARCH] [stale="why"] [drift="why"] [with=NAME/VER,…]
//
//	add|build|install|uninstall|unbuild|remove NAME/VER [KERNEL[/ARCH]]
//	    [why="…"] [needs=NAME,…] [rebuild] [force] [holds=WORD,…] [notready=REASON:"…"]
//	no-depmod
//	post-transaction

// line is one line: its words, and its key=value pairs.
type line struct {
	words  []string
	values map[string]string
}

// parseLine splits on blanks outside double quotes.
func parseLine(text string) line {
	l := line{values: map[string]string{}}
	quoted := false
	fields := strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	for _, f := range fields {
		if key, value, ok := strings.Cut(f, "="); ok {
			l.values[key] = strings.ReplaceAll(value, `"`, "")
		} else {
			l.words = append(l.words, f)
		}
	}
	return l
}

func (l line) has(word string) bool {
	for _, w := range l.words {
		if w == word {
			return true
		}
	}
	return false
}

// list is the value of key, split at commas.
func (l line) list(key string) []string {
	if l.values[key] == "" {
		return nil
	}
	return strings.Split(l.values[key], ",")
}

// ref reads the second word and, where it is one, the third.
func (l line) ref() dkms.Ref {
	var r dkms.Ref
	r.Name, r.Version, _ = strings.Cut(l.words[1], "/")
	if len(l.words) > 2 && l.words[2] != "force" && l.words[2] != "rebuild" {
		r.Release, r.Arch, _ = strings.Cut(l.words[2], "/")
		if r.Arch == "" {
			r.Arch = "x86_64"
		}
	}
	return r
}

func lines(text string) []line {
	var all []line
	for _, t := range strings.Split(text, "\n") {
		if t = strings.TrimSpace(t); t != "" && !strings.HasPrefix(t, "#") {
			all = append(all, parseLine(t))
		}
	}
	return all
}

func parseHave(t *testing.T, text string) plan.Have {
	t.Helper()
	var h plan.Have
	for _, l := range lines(text) {
		switch l.words[0] {
		case "package":
			h.Packages = append(h.Packages, plan.HavePackage{Package: l.ref().Package, Broken: l.values["broken"]})
		case "built", "installed":
			r := plan.HaveRef{Ref: l.ref(), State: dkms.Built, Stale: l.values["stale"], Drift: l.values["drift"]}
			if l.words[0] == "installed" {
				r.State = dkms.Installed
			}
			for _, dep := range l.list("with") {
				if r.BuiltWith == nil {
					r.BuiltWith = map[string]string{}
				}
				name, version, _ := strings.Cut(dep, "/")
				r.BuiltWith[name] = version
			}
			h.Refs = append(h.Refs, r)
		default:
			t.Fatalf("have: %q: unknown word", l.words[0])
		}
	}
	return h
}

func parseWant(t *testing.T, text string) plan.Want {
	t.Helper()
	goals := map[string]plan.Target{
		"add":       {Goal: dkms.Added},
		"build":     {Goal: dkms.Built},
		"install":   {Goal: dkms.Installed},
		"uninstall": {Goal: dkms.Built, Lower: true},
		"unbuild":   {Goal: dkms.Added, Lower: true},
		"remove":    {Goal: dkms.Absent, Lower: true},
	}
	var w plan.Want
	for _, l := range lines(text) {
		switch l.words[0] {
		case "no-depmod":
			w.NoDepmod = true
			continue
		case "initramfs":
			w.Initramfs = true
			continue
		case "post-transaction":
			w.PostTransaction = true
			continue
		}
		target, ok := goals[l.words[0]]
		if !ok {
			t.Fatalf("want: %q: unknown word", l.words[0])
		}
		target.Ref, target.Why, target.Force = l.ref(), l.values["why"], l.has("force")
		target.Depends, target.DependsRebuild = l.list("needs"), l.has("rebuild")
		target.Exclusive = l.list("holds")
		if reason, text, ok := strings.Cut(l.values["notready"], ":"); ok {
			target.NotReady = &plan.Note{Reason: plan.Reason(reason), Text: text}
		}
		w.Targets = append(w.Targets, target)
	}
	return w
}

// graph prints the steps of p with everything but their reasons.
func graph(p plan.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(string(s.ID()))
		if s.Force {
			b.WriteString(" (force)")
		}
		b.WriteByte('\n')
		for _, id := range s.Needs {
			fmt.Fprintf(&b, "    needs %s\n", id)
		}
		for _, id := range s.After {
			fmt.Fprintf(&b, "    after %s\n", id)
		}
		for _, hold := range s.Holds {
			fmt.Fprintf(&b, "    holds %s\n", hold)
		}
		for _, with := range s.With {
			fmt.Fprintf(&b, "    with %s\n", with)
		}
	}
	return b.String()
}
