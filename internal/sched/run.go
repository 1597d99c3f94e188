package sched

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// Run runs the graph and returns how each node ended. Among nodes that could
// start, the first in nodes starts first; one that only waits for slots holds
// up those behind it, so that a heavy node's turn comes.
//
// The error is about the graph (an ID twice, an unknown need, a circle); then
// nothing has run. That nodes failed is not an error of Run. Run returns when
// every node that started has ended, also when ctx ends before.
func Run[ID comparable](ctx context.Context, nodes []Node[ID], o Options[ID]) (map[ID]Outcome[ID], error) {
	if err := check(nodes); err != nil {
		return nil, err
	}
	r := newRun(nodes, o)
	for ended := ctx.Done(); len(r.outcomes) < len(nodes); {
		r.start(ctx)
		if r.running == 0 {
			break
		}
		select {
		case e := <-r.ends:
			r.finish(e)
		case <-ended:
			ended = nil // once is enough: start looks at ctx itself
		}
	}
	return r.outcomes, nil
}

// run is a graph that runs. Only the goroutine of Run touches it; nodes'
// goroutines report by the channel.
type run[ID comparable] struct {
	Options[ID]
	nodes    map[ID]*Node[ID]
	next     map[ID][]ID // those that wait for it
	waits    map[ID]int  // how many it waits for
	place    map[ID]int  // position in the input
	ready    []ID        // waits for nothing; by place
	held     map[string]bool
	free     int // slots
	running  int
	ends     chan end[ID]
	outcomes map[ID]Outcome[ID]
}

type end[ID comparable] struct {
	id      ID
	err     error
	started time.Time
	ended   time.Time
}

func newRun[ID comparable](nodes []Node[ID], o Options[ID]) *run[ID] {
	o.Slots = max(o.Slots, 1)
	r := &run[ID]{
		Options:  o,
		nodes:    make(map[ID]*Node[ID], len(nodes)),
		next:     map[ID][]ID{},
		waits:    make(map[ID]int, len(nodes)),
		place:    make(map[ID]int, len(nodes)),
		held:     map[string]bool{},
		free:     o.Slots,
		ends:     make(chan end[ID]),
		outcomes: make(map[ID]Outcome[ID], len(nodes)),
	}
	for i := range nodes {
		n := &nodes[i]
		r.nodes[n.ID], r.place[n.ID] = n, i
		before := slices.Concat(n.Needs, n.After)
		r.waits[n.ID] = len(before)
		for _, b := range before {
			r.next[b] = append(r.next[b], n.ID)
		}
		if len(before) == 0 {
			r.ready = append(r.ready, n.ID)
		}
	}
	return r
}

// start starts what can start now, in the order of the input.
func (r *run[ID]) start(ctx context.Context) {
	r.settleHopeless(ctx)
	for i := 0; i < len(r.ready); {
		n := r.nodes[r.ready[i]]
		switch {
		case slices.ContainsFunc(n.Holds, func(h string) bool { return r.held[h] }):
			i++
		case r.weight(n) > r.free:
			return // those behind it wait as well, or its turn might never come
		default:
			r.ready = slices.Delete(r.ready, i, i+1)
			r.launch(ctx, n)
		}
	}
}

// settleHopeless settles what is ready but will never run, and what becomes
// so by that.
func (r *run[ID]) settleHopeless(ctx context.Context) {
	for i := 0; i < len(r.ready); {
		id := r.ready[i]
		o, never := r.never(ctx, r.nodes[id])
		if !never {
			i++
			continue
		}
		r.ready = slices.Delete(r.ready, i, i+1)
		r.settle(id, o)
		i = 0 // what waited for it came in at any place
	}
}

func (r *run[ID]) weight(n *Node[ID]) int { return min(max(n.Weight, 1), r.Slots) }

