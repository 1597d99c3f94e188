package kbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/jobserver"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// sharedJobs is a jobserver for the make of this machine.
func sharedJobs(t *testing.T, jobs int) *jobserver.Server {
	t.Helper()
	version, err := system.Output(context.Background(), system.Command{Args: []string{"make", "--version"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := jobserver.New(jobs, jobserver.StyleOf(string(version)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

// parts is a package of four files, each of which is made by a script that notes
// in $NOTES how many of its kind run, and takes its time until these were $WANT.
// Its target plain starts no kbuild.
const parts = `
-- Makefile --
ifneq ($(KERNELRELEASE),)
obj-m := hello.o
hello-y := main.o part1.o part2.o part3.o part4.o
$(obj)/part%.c:
	sh $(src)/gen part$* >$@
else
modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
plain:
	$(MAKE) hello.ko
hello.ko: part1.c part2.c part3.c part4.c
	cp hello.ko.in hello.ko
part%.c:
	sh gen part$* >$@
endif
-- gen --
: >$NOTES/running/$$-${PPID}
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	set -- $1 $NOTES/running/*
	echo $(($# - 1)) >>$NOTES/seen
	test $# -le $WANT || : >$NOTES/reached
	test ! -e $NOTES/reached || break
	sleep 0.2
done
rm $NOTES/running/$$-${PPID}
echo "int $1(void); int $1(void) { return 1; }"
-- main.c --
#include <linux/module.h>
MODULE_LICENSE("GPL");
`

// newParts makes n benches for it, with notes in common.
func newParts(t *testing.T, n, want int, command string, jobs Jobserver) (benches []*bench, notes string) {
	t.Helper()
	k := realKernels(t)[0]
	notes = t.TempDir()
	mkdir(t, filepath.Join(notes, "running"))
	for range n {
		b := quick(t, k, parts, command, module("hello"))
		b.Env, b.Verbose = []string{"NOTES=" + notes, "WANT=" + strconv.Itoa(want)}, true
		b.Jobserver, b.Probes = jobs, answers
		benches = append(benches, b)
	}
	return benches, notes
}

// most is the largest number that was noted.
func most(t *testing.T, notes string) (most int) {
	t.Helper()
	for _, word := range strings.Fields(read(t, filepath.Join(notes, "seen"))) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	return most
}

// Builds of a command as dahdi's, to which dkms gives no -j, run together as
// many commands as there are jobs; and their logs do not tell how many.
func TestBuildsShareJobs(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{"widened": "cd . && (make modules; make)", "with its own": "make -j7 plain", "quoted": "'make' -j 5 plain"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			benches, notes := newParts(t, 2, 3, command, sharedJobs(t, 3))
			var all sync.WaitGroup
			for _, b := range benches {
				all.Go(func() {
					result, err := b.run(t)
					if err != nil || len(result.Retries) > 0 || len(result.Warnings) > 0 {
						t.Errorf("Build = %v, retries %v, warnings %q\n%s", err, result.Retries, result.Warnings, b.logText(t))
					}
				})
			}
			all.Wait()
			if got := most(t, notes); got != 3 {
				t.Errorf("%d parts at a time; want 3", got)
			}
			log := benches[0].logText(t)
			if !strings.Contains(log, "# jobs: shared with the other builds\n") {
				t.Errorf("the log does not tell of sharing:\n%s", log)
			}
			for _, number := range []string{"-j", "jobserver", "MAKEFLAGS"} {
				if strings.Contains(log, number) {
					t.Errorf("the log has %s:\n%s", number, log)
				}
			}
		})
	}
}

// What comes out is the same with any number of jobs, and without.
func TestBuildSameWithAnyJobs(t *testing.T) {
	t.Parallel()
	benches, _ := newParts(t, 1, 1, "cd . && make", nil)
	b := benches[0]
	hashes := map[string][]string{}
	for how, jobs := range map[string]Jobserver{"none": nil, "1": sharedJobs(t, 1), "8": sharedJobs(t, 8)} {
		b.Jobserver = jobs
		hash := b.good(t).Modules[0].Hash
		hashes[hash] = append(hashes[hash], how)
		if err := os.RemoveAll(b.Scratch); err != nil {
			t.Fatal(err)
		}
		mkdir(t, b.Scratch)
	}
	if len(hashes) != 1 {
		t.Errorf("modules by number of jobs: %v", hashes)
	}
}

// hasty is a package that builds with one job only: build wants what gen makes,
// and does not say so. It wants a clean copy, too.
const hasty = `
-- Makefile --
all: gen build
$(if $(wildcard dirty),$(error this is no clean copy))
$(shell touch dirty)
gen:
	sleep 1; cp hello.ko.in generated
build:
	@test -e generated || { echo 'hasty.c:1:10: fatal error: generated.h: No such file or directory'; exit 1; }
	cp generated hello.ko
`

func TestBuildSerialOnly(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	for _, c := range []struct {
		command string
		jobs    int
		retries int
		fails   bool
	}{
		{"cd . && make", 2, 1, false}, // widened: dkms would have given it one
		{"cd . && make", 1, 0, false},
		{"'make' all", 4, 0, false},
		{"make -j1", 4, 0, false},
		{"make all", 2, 0, true},            // dkms would have failed as well
		{"cd . && make -j3", 2, 0, true},    // its own doing
		{"cd . && make absent", 2, 1, true}, // whatever is tried
	} {
		t.Run(fmt.Sprintf("%s with %d", c.command, c.jobs), func(t *testing.T) {
			t.Parallel()
			b := quick(t, k, hasty, c.command, module("hello"))
			s := sharedJobs(t, c.jobs)
			b.Jobserver = s
			result, err := b.run(t)
			retries, log := result.Retries, b.logText(t)
			var failed *BuildError
			if errors.As(err, &failed) {
				retries = failed.Retries
			}
			if c.fails != (err != nil) || len(retries) != c.retries {
				t.Errorf("Build = %v after %v; want failure %v after %d\n%s", err, retries, c.fails, c.retries, log)
			}
			for _, r := range retries {
				if r.How != RetrySerial || !strings.Contains(log, "# "+r.String()+"\n") || err == nil && !slices.Contains(result.Warnings, r.String()+r.advice()) {
					t.Errorf("retry %+v; warnings %q; log\n%s", r, result.Warnings, log)
				}
			}
			if len(retries) > 0 && err == nil && !strings.Contains(retries[0].Why, "hasty.c:1: generated.h: No such file or directory") {
				t.Errorf("the retry says %q", retries[0].Why)
			}
			free(t, s)
		})
	}
}

// free expects all slots of s to be free.
func free(t *testing.T, s *jobserver.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for range s.Jobs() {
		release, err := s.Acquire(ctx)
		if err != nil {
			t.Errorf("a slot was not given back: %v", err)
			return
		}
		defer release()
	}
}

// The same without a private view.
func TestBuildSerialOnlyInPlace(t *testing.T) {
	t.Parallel()
	b := quick(t, realKernels(t)[0], hasty, "cd . && make", module("hello"))
	b.Jobserver = sharedJobs(t, 2)
	before := b.snapshot(t)
	result, err := build(context.Background(), b.Job, func([]system.Bind, func() error) error { return system.ErrNoView })
	if err != nil || len(result.Retries) != 1 || len(result.Modules) != 1 {
		t.Errorf("Build = %+v, %v\n%s", result, err, b.logText(t))
	}
	if after := b.snapshot(t); len(after) != len(before) {
		t.Errorf("left %v; there was %v", after, before)
	}
}

// A Makefile that names its own number of jobs builds all the same, and make
// says what it did.
func TestBuildWithItsOwnJobs(t *testing.T) {
	t.Parallel()
	benches, notes := newParts(t, 1, 4, "make plain", sharedJobs(t, 2))
	b := benches[0]
	path := filepath.Join(b.Source, "Makefile")
	write(t, path, strings.Replace(read(t, path), "$(MAKE) hello.ko", "$(MAKE) -j4 hello.ko", 1), 0o644)
	if result := b.good(t); len(result.Retries) > 0 {
		t.Errorf("retries: %v", result.Retries)
	}
	if got := most(t, notes); got != 4 {
		t.Errorf("%d parts at a time; want the 4 of the Makefile", got)
	}
	if log := b.logText(t); !strings.Contains(log, "warning: -j4 forced in ") {
		t.Errorf("log:\n%s", log)
	}
}

// A build that was killed for want of memory waits until it is alone, and is
// built once more with one job.
func TestBuildKilledForMemory(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	for name, c := range map[string]struct{ kill, why string }{
		"make itself":  {"kill -KILL $$", "make failed: "},
		"its compiler": {"echo 'gcc: fatal error: Killed signal terminated program cc1'; exit 2", "Killed signal terminated program cc1"},
		"a child":      {"sh -c 'kill -KILL $$'; exit $?", " Killed "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notes := t.TempDir()
			once := filepath.Join(notes, "once")
			b := quick(t, k, "", "if ! test -e "+once+"; then : >"+once+"; "+c.kill+"; fi; echo flags: $MAKEFLAGS; "+copyHello, module("hello"))
			s := sharedJobs(t, 2)
			b.Jobserver = s
			release, err := s.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			alone := make(chan bool, 1)
			go func() {
				for !system.Exists(once) || !strings.Contains(b.logText(t), "# "+Retry{How: RetryAlone}.String()) {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(200 * time.Millisecond)
				alone <- strings.Contains(b.logText(t), "\nflags:")
				release()
			}()
			result := b.good(t)
			if <-alone {
				t.Error("it was built while another slot was held")
			}
			if len(result.Retries) != 1 {
				t.Fatalf("retries: %+v", result.Retries)
			}
			r := result.Retries[0]
			if r.How != RetryAlone || !strings.Contains(r.Why, c.why) || !slices.Contains(result.Warnings, r.String()+r.advice()) {
				t.Errorf("retry %+v; want one alone because of %q; warnings %q", r, c.why, result.Warnings)
			}
			if !slices.Contains(b.lines.text, "flags:") {
				t.Errorf("it had more than one job: %q", b.lines.text)
			}
			if !slices.ContainsFunc(result.Phases, func(p Phase) bool { return p.Name == PhaseWait && p.Duration > 0 }) {
				t.Errorf("phases %v have no wait", result.Phases)
			}
			free(t, s)
		})
	}
}

// It is tried once more and not for ever, and what is no matter of jobs not at
// all.
func TestBuildRetriesEnd(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	for _, c := range []struct {
		command string
		kind    dkms.Kind
		phase   string
		text    string
		retries []RetryHow
	}{
		{"kill -KILL $$", dkms.MakeFailed, PhaseMake, "out of memory", []RetryHow{RetryAlone}},
		{"echo x; test -e /nowhere", dkms.MakeFailed, PhaseMake, "exit status 1", []RetryHow{RetrySerial}},
		{"true", dkms.ModuleNotProduced, PhaseVerify, "hello.ko", []RetryHow{RetrySerial}},
		{"case $MAKEFLAGS in '') kill -KILL $$;; esac; false", dkms.MakeFailed, PhaseMake, "out of memory", []RetryHow{RetrySerial, RetryAlone}},
		{"sleep 60", dkms.MakeFailed, PhaseMake, "timeout", nil},
		{"echo 'cp: error writing x: No space left on device'; exit 1", dkms.MakeFailed, PhaseMake, "disk full", nil},
		{"'make' no-such-target", dkms.MakeFailed, PhaseMake, "no-such-target", nil},
	} {
		t.Run(c.command, func(t *testing.T) {
			t.Parallel()
			b := quick(t, k, "", c.command, module("hello"))
			s := sharedJobs(t, 3)
			b.Jobserver = s
			if c.command == "sleep 60" {
				b.Timeout = 500 * time.Millisecond
			}
			failed := b.bad(t, c.kind, c.phase, c.text)
			var how []RetryHow
			for _, r := range failed.Retries {
				how = append(how, r.How)
			}
			if !slices.Equal(how, c.retries) {
				t.Errorf("retries %v; want %v\n%s", failed.Retries, c.retries, b.logText(t))
			}
			free(t, s)
		})
	}
}

// A build that waits for a slot ends with its context, and so does one that
// waits to be alone.
func TestBuildWaitEnds(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	for _, command := range []string{copyHello, "kill -KILL $$"} {
		b := quick(t, k, "", command, module("hello"))
		s := sharedJobs(t, 2)
		b.Jobserver = s
		for range map[string]int{copyHello: 2, "kill -KILL $$": 1}[command] {
			release, err := s.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer release()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := b.runContext(ctx, t)
		var failed *BuildError
		if !errors.As(err, &failed) || failed.Class != Interrupted {
			t.Errorf("%s: Build = %v; want an interrupted one", command, err)
		}
	}
}
