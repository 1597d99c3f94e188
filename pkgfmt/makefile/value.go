package makefile

import (
	"cmp"
	"slices"
	"strings"
)

// A value is what a text of a Makefile becomes: parts, side by side.
type value []part

// kind is what is known of a part.
type kind int

const (
	literal kind = iota
	// user is a variable that nothing sets: empty, unless make's command line
	// or the environment says otherwise.
	user
	// kernel is what the kernel's configuration or build system sets.
	kernel
	// present is a kernel variable that is never empty.
	present
	// opaque is what was not understood, or what a command prints.
	opaque
	// choice is yes where cond holds, else no.
	choice
)

type part struct {
	kind    kind
	text    string // of a symbol: as it is written, $(NAME)
	cond    cond
	yes, no value
	at      *origin // the line that assigned it
}

func text(s string) value {
	if s == "" {
		return nil
	}
	return value{{kind: literal, text: s}}
}

// choose is a where every one of the conditions holds, else b.
func choose(all conds, a, b value) value {
	for _, c := range slices.Backward(all) {
		yes, no := a, b
		if c.not {
			c.not, yes, no = false, b, a
		}
		a = value{{kind: choice, cond: c, yes: yes, no: no}}
	}
	return a
}

// under returns v as it is where the conditions hold.
func (v value) under(all conds) value {
	if len(all) == 0 || !slices.ContainsFunc(v, func(p part) bool { return p.kind == choice }) {
		return v
	}
	var out value
	for _, p := range v {
		if p.kind != choice {
			out = append(out, p)
			continue
		}
		switch all.holds(p.cond) {
		case Yes:
			out = append(out, p.yes.under(all)...)
		case No:
			out = append(out, p.no.under(all)...)
		default:
			out = append(out, part{kind: choice, cond: p.cond, yes: p.yes.under(all.and(p.cond)), no: p.no.under(all.and(p.cond.negated()))})
		}
	}
	return out
}

// plain returns the text of a value of which all is known.
func (v value) plain() (string, bool) {
	var b strings.Builder
	for _, p := range v {
		if p.kind != literal {
			return b.String(), false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// String is the value as text, for messages and to tell values apart.
func (v value) String() string {
	var b strings.Builder
	for _, p := range v {
		if p.kind != choice {
			b.WriteString(p.text)
			continue
		}
		b.WriteString("{" + p.cond.String() + "? " + p.yes.String() + " : " + p.no.String() + "}")
	}
	return b.String()
}

// bounded is the value, or something opaque where it is too much to follow:
// values that contain one another grow fast.
func (v value) bounded() value {
	budget := maxBytes
	if v.spend(&budget) {
		return v
	}
	return value{{kind: opaque, text: "…"}}
}

// spend takes what the value costs from the budget: a byte for a byte, and more
// for each choice.
func (v value) spend(budget *int) bool {
	for _, p := range v {
		*budget -= 1 + len(p.text)
		if p.kind == choice {
			*budget -= maxBytes / maxChoices
		}
		if *budget < 0 || !p.yes.spend(budget) || !p.no.spend(budget) {
			return false
		}
	}
	return true
}

// A way is one text that a value can have, and when. With symbols in it, its
// text has them as they are written and clear is false.
type way struct {
	text  string
	clear bool
	full  bool // surely not empty
	user  bool // all its symbols are of the kind user
	known string
	at    *origin
	conds conds
}

// with returns w followed by p.
func (w way) with(p part) way {
	w.text += p.text
	if w.at == nil {
		w.at = p.at
	}
	switch p.kind {
	case literal:
		w.known += p.text
		w.full = w.full || strings.TrimSpace(p.text) != ""
	case present:
		w.full = true
		fallthrough
	default:
		w.clear = false
		w.user = w.user && p.kind == user
	}
	return w
}

func emptyWay(all conds) way { return way{clear: true, user: true, conds: all} }

// ways are all texts that the value can have. ok is false where there are too many.
func (v value) ways(all conds) (ways []way, ok bool) {
	ways = []way{emptyWay(all)}
	for _, p := range v {
		var next []way
		for _, w := range ways {
			if p.kind != choice {
				next = append(next, w.with(p))
				continue
			}
			for _, branch := range p.branches(w.conds) {
				tails, ok := branch.value.ways(branch.conds)
				if !ok || len(next)+len(tails) > maxWays {
					return nil, false
				}
				for _, t := range tails {
					next = append(next, w.followedBy(t))
				}
			}
		}
		ways = next
	}
	return ways, true
}

func (w way) followedBy(t way) way {
	return way{text: w.text + t.text, clear: w.clear && t.clear, full: w.full || t.full, user: w.user && t.user,
		known: w.known + t.known, at: cmp.Or(w.at, t.at), conds: t.conds}
}

// A branch is one side of a choice, with all that holds there.
type branch struct {
	value value
	cond  cond
	conds conds
}

// branches are the sides of a choice that are possible.
func (p part) branches(all conds) (both []branch) {
	if all.holds(p.cond) != No {
		both = append(both, branch{p.yes, p.cond, all.and(p.cond)})
	}
	if not := p.cond.negated(); all.holds(p.cond) != Yes {
		both = append(both, branch{p.no, not, all.and(not)})
	}
	return both
}
