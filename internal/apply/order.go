package apply

import (
	"cmp"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// inOrder returns the steps of a plan in the order in which those start that can:
// what takes no time first, then builds, those first from whose beginning to the
// end of all that needs them it takes longest. Equals stay in the plan's order, and
// so do all where one runs at a time.
func (a *Applier) inOrder(steps []plan.Step, slots int) []plan.Step {
	if slots < 2 {
		return steps
	}
	left := a.left(steps)
	urgency := func(s plan.Step) time.Duration {
		if s.Verb != plan.Build {
			return math.MaxInt64
		}
		return left[s.ID()]
	}
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(x, y plan.Step) int { return cmp.Compare(urgency(y), urgency(x)) })
	return steps
}

// left is how long it takes from the beginning of each step to the end of what
// needs it, as far as builds go.
func (a *Applier) left(steps []plan.Step) map[plan.StepID]time.Duration {
	expected := map[dkms.Package]time.Duration{}
	left := map[plan.StepID]time.Duration{}
	for _, s := range slices.Backward(steps) { // what needs a step comes behind it
		if s.Verb == plan.Build {
			if _, ok := expected[s.Ref.Package]; !ok {
				expected[s.Ref.Package] = a.expected(s.Ref.Package)
			}
			left[s.ID()] += expected[s.Ref.Package]
		}
		for _, need := range s.Needs {
			left[need] = max(left[need], left[s.ID()])
		}
	}
	return left
}

// perFile is what compilers take for a file: nearly all of it goes into the
// kernel's headers, so that files count, and not what is in them.
const perFile = time.Second

// expected is how long p will take to build: as long as last time, else as its
// files let expect.
func (a *Applier) expected(p dkms.Package) time.Duration {
	if took, ok := a.times.Of(p); ok {
		return took
	}
	source, err := filepath.EvalSymlinks(a.machine.Candidate(p, a.tree.SourceLink(p), true).Source)
	if err != nil {
		return 0 // it will not take long to fail
	}
	files := 0
	_ = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".c") {
			files++
		}
		return nil
	})
	return time.Duration(files) * perFile
}
