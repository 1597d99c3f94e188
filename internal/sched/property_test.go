package sched_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/sched"
)

// watch is what the nodes of a graph see of each other while they run.
type watch struct {
	sync.Mutex
	ended  map[int]bool
	held   map[string]bool
	weight int
	wrong  string
}

func (w *watch) enter(n sched.Node[int], slots int) {
	w.Lock()
	defer w.Unlock()
	for _, id := range slices.Concat(n.Needs, n.After) {
		if !w.ended[id] {
			w.wrong = "a node ran before what it waits for"
		}
	}
	for _, h := range n.Holds {
		if w.held[h] {
			w.wrong = "two nodes hold one resource"
		}
		w.held[h] = true
	}
	if w.weight += min(max(n.Weight, 1), slots); w.weight > slots {
		w.wrong = "more runs than there are slots"
	}
}

func (w *watch) leave(n sched.Node[int], slots int) {
	w.Lock()
	defer w.Unlock()
	for _, h := range n.Holds {
		delete(w.held, h)
	}
	w.weight -= min(max(n.Weight, 1), slots)
	w.ended[n.ID] = true
}

// drawGraph draws nodes that wait for lower numbers only, in any order, and
// which of them fail.
func drawGraph(t *rapid.T, slots int, w *watch) (nodes []sched.Node[int], fails map[int]bool) {
	fails = map[int]bool{}
	for id := range rapid.IntRange(0, 30).Draw(t, "nodes") {
		n := sched.Node[int]{ID: id, Weight: rapid.IntRange(-1, 5).Draw(t, "weight")}
		if id > 0 {
			n.Needs = rapid.SliceOfN(rapid.IntRange(0, id-1), 0, 2).Draw(t, "needs")
			n.After = rapid.SliceOfN(rapid.IntRange(0, id-1), 0, 2).Draw(t, "after")
		}
		n.Holds = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 2, rapid.ID[string]).Draw(t, "holds")
		fails[id] = rapid.IntRange(0, 4).Draw(t, "fails") == 0
		n.Run = func(context.Context) error {
			w.enter(n, slots)
			defer w.leave(n, slots)
			if fails[id] {
				return errors.New("failed")
			}
			return nil
		}
		nodes = append(nodes, n)
	}
	return rapid.Permutation(nodes).Draw(t, "order"), fails
}

// Whatever the graph: every node ends, in order, within its resources; exactly
// those fail that do, and exactly those are blocked that need them.
func TestRunProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(1, 4).Draw(t, "slots")
		w := &watch{ended: map[int]bool{}, held: map[string]bool{}}
		nodes, fails := drawGraph(t, slots, w)
		got, err := sched.Run(context.Background(), nodes, sched.Options[int]{
			Slots: slots,
			OnEnd: func(id int, o sched.Outcome[int]) {
				w.Lock()
				defer w.Unlock()
				w.ended[id] = true
			},
		})
		if err != nil || w.wrong != "" {
			t.Fatalf("Run: %v, %s", err, w.wrong)
		}
		slices.SortFunc(nodes, func(a, b sched.Node[int]) int { return a.ID - b.ID })
		good := map[int]bool{}
		for _, n := range nodes {
			want := sched.Done
			if slices.ContainsFunc(n.Needs, func(id int) bool { return !good[id] }) {
				want = sched.Blocked
			} else if fails[n.ID] {
				want = sched.Failed
			}
			good[n.ID] = want == sched.Done
			o := got[n.ID]
			if o.Status != want {
				t.Fatalf("node %d is %s; want %s", n.ID, o.Status, want)
			}
			if want == sched.Blocked && (good[o.Need] || !slices.Contains(n.Needs, o.Need) || got[o.Root].Status != sched.Failed) {
				t.Fatalf("node %d is blocked by %d, from %d", n.ID, o.Need, o.Root)
			}
		}
		if len(got) != len(nodes) {
			t.Fatalf("%d outcomes of %d nodes", len(got), len(nodes))
		}
	})
}

// With one slot the order is always the same.
func TestRunIsDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &watch{ended: map[int]bool{}, held: map[string]bool{}}
		nodes, _ := drawGraph(t, 1, w)
		order := func() (ids []int) {
			_, err := sched.Run(context.Background(), nodes, sched.Options[int]{OnStart: func(id int) { ids = append(ids, id) }})
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		if first, second := order(), order(); !slices.Equal(first, second) {
			t.Fatalf("one order: %v; another: %v", first, second)
		}
	})
}
