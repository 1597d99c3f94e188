//go:build e2e

package probes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// cost is what something took.
type cost struct{ cpu, wall time.Duration }

// measured runs fn and returns what it and what it started took. Nothing else
// may run in this process.
func measured(fn func()) cost {
	before, start := used(), time.Now()
	fn()
	return cost{used() - before, time.Since(start)}
}

func used() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			panic(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

func median(costs []cost, of func(cost) time.Duration) time.Duration {
	var all []time.Duration
	for _, c := range costs {
		all = append(all, of(c))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkStart builds packages in turn by the bare make command of their
// dkms.conf, by kbuild without and by kbuild with a memory, and compares.
func BenchmarkStart(b *testing.B) {
	memory := probe.New(filepath.Join(b.TempDir(), "memory"))
	for _, name := range packages {
		b.Run(name, func(b *testing.B) {
			room := newBench(b, name)
			for range 3 { // learn, and have the machine's caches warm
				room.Probes = memory
				room.make(b)
			}
			var bare, without, with []cost
			for b.Loop() {
				bare = append(bare, room.bare(b))
				room.Probes = nil
				without = append(without, measured(func() { room.make(b) }))
				room.Probes = memory
				with = append(with, measured(func() { room.make(b) }))
			}
			cpu := func(c cost) time.Duration { return c.cpu }
			wall := func(c cost) time.Duration { return c.wall }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(bare, cpu).Seconds(), "make-cpu-s")
			b.ReportMetric(median(without, cpu).Seconds(), "without-cpu-s")
			b.ReportMetric(median(with, cpu).Seconds(), "with-cpu-s")
			b.ReportMetric(float64(median(with, cpu))/float64(median(bare, cpu)), "cpu/make")
			b.ReportMetric(float64(median(with, wall))/float64(median(bare, wall)), "wall/make")
		})
	}
}

// bare runs the make command of the package in a copy of its source, as a
// person would.
func (b *bench) bare(tb testing.TB) cost {
	tb.Helper()
	if err := os.RemoveAll(b.Build); err != nil {
		tb.Fatal(err)
	}
	if err := os.CopyFS(b.Build, os.DirFS(b.Source)); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", b.Recipe.Make)
	cmd.Dir = b.Build
	cmd.Env = append(os.Environ(), fmt.Sprintf("kernelver=%s", b.Kernel.Release), "KVERSION="+b.Kernel.Release)
	return measured(func() {
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("%s: %v\n%s", b.Recipe.Make, err, out)
		}
	})
}
