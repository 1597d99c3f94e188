package system

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Together calls fn with 0 to n-1, as many at a time as there are processors, and
// returns when all have. They begin in order. What holds for the calling thread
// only, as a view (WithView), does not for them, unless it is but one call.
func Together(n int, fn func(i int)) {
	if n == 1 {
		fn(0)
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				fn(int(i))
			}
		})
	}
	all.Wait()
}
