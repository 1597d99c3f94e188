//go:build e2e

package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	packages = flag.Int("packages", len(sources), "how many sources to build, the quickest first")
	rounds   = flag.Int("rounds", 3, "how often everything is measured; medians are told")
	options  = flag.String("options", "", "further options of dkms-hook where it builds, such as -j 1")
	jsonFile = flag.String("results", "", "write all that was measured to this file, as JSON")
	plotFile = flag.String("plot", "", "write the plot of the growth to this file (SVG)")
)

// answersOf is how often a command that takes us milliseconds is measured, per round.
const answersOf = 5

// The measurements, as the issue that asked for them calls them.
const (
	fromNothing = "A. autoinstall from nothing"
	nothing     = "B. autoinstall with nothing to do"
	status      = "C. status"
	readd       = "D. remove, and install again from the cache"
)

// A session is all that was measured, by measurement and engine.
type session struct {
	Machine  Machine                      `json:"machine"`
	Counted  string                       `json:"counted"` // how CPU time was
	Packages []string                     `json:"packages"`
	Kernels  []string                     `json:"kernels"`
	Modules  int                          `json:"modules"`
	Shadowed int                          `json:"shadowed"` // modules that dkms left to the kernel
	Options  string                       `json:"options,omitempty"`
	Costs    map[string]map[string][]Cost `json:"costs"`
	Growth   []Growth                     `json:"growth,omitempty"`
	meter    *Meter
}

func (s *session) record(what, engine string, c Cost) {
	if s.Costs[what] == nil {
		s.Costs[what] = map[string][]Cost{}
	}
	s.Costs[what][engine] = append(s.Costs[what][engine], c)
	fmt.Fprintf(os.Stderr, "%s, %s: %s wall, %s CPU\n", what, engine, Seconds(c.Wall), Seconds(c.CPU))
}

func (s *session) median(what, engine string) Cost { return MedianCost(s.Costs[what][engine]) }

// BenchmarkBesideDKMS measures A to E: everything in turn, round by round.
func BenchmarkBesideDKMS(b *testing.B) {
	s := newSession(b)
	for round := range *rounds {
		b.Run(fmt.Sprintf("round %d", round+1), func(b *testing.B) { s.round(b, round) })
	}
	if b.Failed() {
		return
	}
	s.print(os.Stdout)
	s.save(b)
}

func newSession(b *testing.B) *session {
	b.Helper()
	m, how, err := NewMeter()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Close(); err != nil {
			b.Error(err)
		}
	})
	return &session{
		Machine: DescribeMachine(filepath.Join(benchRoot(b), "root")), Counted: how, Packages: sources[:min(*packages, len(sources))],
		Options: *options, Costs: map[string]map[string][]Cost{}, meter: m,
	}
}

// round measures each engine once, on hosts that nobody has used. Who comes
// first changes from round to round.
func (s *session) round(b *testing.B, round int) {
	hosts := map[string]host{}
	order := []string{theirs, ours, bare}
	for range round {
		order = append(order[1:], order[0])
	}
	for _, engine := range order {
		h := newHost(b, engine)
		hosts[engine], s.Kernels = h, h.kernels
		if engine == bare {
			f := h.prepareFloor(s.Packages)
			s.record(fromNothing, bare, f.run(s.meter, strconv.Itoa(runtime.NumCPU())))
			continue
		}
		h.register(s.Packages)
		s.record(fromNothing, engine, h.autoinstall(s))
	}
	want, got := hosts[theirs].modules(), hosts[ours].modules()
	if s.Modules = len(want); len(want) == 0 {
		b.Fatal("dkms has installed no module")
	}
	s.Shadowed = hosts[theirs].withoutShadowed(got, want)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("modules differ (-dkms +ours):\n%s", diff)
	}
	s.answers(b, hosts[theirs], hosts[ours])
	s.again(b, hosts[ours])
}

// autoinstall has the engine install all that is registered for all kernels.
// dkms is asked for each kernel, as it is by the kernels' packages.
func (h host) autoinstall(s *session) Cost {
	h.TB.Helper()
	if h.engine == ours {
		c, _ := h.cost(s.meter, slices.Concat([]string{"/usr/sbin/dkms-hook", "sync"}, strings.Fields(s.Options))...)
		return c
	}
	var sum Cost
	for _, release := range h.kernels {
		c, _ := h.cost(s.meter, "/usr/sbin/dkms", "autoinstall", "-k", release)
		sum.Wall, sum.CPU, sum.Peak = sum.Wall+c.Wall, sum.CPU+c.CPU, max(sum.Peak, c.Peak)
	}
	return sum
}

// modules are the installed ones by path, with what is in them but for
// signatures, and whether they have one.
func (h host) modules() map[string]string {
	h.TB.Helper()
	out := h.Modules(h.kernels[0])
	for _, release := range h.kernels[1:] {
		for path, hash := range h.Modules(release) {
			out[path] = hash
		}
	}
	for path, hash := range out {
		if strings.HasSuffix(string(h.Read("/lib/modules/"+path)), "~Module signature appended~\n") {
			out[path] = hash + ", signed"
		}
	}
	return out
}

