package sched_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/sched"
)

type node = sched.Node[string]

// at returns a function that takes so many seconds of the bubble's time.
func at(seconds int, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// trace runs nodes in a bubble and returns what happened when: "2s +b" is the
// start of b after two seconds, "3s -b done" its end.
func trace(t *testing.T, slots int, cancel time.Duration, nodes ...node) (events []string, outcomes map[string]sched.Outcome[string]) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		if cancel > 0 {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, cancel)
			defer stop()
		}
		begin := time.Now()
		var err error
		outcomes, err = sched.Run(ctx, nodes, sched.Options[string]{
			Slots:   slots,
			OnStart: func(id string) { events = append(events, fmt.Sprintf("%v +%s", time.Since(begin), id)) },
			OnEnd: func(id string, o sched.Outcome[string]) {
				events = append(events, fmt.Sprintf("%v -%s %s", time.Since(begin), id, o.Status))
			},
		})
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return events, outcomes
}

var errBad = errors.New("bad")

func TestRunOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		slots  int
		cancel time.Duration
		nodes  []node
		want   []string
	}{
		{"nothing", 1, 0, nil, nil},
		{"input order among equals", 2, 0,
			[]node{{ID: "c", Run: at(1, nil)}, {ID: "a", Run: at(3, nil)}, {ID: "b", Run: at(1, nil)}},
			[]string{"0s +c", "0s +a", "1s -c done", "1s +b", "2s -b done", "3s -a done"}},
		{"no slots are one", 0, 0,
			[]node{{ID: "a", Run: at(1, nil)}, {ID: "b", Run: at(1, nil)}},
			[]string{"0s +a", "1s -a done", "1s +b", "2s -b done"}},
		{"needs", 3, 0,
			[]node{{ID: "b", Needs: []string{"a"}, Run: at(1, nil)}, {ID: "a", Run: at(2, nil)}},
			[]string{"0s +a", "2s -a done", "2s +b", "3s -b done"}},
		{"a need twice is one", 3, 0,
			[]node{{ID: "b", Needs: []string{"a", "a"}, After: []string{"a"}}, {ID: "a"}},
			[]string{"0s +a", "0s -a done", "0s +b", "0s -b done"}},
		{"a failure blocks what needs it, not what is after it", 2, 0,
			[]node{
				{ID: "a", Run: at(1, errBad)},
				{ID: "b", Needs: []string{"a"}},
				{ID: "c", Needs: []string{"b"}},
				{ID: "d", After: []string{"a", "b", "c"}, Run: at(1, nil)},
				{ID: "e", Run: at(3, nil)},
			},
			[]string{"0s +a", "0s +e", "1s -a failed", "1s -b blocked", "1s -c blocked", "1s +d", "2s -d done", "3s -e done"}},
		{"what is held is not shared; others pass", 3, 0,
			[]node{
				{ID: "a", Holds: []string{"x"}, Run: at(2, nil)},
				{ID: "b", Holds: []string{"x", "y"}, Run: at(1, nil)},
				{ID: "c", Holds: []string{"y"}, Run: at(1, nil)},
			},
			[]string{"0s +a", "0s +c", "1s -c done", "2s -a done", "2s +b", "3s -b done"}},
		{"the heavy one is not passed by the light", 2, 0,
			[]node{
				{ID: "a", Run: at(1, nil)},
				{ID: "heavy", Weight: 9, Run: at(1, nil)},
				{ID: "c", Run: at(1, nil)},
			},
			[]string{"0s +a", "1s -a done", "1s +heavy", "2s -heavy done", "2s +c", "3s -c done"}},
		{"the end of the context", 1, 1500 * time.Millisecond,
			[]node{
				{ID: "a", Run: at(1, nil)},
				{ID: "b", Run: at(9, nil)},
				{ID: "c", Needs: []string{"b"}},
				{ID: "d", Run: at(1, nil)},
				{ID: "e", Needs: []string{"d"}},
				{ID: "last", After: []string{"b", "e"}, Always: true, Run: at(2, nil)},
				{ID: "not", After: []string{"last"}},
			},
			[]string{"0s +a", "1s -a done", "1s +b", "1.5s -d canceled", "1.5s -e canceled", "1.5s -b failed", "1.5s -c blocked", "1.5s +last", "3.5s -last done", "3.5s -not canceled"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _ := trace(t, tt.slots, tt.cancel, tt.nodes...)
			if tt.cancel > 0 { // the end of the context and the nodes' own are at one moment
				slices.Sort(tt.want)
				slices.Sort(got)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunBlockedNamesTheNeedAndTheRoot(t *testing.T) {
	t.Parallel()
	_, got := trace(t, 1, 0,
		node{ID: "a", Run: at(0, errBad)},
		node{ID: "b", Needs: []string{"a"}},
		node{ID: "c", Needs: []string{"b"}},
	)
	c := got["c"]
	if c.Status != sched.Blocked || c.Need != "b" || c.Root != "a" {
		t.Errorf("outcome of c = %+v; want blocked, need b, root a", c)
	}
	var blocked *sched.BlockedError[string]
	if !errors.As(c.Err, &blocked) || !errors.Is(c.Err, errBad) {
		t.Errorf("error of c = %#v; want a BlockedError around %v", c.Err, errBad)
	}
	if want := "needs b, which did not succeed"; c.Err.Error() != want {
		t.Errorf("Error() = %q; want %q", c.Err, want)
	}
	if !c.Started.IsZero() || c.Duration() != 0 {
		t.Errorf("c ran from %v for %v; want not at all", c.Started, c.Duration())
	}
}

func TestRunNodeThatDoesNotReturn(t *testing.T) {
	t.Parallel()
	_, got := trace(t, 1, 0,
		node{ID: "panics", Run: func(context.Context) error { panic("oh") }},
		node{ID: "exits", Run: func(context.Context) error { runtime.Goexit(); return nil }},
		node{ID: "nil"},
		node{ID: "needs", Needs: []string{"panics"}},
	)
	var p *sched.Panic
	if !errors.As(got["panics"].Err, &p) || p.Value != "oh" || len(p.Stack) == 0 || p.Error() != "panic: oh" {
		t.Errorf("error of the panic = %#v", got["panics"].Err)
	}
	if got["exits"].Status != sched.Failed || got["nil"].Status != sched.Done || got["needs"].Status != sched.Blocked {
		t.Errorf("outcomes = %v, %v, %v; want failed, done, blocked", got["exits"].Status, got["nil"].Status, got["needs"].Status)
	}
}

func TestRunCanceledBefore(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	got, err := sched.Run(ctx, []node{{ID: "a"}, {ID: "b", Needs: []string{"a"}}, {ID: "c", Always: true}}, sched.Options[string]{Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if o := got[id]; o.Status != sched.Canceled || !errors.Is(o.Err, why) {
			t.Errorf("outcome of %s = %+v; want canceled, because %v", id, o, why)
		}
	}
	if got["c"].Status != sched.Done {
		t.Errorf("outcome of c = %+v; want done", got["c"])
	}
}

func TestRunRefusesBadGraphs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want  string
		nodes []node
	}{
		{"a: is there twice", []node{{ID: "a"}, {ID: "a"}}},
		{"a: waits for x, which is not there", []node{{ID: "a", Needs: []string{"x"}}}},
		{"a: waits for x, which is not there", []node{{ID: "a", After: []string{"x"}}}},
		{"a: waits for itself", []node{{ID: "a", After: []string{"a"}}}},
		{"a: waits for itself", []node{{ID: "a", Needs: []string{"b"}}, {ID: "b", After: []string{"c"}}, {ID: "c", Needs: []string{"a"}}}},
	} {
		for i := range tt.nodes {
			tt.nodes[i].Run = func(context.Context) error { t.Error("a node ran"); return nil }
		}
		got, err := sched.Run(context.Background(), tt.nodes, sched.Options[string]{})
		if err == nil || err.Error() != tt.want || got != nil {
			t.Errorf("Run = %v, %v; want nil, %q", got, err, tt.want)
		}
	}
}

func TestStatusString(t *testing.T) {
	t.Parallel()
	for s, want := range map[sched.Status]string{
		sched.Done: "done", sched.Failed: "failed", sched.Blocked: "blocked", sched.Canceled: "canceled", -1: "unknown", 4: "unknown",
	} {
		if got := s.String(); got != want {
			t.Errorf("Status(%d).String() = %q; want %q", int(s), got, want)
		}
	}
}
