package kbuild

import (
	"context"
	"errors"
	"strings"
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

// What a build has spent is the processor time of its commands, in the last try:
// neither waiting nor what failed before counts.
func TestSpent(t *testing.T) {
	t.Parallel()
	const work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; "
	k, s := realKernels(t)[0], sharedJobs(t, 2)
	spent := func(t *testing.T, preBuild, makes string) time.Duration {
		t.Helper()
		b := quick(t, k, "-- pre.sh --\n#!/bin/sh\n"+preBuild, "once="+t.TempDir()+"/once; "+makes+copyHello, module("hello"))
		b.Jobserver, b.Recipe.PreBuild = s, "pre.sh"
		result := b.good(t)
		if retries := strings.Count(makes, "once"); len(result.Retries) != min(retries, 1) {
			t.Errorf("%q: %d retries", makes, len(result.Retries))
		}
		return result.Spent
	}
	least := spent(t, "sleep 0.3", "sleep 0.3; ")
	for what, got := range map[string]time.Duration{
		"PRE_BUILD": spent(t, work, ""), "make": spent(t, "", work),
		"the second try": spent(t, "", "if ! [ -e $once ]; then : >$once; false; else "+work+" fi && "),
	} {
		if got < 3*least {
			t.Errorf("a build in which %s works has spent %v; one that sleeps %v", what, got, least)
		}
	}
	fails := spent(t, "", "if ! [ -e $once ]; then : >$once; "+work+"false; fi && ")
	if makes := spent(t, "", work); fails > (least+makes)/2 {
		t.Errorf("a build whose first try works and fails has spent %v; one that sleeps %v, one that works %v", fails, least, makes)
	}
}
