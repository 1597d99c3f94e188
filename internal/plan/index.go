package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// slot is where only one version of a name can be active.
type slot struct {
	name   string
	kernel dkms.KernelID
}

func slotOf(r dkms.Ref) slot { return slot{r.Name, r.KernelID} }

// index is Have in order: no duplicates, no nonsense, one active version in
// each slot.
type index struct {
	packages map[dkms.Package]HavePackage
	names    map[string]bool // of packages that are registered
	refs     map[dkms.Ref]HaveRef
	sorted   []dkms.Ref
	slots    map[slot][]dkms.Ref // every version that is built, ascending
	active   map[slot]dkms.Ref
}

func newIndex(h Have) index {
	ix := index{
		packages: map[dkms.Package]HavePackage{},
		names:    map[string]bool{},
		refs:     map[dkms.Ref]HaveRef{},
		slots:    map[slot][]dkms.Ref{},
		active:   map[slot]dkms.Ref{},
	}
	for _, p := range h.Packages {
		// Of two that differ the broken one counts, whatever their order.
		if nonsense(dkms.Ref{Package: p.Package}) == "" && ix.packages[p.Package].Broken <= p.Broken {
			ix.packages[p.Package] = p
			ix.names[p.Name] = true
		}
	}
	refs := slices.Clone(h.Refs)
	slices.SortFunc(refs, func(a, b HaveRef) int {
		return cmp.Or(dkms.CompareRefs(a.Ref, b.Ref), cmp.Compare(a.State, b.State), cmp.Compare(a.Stale, b.Stale),
			cmp.Compare(a.Drift, b.Drift), cmp.Compare(fmt.Sprint(a.BuiltWith), fmt.Sprint(b.BuiltWith)))
	})
	for _, r := range refs {
		if (r.State == dkms.Built || r.State == dkms.Installed) && nonsense(r.Ref) == "" && r.KernelID != (dkms.KernelID{}) {
			ix.put(r)
		}
	}
	return ix
}

// put adds r, which is not less than anything added before.
func (ix *index) put(r HaveRef) {
	s := slotOf(r.Ref)
	if _, twice := ix.refs[r.Ref]; !twice {
		ix.sorted = append(ix.sorted, r.Ref)
		ix.slots[s] = append(ix.slots[s], r.Ref)
	}
	ix.refs[r.Ref] = r
	if r.State != dkms.Installed {
		return
	}
	if old, ok := ix.active[s]; ok && old != r.Ref {
		demoted := ix.refs[old]
		demoted.State = dkms.Built
		ix.refs[old] = demoted
	}
	ix.active[s] = r.Ref
}

func (ix *index) state(r dkms.Ref) dkms.State { return ix.refs[r].State }

// usable reports whether p is registered and its source can be reached.
func (ix *index) usable(p dkms.Package) bool {
	have, ok := ix.packages[p]
	return ok && have.Broken == ""
}

// nonsense says what is wrong with the words of r, of which the kernel may be
// left out: they make the names of steps, which must be unique.
func nonsense(r dkms.Ref) string {
	words := []string{r.Name, r.Version}
	if r.KernelID != (dkms.KernelID{}) {
		words = append(words, r.Release, r.Arch)
	}
	for _, w := range words {
		if w == "" || strings.Contains(w, "/") {
			return fmt.Sprintf("%q cannot be a name, version, release or architecture", w)
		}
	}
	return ""
}
