package system

import (
	"runtime"
	"slices"
	"sync"
	"testing"
)

func TestTogether(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 1000} {
		var mu sync.Mutex
		var got []int
		running, most := 0, 0
		Together(n, func(i int) {
			mu.Lock()
			running++
			most = max(most, running)
			got = append(got, i)
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			running--
			mu.Unlock()
		})
		slices.Sort(got)
		want := make([]int, n)
		for i := range want {
			want[i] = i
		}
		if !slices.Equal(got, want) {
			t.Errorf("Together(%d) called with %v; want each once", n, got)
		}
		if most > runtime.GOMAXPROCS(0) {
			t.Errorf("Together(%d) had %d running at a time on %d processors", n, most, runtime.GOMAXPROCS(0))
		}
	}
}