// never reports whether n, all of whose predecessors ended, will not run, and
// its outcome then.
func (r *run[ID]) never(ctx context.Context, n *Node[ID]) (Outcome[ID], bool) {
	for _, id := range n.Needs {
		need := r.outcomes[id]
		if need.Status == Done {
			continue
		}
		if need.Status == Canceled {
			return Outcome[ID]{Status: Canceled, Err: need.Err}, true
		}
		root := id
		if need.Status == Blocked {
			root = need.Root
		}
		err := &BlockedError[ID]{Need: id, Root: root, Cause: r.outcomes[root].Err}
		return Outcome[ID]{Status: Blocked, Err: err, Need: id, Root: root}, true
	}
	if ctx.Err() != nil && !n.Always {
		return Outcome[ID]{Status: Canceled, Err: context.Cause(ctx)}, true
	}
	return Outcome[ID]{}, false
}

func (r *run[ID]) launch(ctx context.Context, n *Node[ID]) {
	r.running++
	r.free -= r.weight(n)
	for _, h := range n.Holds {
		r.held[h] = true
	}
	if n.Always {
		ctx = context.WithoutCancel(ctx)
	}
	if r.OnStart != nil {
		r.OnStart(n.ID)
	}
	go func() {
		e := end[ID]{id: n.ID, started: time.Now(), err: errVanished}
		defer func() {
			e.ended = time.Now()
			r.ends <- e
		}()
		e.err = call(ctx, n.Run)
	}()
}

// errVanished is the error of a node that ended its goroutine.
var errVanished = errors.New("ended its goroutine (runtime.Goexit)")

// call runs f; a panic in it becomes its error.
func call(ctx context.Context, f func(context.Context) error) (err error) {
	if f == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Value: v, Stack: debug.Stack()}
		}
	}()
	return f(ctx)
}

// finish takes back what the node had and settles it.
func (r *run[ID]) finish(e end[ID]) {
	n := r.nodes[e.id]
	r.running--
	r.free += r.weight(n)
	for _, h := range n.Holds {
		delete(r.held, h)
	}
	o := Outcome[ID]{Status: Done, Err: e.err, Started: e.started, Ended: e.ended}
	if e.err != nil {
		o.Status = Failed
	}
	r.settle(e.id, o)
}

// settle records an outcome and frees those that waited for it.
func (r *run[ID]) settle(id ID, o Outcome[ID]) {
	r.outcomes[id] = o
	if r.OnEnd != nil {
		r.OnEnd(id, o)
	}
	for _, next := range r.next[id] {
		if r.waits[next]--; r.waits[next] == 0 {
			at, _ := slices.BinarySearchFunc(r.ready, next, func(a, b ID) int { return r.place[a] - r.place[b] })
			r.ready = slices.Insert(r.ready, at, next)
		}
	}
}

// check reports what is wrong with a graph.
func check[ID comparable](nodes []Node[ID]) error {
	place := make(map[ID]int, len(nodes))
	for i, n := range nodes {
		if _, twice := place[n.ID]; twice {
			return fmt.Errorf("%v: is there twice", n.ID)
		}
		place[n.ID] = i
	}
	for _, n := range nodes {
		for _, id := range slices.Concat(n.Needs, n.After) {
			if _, ok := place[id]; !ok {
				return fmt.Errorf("%v: waits for %v, which is not there", n.ID, id)
			}
		}
	}
	return findCircle(nodes, place)
}

// findCircle walks the graph depth first; a node that is met again on the way
// to itself closes a circle.
func findCircle[ID comparable](nodes []Node[ID], place map[ID]int) error {
	const (
		onWay = 1
		clear = 2
	)
	mark := make([]int, len(nodes))
	var visit func(i int) error
	visit = func(i int) error {
		if mark[i] == clear {
			return nil
		}
		if mark[i] == onWay {
			return fmt.Errorf("%v: waits for itself", nodes[i].ID)
		}
		mark[i] = onWay
		for _, id := range slices.Concat(nodes[i].Needs, nodes[i].After) {
			if err := visit(place[id]); err != nil {
				return err
			}
		}
		mark[i] = clear
		return nil
	}
	for i := range nodes {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}
