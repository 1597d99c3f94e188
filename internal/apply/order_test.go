package apply_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// clocked is a stub that tells what its builds have spent.
type clocked struct {
	*stub
	slots  int
	spent  map[string]time.Duration // by name of the package
	cached bool
}

func (c clocked) Slots() int { return c.slots }

func (c clocked) Views() bool { return true }

func (c clocked) Build(ctx context.Context, w apply.Work) (kbuild.Result, error) {
	r, err := c.stub.Build(ctx, w)
	r.Spent, r.Cached = c.spent[w.Recipe.Name], c.cached
	return r, err
}

// started applies steps in m as another process would, and returns what has
// started, in order.
func started(t *testing.T, m *machine.Machine, c clocked, steps ...plan.Step) (order []string) {
	t.Helper()
	if c.stub == nil {
		c.stub = &stub{}
	}
	before := fmt.Sprint(steps)
	w := &witness{}
	if _, err := applier(t, m, c).Apply(t.Context(), plan.Plan{Steps: steps}, w); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(steps); after != before {
		t.Errorf("the plan has become %s; was %s", after, before)
	}
	for _, line := range w.heard {
		if step, ok := strings.CutPrefix(line, "started "); ok {
			order = append(order, step)
		}
	}
	return order
}

// builds are steps that build ref of each name, in the plan's order.
func builds(names ...string) (steps []plan.Step) {
	for _, name := range names {
		steps = append(steps, plan.Step{Verb: plan.Build, Ref: ref(name)})
	}
	return steps
}

// named are the StepIDs of such builds.
func named(names ...string) (ids []string) {
	for _, s := range builds(names...) {
		ids = append(ids, string(s.ID()))
	}
	return ids
}

// files gives a package so many files for a compiler.
func files(t *testing.T, m *machine.Machine, name string, n int) {
	t.Helper()
	for i := range n {
		treetest.Write(t, fmt.Sprintf("%s/sub%d/a.c", m.Tree.Source(ref(name).Package), i), strings.Repeat("x", 1000/n))
	}
}

