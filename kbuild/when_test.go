package kbuild

import (
	"context"
	"errors"
	"testing"
	"time"
)

// The phases of a build that fails are known up to the one that failed, and
// follow each other.
func TestPhasesOfFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t, realKernels(t)[0], hello, module("hello"))
	b.Recipe.Make = "sleep 0.1; false"
	before := time.Now()
	_, err := Build(t.Context(), b.Job)
	after := time.Now()
	var failed *BuildError
	if !errors.As(err, &failed) || failed.Phase != PhaseMake {
		t.Fatalf("Build = %v; want a failure of make", err)
	}
	inOrder(t, failed.Phases, before, after)
	last := failed.Phases[len(failed.Phases)-1]
	if last.Name != PhaseMake || last.Duration < 100*time.Millisecond {
		t.Errorf("the last phase is %+v; want 100 ms of make", last)
	}
}

// inOrder fails the test if phases overlap, or are outside from and to.
func inOrder(t *testing.T, phases []Phase, from, to time.Time) {
	t.Helper()
	for _, p := range phases {
		if p.Began.Before(from) {
			t.Errorf("%s began %v before %v", p.Name, from.Sub(p.Began), from)
		}
		from = p.Began.Add(p.Duration)
	}
	if len(phases) == 0 || from.After(to) {
		t.Errorf("phases %+v; want some, that end by %v", phases, to)
	}
}

// What waits, waits before the phase that it is for.
func TestPhaseAfterWait(t *testing.T) {
	t.Parallel()
	var b builder
	before := time.Now()
	err := b.timed(PhaseMake, func() error {
		release, err := b.wait(t.Context(), func(context.Context) (func(), error) {
			time.Sleep(20 * time.Millisecond)
			return func() {}, nil
		})
		if err != nil {
			return err
		}
		defer release()
		time.Sleep(20 * time.Millisecond)
		return nil
	})
	if err != nil || len(b.result.Phases) != 2 || b.result.Phases[0].Name != PhaseWait || b.result.Phases[1].Name != PhaseMake {
		t.Fatalf("%v; phases %+v; want wait and make", err, b.result.Phases)
	}
	inOrder(t, b.result.Phases, before, time.Now())
}
