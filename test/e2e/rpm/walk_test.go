//go:build e2e

package rpm

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// walkers are the modules that a walk installs, by the styles of their packages.
var walkers = map[string]style{"foo": native, "nega": negativo17, "nvid": nvidia}

// A slot is where one edition of a module can be.
type slot struct{ module, release string }

// A walk is a host together with what should be on it.
type walk struct {
	*host
	random      *rand.Rand
	kernels     []kernel
	core, devel map[string]bool   // by release: the kernel is installed, its headers are
	installed   map[string]module // by module: the package that is installed
	active      map[slot]module   // what should be there
	history     []string
}

// Whatever dnf does in whatever order, afterwards each kernel that has its
// headers has the edition that is installed of each module, or if that does not
// compile the one that it had before; and nothing is left of what is gone.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	// In CI always the same walk: new ones are for who has time to look at them.
	start, steps := cmp.Or(*seed, 1), 6
	if *full {
		start, steps = cmp.Or(*seed, uint64(time.Now().UnixNano())), 40
	}
	for _, i := range cut(1, []uint64{0, 1, 2}) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := newWalk(t, rand.New(rand.NewPCG(start, i)))
			for range steps {
				w.step()
				w.verify()
				if t.Failed() {
					t.Fatalf("-seed %d, walk %d, after:\n%s", start, i, strings.Join(w.history, "\n"))
				}
			}
			t.Logf("-seed %d:\n%s", start, strings.Join(w.history, "\n"))
		})
	}
}

// newWalk begins with one kernel, which stays.
func newWalk(t *testing.T, random *rand.Rand) *walk {
	t.Helper()
	all := kernels(t)
	first := all[0].Uname()
	return &walk{
		host: newHost(t, engine, all[0].Core(), all[0].Devel()), random: random, kernels: all[:],
		core: map[string]bool{first: true}, devel: map[string]bool{first: true},
		installed: map[string]module{}, active: map[slot]module{},
	}
}

// step runs one transaction, and works out what should be there after it.
func (w *walk) step() {
	w.TB.Helper()
	var args []string
	switch n := w.random.IntN(10); {
	case n < 3:
		args = w.moveKernel()
	case n < 9:
		args = w.moveModule()
	default:
		args = []string{"reinstall", engine}
	}
	w.history = append(w.history, strings.Join(args, " "))
	r := w.DnfAnyhow(args...)
	w.history = append(w.history, "    "+strings.ReplaceAll(strings.TrimSpace(r.Stderr), "\n", "\n    "))
	w.settle()
}

func (w *walk) moveKernel() []string {
	k := w.kernels[w.random.IntN(len(w.kernels))]
	core, devel := w.core[k.Uname()], w.devel[k.Uname()]
	var action string
	var packages []string
	switch both := w.random.IntN(3); {
	case !core && both > 0:
		action, core, devel = "install", true, true
	case !core:
		action, core = "install", true
	case !devel:
		action, devel = "install", true
	case k == w.kernels[0] || both == 0:
		action, devel = "remove", false
	default:
		action, core, devel = "remove", false, false
	}
	if core != w.core[k.Uname()] {
		packages = append(packages, k.Core())
	}
	if devel != w.devel[k.Uname()] {
		packages = append(packages, k.Devel())
	}
	w.core[k.Uname()], w.devel[k.Uname()] = core, devel
	return append([]string{action}, packages...)
}

func (w *walk) moveModule() []string {
	names := slices.Sorted(maps.Keys(walkers))
	name := names[w.random.IntN(len(names))]
	all := editions(name, walkers[name])
	next := all[w.random.IntN(len(all))]
	was, there := w.installed[name]
	action := "install"
	switch {
	case there && w.random.IntN(4) == 0:
		delete(w.installed, name)
		return []string{"remove", was.Name()}
	case there && next == was:
		action = "reinstall"
	case there && slices.Index(all, next) < slices.Index(all, was):
		action = "downgrade"
	}
	w.installed[name] = next
	return []string{action, next.file()}
}

// settle works out what should be there.
func (w *walk) settle() {
	for name := range walkers {
		p, there := w.installed[name]
		for _, k := range w.kernels {
			s := slot{name, k.Uname()}
			switch {
			case !there || !w.core[k.Uname()]:
				delete(w.active, s)
			case w.devel[k.Uname()] && !p.Broken:
				w.active[s] = p
			}
		}
	}
}

// verify compares.
func (w *walk) verify() {
	w.TB.Helper()
	missing, pending, perhaps := false, false, false
	for _, name := range slices.Sorted(maps.Keys(walkers)) {
		p, there := w.installed[name]
		var versions []string
		if there {
			versions = append(versions, p.Version)
		}
		for _, k := range w.kernels {
			want, ok := w.active[slot{name, k.Uname()}]
			edition := ""
			if ok {
				edition = want.Edition()
				versions = append(versions, want.Version)
			}
			w.wantEdition(name, edition, k)
			switch {
			case !there || !w.core[k.Uname()]:
			case w.devel[k.Uname()]:
				missing = missing || want != p
			case want != p:
				pending = true
			default: // without headers it cannot always tell that it is up to date
				perhaps = true
			}
		}
		slices.Sort(versions)
		w.wantVersions(name, slices.Compact(versions)...)
		if !there {
			w.wantNothingAbout(name, w.kernels...)
		}
	}
	switch {
	case missing:
		w.Check(1)
	case pending:
		w.Check(2)
	case !perhaps:
		w.Check(0)
	}
	for what, n := range w.compiled() {
		if n > 1 {
			w.TB.Errorf("%s was compiled %d times", what, n)
		}
	}
	for _, k := range w.kernels {
		if !w.core[k.Uname()] && !w.devel[k.Uname()] {
			w.wantNothingOf(k)
		}
	}
}