// TestLongestFirst proves that of builds that could begin the longest do, by what
// is known of them, whatever the plan's order is; and that what is known comes of
// builds that have compiled and succeeded.
func TestLongestFirst(t *testing.T) {
	t.Parallel()
	m := open(t, "a", "b", "c", "d", "e")
	files(t, m, "c", 2)
	files(t, m, "d", 4)
	spent := map[string]time.Duration{"a": 3 * time.Second, "b": 9 * time.Second, "c": 90 * time.Second, "d": 90 * time.Second, "e": time.Second}
	all := []string{"a", "b", "c", "d", "e"}
	// Files are all that there is to go by, and then order.
	if diff := cmp.Diff(named("d", "c", "a", "b", "e"), started(t, m, clocked{slots: 2, spent: spent, cached: true}, builds(all...)...)); diff != "" {
		t.Errorf("nothing is known (-want +got):\n%s", diff)
	}
	started(t, m, clocked{slots: 2, spent: spent}, builds("a", "b", "e")...)
	failing := &stub{errs: map[string]error{"c": errors.New("no"), "d": errors.New("no")}}
	started(t, m, clocked{stub: failing, slots: 2, spent: spent}, builds("c", "d")...)
	for range 3 {
		if diff := cmp.Diff(named("b", "d", "a", "c", "e"), started(t, m, clocked{slots: 2, cached: true}, builds(all...)...)); diff != "" {
			t.Errorf("some are known (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(named(all...), started(t, m, clocked{slots: 1, cached: true}, builds(all...)...)); diff != "" {
		t.Errorf("one at a time (-want +got):\n%s", diff)
	}
}

// TestLongestFirstForAnotherKernel proves that what a build took is known when the
// kernel that it was for has gone, for new kernels and new versions.
func TestLongestFirstForAnotherKernel(t *testing.T) {
	t.Parallel()
	m := open(t, "a", "b")
	started(t, m, clocked{slots: 2, spent: map[string]time.Duration{"a": time.Second, "b": 90 * time.Second}}, builds("a", "b")...)
	for _, name := range []string{"a", "b"} {
		if err := m.Tree.Unbuild(ref(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Tree.ForgetKernel(kernel.Release); err != nil {
		t.Fatal(err)
	}
	steps := builds("a", "b")
	headers := filepath.Join(m.Tree.KernelDir(kernel.Release), "build")
	for i := range steps {
		steps[i].Ref.Release = "6.1.0-2-test"
	}
	if err := os.MkdirAll(m.Tree.KernelDir("6.1.0-2-test"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(headers, filepath.Join(m.Tree.KernelDir("6.1.0-2-test"), "build")); err != nil {
		t.Fatal(err)
	}
	// A new version of b.
	old, source := steps[1].Ref.Package, m.Tree.Source(dkms.Package{Name: "b", Version: "2"})
	text, err := os.ReadFile(m.Tree.Source(old) + "/dkms.conf")
	if err != nil {
		t.Fatal(err)
	}
	steps[1].Ref.Version = "2"
	treetest.Write(t, source+"/dkms.conf", strings.Replace(string(text), "VERSION=1", "VERSION=2", 1))
	if err := m.Tree.Register(steps[1].Ref.Package, source); err != nil {
		t.Fatal(err)
	}
	want := []string{string(steps[1].ID()), string(steps[0].ID())}
	if diff := cmp.Diff(want, started(t, m, clocked{slots: 2}, steps...)); diff != "" {
		t.Errorf("for another kernel (-want +got):\n%s", diff)
	}
}

// TestLongestFirstWithWhatNeedsIt proves that what a build holds up counts with it,
// and that what is no build never waits for one to begin.
func TestLongestFirstWithWhatNeedsIt(t *testing.T) {
	t.Parallel()
	m := open(t, "base", "long", "mid", "top")
	files(t, m, "base", 1)
	files(t, m, "long", 7)
	files(t, m, "mid", 3)
	files(t, m, "top", 5)
	steps := builds("base", "long", "mid", "top")
	steps[2].Needs = []plan.StepID{steps[0].ID()} // 1 + 3 + 5 seconds are more than 7
	steps[3].Needs = []plan.StepID{steps[2].ID()}
	removal := plan.Step{Verb: plan.Unbuild, Ref: ref("gone")}
	got := started(t, m, clocked{slots: 2}, append(steps, removal)...)
	want := append([]string{string(removal.ID())}, named("base", "long", "mid", "top")...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}
}

// TestBuildTimesFile looks at what is remembered on disk, and proves that a run is
// as good without it.
func TestBuildTimesFile(t *testing.T) {
	t.Parallel()
	m := open(t, "a", "b")
	path := filepath.Join(m.Tree.Dir, ".dkms-hook", "build-times.json")
	read := func() map[string]float64 {
		t.Helper()
		var f struct {
			Schema   int
			Packages map[string]struct{ Seconds float64 }
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &f)
		}
		if err != nil || f.Schema != 1 {
			t.Errorf("%s: %v, schema %d", path, err, f.Schema)
		}
		seconds := map[string]float64{}
		for key, took := range f.Packages {
			seconds[key] = took.Seconds
		}
		return seconds
	}
	c := clocked{slots: 2, spent: map[string]time.Duration{"a": 1500 * time.Millisecond, "b": time.Minute}}
	c.stub = &stub{errs: map[string]error{"b": errors.New("no")}}
	started(t, m, c, builds("a", "b")...)
	if diff := cmp.Diff(map[string]float64{"a/1": 1.5}, read()); diff != "" {
		t.Errorf("after a success and a failure (-want +got):\n%s", diff)
	}
	for _, text := range []string{"", "{}", "\x00", `{"schema":1,"packages":{"a/1":{"seconds":"long"}}}`, `{"schema":99,"packages":{"a/1":{"seconds":99}}}`} {
		treetest.Write(t, path, text)
		if diff := cmp.Diff(named("a", "b"), started(t, m, clocked{slots: 2, spent: c.spent}, builds("a", "b")...)); diff != "" {
			t.Errorf("with %q (-want +got):\n%s", text, diff)
		}
		if diff := cmp.Diff(map[string]float64{"a/1": 1.5, "b/1": 60}, read()); diff != "" {
			t.Errorf("with %q it becomes (-want +got):\n%s", text, diff)
		}
	}
	// Not even what cannot be replaced.
	if err := errors.Join(os.Remove(path), os.MkdirAll(path+"/sub", 0o755)); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	console := &report.Console{W: &said}
	a := apply.New(m, apply.NewKeys(m, console), console, apply.Options{Open: func(context.Context) apply.Workshop { return c }})
	c.errs = nil
	if _, err := a.Apply(t.Context(), plan.Plan{Steps: builds("a", "b")}); err != nil || a.Failed() > 0 || strings.Contains(said.String(), "build-times") {
		t.Errorf("with a directory in its place: %v, %d failed; it says %q", err, a.Failed(), said.String())
	}
}
