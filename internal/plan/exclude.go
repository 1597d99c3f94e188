package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// settle returns the work that can be done, and the notes of what cannot
// because of its dependencies. Each round that is not the last leaves out at
// least one Ref, or at least one that was only to be built again: so it ends.
func settle(ix *index, g goals, notes *noteSet) *work {
	l := limits{out: map[dkms.Ref]bool{}, kept: map[dkms.Ref]bool{}}
	cyclic := map[dkms.Ref]string{}
	missing := map[dkms.Ref][]string{}
	for {
		w := newWork(ix, g, l)
		bad := map[dkms.Ref]bool{}
		for r, text := range w.circles() {
			cyclic[r], bad[r] = text, true
		}
		if len(bad) == 0 {
			for r := range w.items {
				if names := w.missing(r); len(names) > 0 {
					missing[r], bad[r] = names, true
				}
			}
		}
		if len(bad) == 0 {
			w.explainAll(notes, cyclic, missing)
			return w
		}
		l.tighten(w, bad)
	}
}

// tighten leaves out the bad refs; but first, by itself, it tries whether
// keeping what is built already is enough.
func (l *limits) tighten(w *work, bad map[dkms.Ref]bool) {
	some := false
	for r := range bad {
		if w.items[r].again {
			l.kept[r], some = true, true
		}
	}
	if !some {
		maps.Copy(l.out, bad)
	}
}

// explainAll adds the notes of what is left out or kept.
func (w *work) explainAll(notes *noteSet, cyclic map[dkms.Ref]string, missing map[dkms.Ref][]string) {
	for r, text := range cyclic {
		if w.out[r] || w.kept[r] {
			notes.add(r, DependsCycle, text)
		}
	}
	for r, names := range missing {
		notes.addOf(r, w.explain(r, names, cyclic))
	}
}

// explain words the note of r, for which the dependencies in names are
// missing.
func (w *work) explain(r dkms.Ref, names []string, cyclic map[dkms.Ref]string) Note {
	n := Note{Reason: FailedDepends}
	var texts []string
	for _, name := range names {
		s := slot{name, r.KernelID}
		state, registered := w.whyNot(s, cyclic)
		if !registered {
			n.Reason = MissingDepends
		}
		texts = append(texts, fmt.Sprintf("needs %s, which %s", name, state))
	}
	n.Text = strings.Join(texts, "; ")
	return n
}

// whyNot says why nothing of s will be there, and whether its name is
// registered at all.
func (w *work) whyNot(s slot, cyclic map[dkms.Ref]string) (text string, registered bool) {
	for _, r := range w.goals.upOrder {
		t := w.goals.up[r]
		if slotOf(r) != s {
			continue
		}
		switch {
		case cyclic[r] != "":
			return "is in a circle of dependencies", true
		case t.NotReady != nil:
			return "cannot be built here: " + t.NotReady.Text, true
		case w.out[r]:
			return "itself waits for a dependency", true
		}
	}
	if !w.ix.names[s.name] {
		return "is not registered", false
	}
	if len(w.ix.slots[s]) > 0 {
		return "is to be taken away", true
	}
	for _, p := range w.ix.packages {
		if p.Name == s.name && p.Broken == "" {
			return "is not built for this kernel", true
		}
	}
	return "is broken", true
}

// circles finds the refs that depend on themselves, in one step or more, and
// words each one's circle.
func (w *work) circles() map[dkms.Ref]string {
	t := tarjan{edges: map[dkms.Ref][]dkms.Ref{}, number: map[dkms.Ref]int{}, low: map[dkms.Ref]int{}, onStack: map[dkms.Ref]bool{}}
	refs := sortedKeys(w.items)
	for _, r := range refs {
		t.edges[r] = w.depends(r)
	}
	found := map[dkms.Ref]string{}
	for _, r := range refs {
		if t.number[r] == 0 {
			t.visit(r)
		}
	}
	for _, group := range t.groups {
		if len(group) == 1 && !slices.Contains(t.edges[group[0]], group[0]) {
			continue
		}
		for _, r := range group {
			found[r] = strings.Join(t.way(r, group), " needs ")
		}
	}
	return found
}

// tarjan finds the strongly connected groups of a graph (R. Tarjan, 1972).
type tarjan struct {
	edges   map[dkms.Ref][]dkms.Ref
	number  map[dkms.Ref]int // order of visit, from 1
	low     map[dkms.Ref]int
	onStack map[dkms.Ref]bool
	stack   []dkms.Ref
	groups  [][]dkms.Ref
}

func (t *tarjan) visit(r dkms.Ref) {
	t.number[r] = len(t.number) + 1
	t.low[r] = t.number[r]
	t.stack = append(t.stack, r)
	t.onStack[r] = true
	for _, to := range t.edges[r] {
		if t.number[to] == 0 {
			t.visit(to)
			t.low[r] = min(t.low[r], t.low[to])
		} else if t.onStack[to] {
			t.low[r] = min(t.low[r], t.number[to])
		}
	}
	if t.low[r] != t.number[r] {
		return
	}
	at := slices.Index(t.stack, r)
	t.groups = append(t.groups, slices.Clone(t.stack[at:]))
	for _, member := range t.stack[at:] {
		t.onStack[member] = false
	}
	t.stack = t.stack[:at]
}

// way returns the names on a shortest way from r back to r within its group.
func (t *tarjan) way(r dkms.Ref, group []dkms.Ref) []string {
	from := map[dkms.Ref]dkms.Ref{}
	for queue := []dkms.Ref{r}; len(queue) > 0; queue = queue[1:] {
		for _, to := range t.edges[queue[0]] {
			if _, seen := from[to]; seen || !slices.Contains(group, to) {
				continue
			}
			from[to] = queue[0]
			queue = append(queue, to)
		}
	}
	names := []string{r.Name}
	for at := from[r]; at != r; at = from[at] {
		names = append(names, at.Name)
	}
	names = append(names, r.Name)
	slices.Reverse(names)
	return names
}
