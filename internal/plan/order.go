package plan

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// order sorts steps so that each comes behind what it Needs and what it is
// After, and otherwise by kernel, package and verb.
func order(steps map[StepID]Step) []Step {
	waits := map[StepID]int{}
	next := map[StepID][]StepID{}
	free := &queue{}
	for id, s := range steps {
		before := slices.Concat(s.Needs, s.After)
		waits[id] = len(before)
		for _, b := range before {
			next[b] = append(next[b], id)
		}
		if len(before) == 0 {
			*free = append(*free, s)
		}
	}
	heap.Init(free)
	sorted := make([]Step, 0, len(steps))
	for free.Len() > 0 {
		s := heap.Pop(free).(Step)
		sorted = append(sorted, s)
		for _, id := range next[s.ID()] {
			if waits[id]--; waits[id] == 0 {
				heap.Push(free, steps[id])
			}
		}
	}
	return sorted
}

// queue is a heap of steps that could come next.
type queue []Step

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return compareSteps(q[i], q[j]) < 0 }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(Step)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

func compareSteps(a, b Step) int {
	return cmp.Or(
		dkms.CompareKernels(a.Ref.KernelID, b.Ref.KernelID),
		dkms.ComparePackages(a.Ref.Package, b.Ref.Package),
		cmp.Compare(rank(a.Verb), rank(b.Verb)),
	)
}

func rank(v Verb) int {
	return slices.Index([]Verb{Add, Build, Install, Uninstall, Unbuild, Remove, Depmod, Initramfs, PostTransaction}, v)
}
