package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// item is what is to be done to bring one Ref up. build and install are the
// reasons; empty: not to be done.
type item struct {
	target         Target
	build, install string
	// again tells that what is built would do, were it not for a dependency
	// that is built anew in the same version.
	again bool
}

// work is everything that is to be brought up, before it is put into steps.
type work struct {
	ix    *index
	goals goals
	limits
	items map[dkms.Ref]*item
	slots map[slot][]dkms.Ref // of items, ascending
}

// limits are what turned out to be impossible.
type limits struct {
	out  map[dkms.Ref]bool // refs that cannot be done
	kept map[dkms.Ref]bool // refs that cannot be built again, but can stay as they are
}

// newWork decides what each target needs and what must be built again because
// of it, within the limits.
func newWork(ix *index, g goals, l limits) *work {
	w := &work{ix: ix, goals: g, limits: l, items: map[dkms.Ref]*item{}, slots: map[slot][]dkms.Ref{}}
	for _, r := range g.upOrder {
		t := g.up[r]
		if w.out[r] || t.Goal == dkms.Added || !ready(t, ix) || w.broken(r) {
			continue
		}
		if it := first(t, ix); it.build != "" || it.install != "" {
			w.put(it)
		}
	}
	for w.rebuild() {
	}
	return w
}

// broken reports whether the source of r cannot be reached, and will not be
// after this plan.
func (w *work) broken(r dkms.Ref) bool {
	t, wanted := w.goals.up[dkms.Ref{Package: r.Package}]
	mended := wanted && t.NotReady == nil
	return w.ix.packages[r.Package].Broken != "" && !mended
}

func (w *work) put(it item) {
	r := it.target.Ref
	if _, ok := w.items[r]; !ok {
		s := slotOf(r)
		w.slots[s] = append(w.slots[s], r)
		slices.SortFunc(w.slots[s], dkms.CompareRefs)
	}
	w.items[r] = &it
}

// first is what t needs by itself.
func first(t Target, ix *index) item {
	have := ix.refs[t.Ref]
	it := item{target: t}
	switch {
	case have.State < dkms.Built:
		it.build = "no module for this kernel yet"
	case t.NotReady != nil: // headers missing: what is built must do
	case have.Stale != "":
		it.build = have.Stale
	case t.Force && t.Goal == dkms.Built:
		it.build = "built again, by force"
	}
	if t.Goal != dkms.Installed {
		return it
	}
	switch {
	case have.State < dkms.Installed:
		it.install = "not installed for this kernel yet"
	case it.build != "":
		it.install = "to bring in the new build"
	case have.Drift != "":
		it.install = have.Drift
	case t.Force:
		it.install = "installed again, by force"
	}
	return it
}

// rebuild finds what must be built again because a dependency changes, and
// reports whether it found something new.
func (w *work) rebuild() bool {
	found := false
	for _, r := range w.ix.sorted {
		t, wanted := w.candidate(r)
		if it := w.items[r]; t.Ref != r || (it != nil && it.build != "") {
			continue
		}
		it := w.outdated(t, wanted)
		if it.build == "" {
			continue
		}
		if !w.replaced(r) && max(w.ix.state(r), t.Goal) == dkms.Installed {
			it.install = "to bring in the new build"
		}
		w.put(it)
		found = true
	}
	return found
}

// candidate returns the target under which r, which is built, may be built
// again, and whether it is among those wanted. A version that nobody asked for
// is only of interest while it is active.
func (w *work) candidate(r dkms.Ref) (t Target, wanted bool) {
	if w.out[r] || w.broken(r) {
		return Target{}, false
	}
	if t, ok := w.goals.up[r]; ok {
		if t.NotReady != nil {
			return Target{}, false
		}
		return t, true
	}
	_, registered := w.ix.packages[r.Package]
	_, lowered := w.goals.down[r]
	if !registered || lowered || w.ix.active[slotOf(r)] != r || w.replaced(r) {
		return Target{}, false
	}
	return Target{Ref: r, Goal: dkms.Installed, DependsRebuild: true, Depends: slices.Sorted(maps.Keys(w.ix.refs[r].BuiltWith))}, false
}

// outdated returns t's item with the reason why what was built does not fit its
// dependencies any more; without a reason it fits, or t does not care.
func (w *work) outdated(t Target, wanted bool) item {
	if !t.DependsRebuild {
		return item{}
	}
	with := w.ix.refs[t.Ref].BuiltWith
	var again item
	for _, name := range t.Depends {
		p, ok := w.provider(slot{name, t.Ref.KernelID})
		if !ok || p == t.Ref {
			continue
		}
		it := w.items[p]
		old, known := with[name]
		switch {
		case known && old != p.Version && (wanted || it != nil):
			return item{target: t, build: fmt.Sprintf("it was built with %s/%s, which is %s now", name, old, p.Version)}
		case it != nil && it.build != "" && !w.kept[t.Ref]:
			again = item{target: t, build: fmt.Sprintf("its dependency %s is built anew", p.Package), again: true}
		}
	}
	return again
}

// installed returns the Ref that this work installs in s, if any.
func (w *work) installed(s slot) dkms.Ref {
	for _, r := range w.slots[s] {
		if w.items[r].install != "" {
			return r
		}
	}
	return dkms.Ref{}
}

// replaced reports whether another version is to be installed in r's slot.
func (w *work) replaced(r dkms.Ref) bool {
	other := w.installed(slotOf(r))
	return other != r && other != (dkms.Ref{})
}

// provider returns the version of a dependency that its dependents will find:
// the one to be installed, else the active one, else the newest that is built
// or to be built.
func (w *work) provider(s slot) (dkms.Ref, bool) {
	if r := w.installed(s); r != (dkms.Ref{}) {
		return r, true
	}
	if r, ok := w.ix.active[s]; ok {
		if _, lowered := w.goals.down[r]; !lowered {
			return r, true
		}
	}
	var newest dkms.Ref
	for _, r := range slices.Concat(w.slots[s], w.ix.slots[s]) {
		if t, lowered := w.goals.down[r]; lowered && t.Goal < dkms.Built {
			continue
		}
		if newest == (dkms.Ref{}) || dkms.CompareRefs(newest, r) < 0 {
			newest = r
		}
	}
	return newest, newest != dkms.Ref{}
}

// depends returns the refs of this work that r depends on, in order. r itself
// is among them if it names itself.
func (w *work) depends(r dkms.Ref) []dkms.Ref {
	var refs []dkms.Ref
	for _, name := range w.items[r].target.Depends {
		p, ok := w.provider(slot{name, r.KernelID})
		if name == r.Name {
			p, ok = r, true
		}
		if ok && w.items[p] != nil {
			refs = append(refs, p)
		}
	}
	return refs
}

// missing returns the names that r needs for its build and that will not be
// there.
func (w *work) missing(r dkms.Ref) []string {
	it := w.items[r]
	if it.build == "" || it.target.Force {
		return nil
	}
	var names []string
	for _, name := range it.target.Depends {
		if _, ok := w.provider(slot{name, r.KernelID}); !ok {
			names = append(names, name)
		}
	}
	return names
}
