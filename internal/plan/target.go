package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// goals is Want in order: at most one target for each Ref, and at most one
// that installs in each slot.
type goals struct {
	up      map[dkms.Ref]Target // by Ref; those with goal Added have no kernel
	down    map[dkms.Ref]Target // those of whole packages have no kernel and goal Absent
	upOrder []dkms.Ref
	dnOrder []dkms.Ref
	raised  map[dkms.Package]bool // packages of up
}

func newGoals(w Want, ix *index, notes *noteSet) goals {
	g := goals{up: map[dkms.Ref]Target{}, down: map[dkms.Ref]Target{}, raised: map[dkms.Package]bool{}}
	for _, t := range w.Targets {
		if bad := senseless(t); bad != "" {
			notes.add(t.Ref, Conflict, bad)
			continue
		}
		switch {
		case !t.lowers():
			if t.Goal == dkms.Added {
				t.Ref.KernelID = dkms.KernelID{}
			}
			merge(g.up, t)
			g.raised[t.Ref.Package] = true
		case t.Ref.KernelID == (dkms.KernelID{}):
			g.lowerAll(t, ix, notes)
		default:
			merge(g.down, t)
		}
	}
	for r := range g.down {
		if _, both := g.up[r]; both {
			notes.add(r, Conflict, "asked for and asked to go: it stays")
			delete(g.down, r)
		}
	}
	g.onePerSlot(ix, notes)
	g.upOrder, g.dnOrder = sortedKeys(g.up), sortedKeys(g.down)
	return g
}

// lowerAll lowers every kernel that t's package is built for.
func (g *goals) lowerAll(t Target, ix *index, notes *noteSet) {
	found := false
	for _, r := range ix.sorted {
		if r.Package == t.Ref.Package {
			one := t
			one.Ref, found = r, true
			merge(g.down, one)
		}
	}
	switch {
	case t.Goal == dkms.Absent:
		merge(g.down, t)
	case !found:
		notes.add(t.Ref, UpToDate, "not built for any kernel")
	}
}

// onePerSlot keeps, of several versions to be installed in one slot, the
// newest that is ready.
func (g *goals) onePerSlot(ix *index, notes *noteSet) {
	chosen := map[slot]dkms.Ref{}
	for _, r := range sortedKeys(g.up) {
		t := g.up[r]
		if t.Goal != dkms.Installed || !ready(t, ix) {
			continue
		}
		if older, ok := chosen[slotOf(r)]; ok {
			notes.add(older, Conflict, fmt.Sprintf("%s is to be installed on the same kernel", r.Package))
			delete(g.up, older)
		}
		chosen[slotOf(r)] = r
	}
}

// ready reports whether a step towards t's goal is possible by what the target
// itself says.
func ready(t Target, ix *index) bool {
	return t.NotReady == nil || (t.NotReady.Reason == PendingHeaders && ix.state(t.Ref) >= dkms.Built)
}

// senseless says why nothing can be made of t; empty: it is fine.
func senseless(t Target) string {
	if bad := nonsense(t.Ref); bad != "" {
		return bad
	}
	if t.Goal < dkms.Absent || t.Goal > dkms.Installed {
		return "no such goal"
	}
	if t.lowers() && t.Goal == dkms.Installed {
		return "nothing is more than installed"
	}
	if !t.lowers() && t.Goal > dkms.Added && t.Ref.KernelID == (dkms.KernelID{}) {
		return "no kernel to build it for"
	}
	return ""
}

// merge puts t into m. Where its Ref is there already the two become one, in
// a way that does not depend on which came first.
func merge(m map[dkms.Ref]Target, t Target) {
	old, ok := m[t.Ref]
	if !ok {
		t.Depends, t.Exclusive = union(t.Depends, nil), union(t.Exclusive, nil)
		m[t.Ref] = t
		return
	}
	if compareTargets(old, t) < 0 {
		old, t = t, old
	}
	// old goes further: up to the higher goal, or down to the lower one.
	old.Depends, old.Exclusive = union(old.Depends, t.Depends), union(old.Exclusive, t.Exclusive)
	old.DependsRebuild = old.DependsRebuild || t.DependsRebuild
	old.Force = old.Force || t.Force
	if old.NotReady == nil || (t.NotReady != nil && compareNotes(*old.NotReady, *t.NotReady) < 0) {
		old.NotReady = t.NotReady
	}
	m[t.Ref] = old
}

// compareTargets orders two targets of one Ref and one direction by how far
// they go.
func compareTargets(a, b Target) int {
	further := cmp.Compare(a.Goal, b.Goal)
	if a.lowers() {
		further = -further
	}
	return cmp.Or(further, cmp.Compare(a.Why, b.Why))
}

// union returns the strings of both, each once, sorted.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func sortedKeys[V any](m map[dkms.Ref]V) []dkms.Ref {
	keys := make([]dkms.Ref, 0, len(m))
	for r := range m {
		keys = append(keys, r)
	}
	slices.SortFunc(keys, dkms.CompareRefs)
	return keys
}