// withoutShadowed takes away what got has beyond want by the name of one of the
// kernel's own modules, and returns how many that were: dkms 3.0.10 takes any two
// modules without a version for the same and leaves the kernel's in place.
func (h host) withoutShadowed(got, want map[string]string) (n int) {
	h.TB.Helper()
	kernels := map[string]bool{}
	for path := range strings.Lines(h.Must("sh", "-c", "cd /lib/modules && find */kernel -name '*.ko'").Stdout) {
		release, _, _ := strings.Cut(path, "/")
		kernels[release+"/"+filepath.Base(strings.TrimSpace(path))] = true
	}
	for path := range got {
		release, _, _ := strings.Cut(path, "/")
		if _, ok := want[path]; !ok && kernels[release+"/"+filepath.Base(path)] {
			delete(got, path)
			n++
		}
	}
	return n
}

// answers measures what takes us milliseconds, and compares what is answered
// about the tree that dkms has made.
func (s *session) answers(b *testing.B, dkms, hook host) {
	s.record(nothing, theirs, dkms.autoinstall(s))
	c, their := dkms.cost(s.meter, "/usr/sbin/dkms", "status")
	s.record(status, theirs, c)
	beside := dkms.beside()
	for range answersOf {
		s.record(nothing, ours, hook.autoinstall(s))
		c, our := dkms.cost(s.meter, beside, "status")
		s.record(status, ours, c)
		if diff := cmp.Diff(sortedLines(their), sortedLines(our)); diff != "" {
			b.Errorf("status differs (-dkms +ours):\n%s", diff)
		}
	}
}

// today has what dkms 3.0.10 says in the words of later versions, which are ours.
var today = strings.NewReplacer("WARNING! Diff between built and installed module!", "Differences between built and installed modules")

func sortedLines(text string) []string {
	return slices.Sorted(strings.Lines(today.Replace(text)))
}

// again removes everything and has it installed once more, from the cache if
// the program has one.
func (s *session) again(b *testing.B, h host) {
	if !h.caches() {
		return
	}
	want := h.modules()
	for _, p := range h.packages(s.Packages) {
		h.Must("dkms-hook", "remove", p.Name+"/"+p.Version, "--all")
	}
	if left := h.modules(); len(left) > 0 {
		b.Fatalf("left after remove: %v", left)
	}
	h.register(s.Packages)
	s.record(readd, ours, h.autoinstall(s))
	if diff := cmp.Diff(want, h.modules()); diff != "" {
		b.Errorf("modules from the cache are others (-built +cached):\n%s", diff)
	}
}

// caches asks the program whether it has a cache of built modules.
func (h host) caches() bool { return h.Run("dkms-hook", "cache", "list").Status == 0 }

// print prints tables of what was measured, beside what was promised.
func (s *session) print(w *os.File) {
	fmt.Fprintf(w, "\n%s\n\n%d packages (%s) for %d kernels (%s): %d modules. Medians of %d rounds, in turn; CPU time by %s.\n",
		s.Machine, len(s.Packages), strings.Join(s.Packages, ", "), len(s.Kernels), strings.Join(s.Kernels, ", "), s.Modules, *rounds, s.Counted)
	dkms, hook, floor := s.median(fromNothing, theirs), s.median(fromNothing, ours), s.median(fromNothing, bare)
	ideal := floor.CPU / time.Duration(runtime.NumCPU())
	a := Table{Title: fromNothing, Head: []string{"", "wall", "wall ÷ dkms", "wall ÷ ideal", "CPU", "CPU ÷ dkms", "cores used", "own peak"}}
	for _, row := range []struct {
		engine string
		Cost
	}{{theirs, dkms}, {ours, hook}, {bare, floor}} {
		peak := ""
		if row.engine == ours {
			peak = fmt.Sprintf("%.1f MiB", float64(row.Peak)/(1<<20))
		}
		a.Add(row.engine, Seconds(row.Wall), Ratio(row.Wall, dkms.Wall), Ratio(row.Wall, ideal), Seconds(row.CPU), Ratio(row.CPU, dkms.CPU),
			fmt.Sprintf("%.2f", row.CPU.Seconds()/row.Wall.Seconds()), peak)
	}
	a.Note("Bare make is the make commands of the same recipes, %d at a time. Ideal is their CPU time ÷ %d cores: %s.", runtime.NumCPU(), runtime.NumCPU(), Seconds(ideal))
	a.Note("Wanted: wall ÷ dkms ≤ 0.68, CPU ÷ dkms ≤ 1, wall ÷ ideal ≤ 1.10, own peak ≤ 60 MiB.")
	a.Print(w)

	rest := Table{Title: "B, C, D", Head: []string{"", "dkms", "dkms-hook", "ratio", "wanted"}}
	for _, row := range []struct{ what, wanted string }{{nothing, "1/100"}, {status, "1/200"}} {
		t, o := s.median(row.what, theirs).Wall, s.median(row.what, ours).Wall
		rest.Add(row.what, Seconds(t), Seconds(o), Ratio(o, t), row.wanted)
	}
	if len(s.Costs[readd][ours]) > 0 {
		o := s.median(readd, ours).Wall
		rest.Add(readd+", beside our A", "", Seconds(o), Ratio(o, hook.Wall), "1/20")
	} else {
		rest.Note("D is left out: this dkms-hook has no cache of built modules (`dkms-hook cache list` fails).")
	}
	rest.Note("Both programs installed the same modules (contents but for signatures), and of the tree that dkms has made both told the same, line by line.")
	if s.Shadowed > 0 {
		rest.Note("Besides, dkms-hook replaced %d of the kernels' own modules, which dkms has built, too, but takes for the same, since neither tells a version.", s.Shadowed)
	}
	rest.Print(w)
}

// save writes what was measured as JSON, if it was asked for.
func (s *session) save(b *testing.B) {
	if *jsonFile == "" {
		return
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(*jsonFile, append(text, '\n'), 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
}
