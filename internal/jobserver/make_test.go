package jobserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A shop has makes run sleeping jobs, each of which notes how many run, and
// sleeps until these were WANT.
type shop struct {
	*Server
	dir string
}

// newShop makes one for the make of this machine.
func newShop(t *testing.T, jobs int) shop {
	t.Helper()
	version, err := exec.Command("make", "--version").Output()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("in CI, and lacks make: %v", err)
	} else if err != nil {
		t.Skipf("needs make: %v", err)
	}
	style := StyleOf(string(version))
	if style == None {
		t.Fatalf("no GNU make: %s", version)
	}
	s := shop{Server: server(t, jobs, style), dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.dir, "running"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(t, "Makefile", `
JOBS ?= 1 2 3 4 5 6
WANT ?= `+strconv.Itoa(jobs)+`
all: $(addprefix job-,$(JOBS))
job-%:
	@: > running/$(ID)-$*; \
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
		set -- running/*; echo $$# >> seen; \
		test $$# -lt $(WANT) || : > reached; \
		if test -e reached; then sleep 0.02; break; fi; sleep 0.1; \
	done; rm running/$(ID)-$*
nested: nested-a nested-b
nested-%:
	@$(MAKE) --no-print-directory ID=$(ID)-$*
asks:
	@$(MAKE) -j3 --no-print-directory
die: ; kill -KILL $$PPID
dies: job-1 job-2 job-3 die
hang: ; @: > hangs; sleep 60
hangs: job-1 job-2 hang
`)
	return s
}

func (s shop) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// start starts a command that shares the jobs, in a process group of its own.
func (s shop) start(t *testing.T, args ...string) (*exec.Cmd, *strings.Builder, func()) {
	t.Helper()
	flags, files, err := s.Share()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.ExtraFiles = s.dir, files
	cmd.Env = append(os.Environ(), "MAKEFLAGS="+flags, "MAKELEVEL=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out, func() {
		for _, f := range files {
			f.Close()
		}
	}
}

// run runs a command in a slot of its own, to its end.
func (s shop) run(t *testing.T, args ...string) (out string, err error) {
	release, err := s.Acquire(soon(t))
	if err != nil {
		t.Error(err)
		return "", err
	}
	defer release()
	cmd, text, done := s.start(t, args...)
	defer done()
	err = cmd.Wait()
	return text.String(), err
}

// most is the largest number of jobs that ran at a time.
func (s shop) most(t *testing.T) (most int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(data)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		most = max(most, n)
	}
	return most
}

// Several makes at a time, and those that they call, run as many jobs as there
// are, and never one more.
func TestMakesShare(t *testing.T) {
	t.Parallel()
	for _, jobs := range []int{1, 2, 5} {
		t.Run(strconv.Itoa(jobs), func(t *testing.T) {
			t.Parallel()
			s := newShop(t, jobs)
			var all sync.WaitGroup
			for i, target := range []string{"all", "nested", "all", "nested"} {
				all.Go(func() {
					out, err := s.run(t, "make", "--no-print-directory", target, "ID="+strconv.Itoa(i))
					if err != nil || out != "" {
						t.Errorf("make %s = %v, %q", target, err, out)
					}
				})
			}
			all.Wait()
			if got := s.most(t); got != jobs {
				t.Errorf("%d jobs ran at a time; want %d", got, jobs)
			}
			whole(t, s.Server)
		})
	}
}

// One make alone takes all jobs there are, also from a command that is not
// make itself, and with no standard input.
func TestMakeTakesAll(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"make", "ID=x"},
		{"bash", "-c", "cd . && make ID=x"},
		{"bash", "-c", "exec 0<&-; make ID=x"},
	} {
		t.Run(args[len(args)-1], func(t *testing.T) {
			t.Parallel()
			s := newShop(t, 4)
			if out, err := s.run(t, args...); err != nil || out != "" {
				t.Errorf("%q = %v, %q", args, err, out)
			}
			if got := s.most(t); got != 4 {
				t.Errorf("%d jobs ran at a time; want 4", got)
			}
			whole(t, s.Server)
		})
	}
}

// A make that is told a number by its own Makefile shares no more, and says
// so: that is what a build's log is searched for.
func TestMakeWithItsOwnJobs(t *testing.T) {
	t.Parallel()
	s := newShop(t, 2)
	out, err := s.run(t, "make", "asks", "ID=x", "WANT=3")
	if err != nil || !strings.Contains(out, "-j3 forced in submake") {
		t.Errorf("make asks = %v, %q", err, out)
	}
	if got := s.most(t); got != 3 {
		t.Errorf("%d jobs ran at a time; want the 3 of the Makefile", got)
	}
	whole(t, s.Server)
}

// Commands that are no make, or that fail, leave everything as it was.
func TestOtherCommands(t *testing.T) {
	t.Parallel()
	s := newShop(t, 2)
	for _, args := range [][]string{{"true"}, {"false"}, {"make", "no-such-target"}, {"sh", "-c", "exec 3<&- 4>&-; make JOBS=1 WANT=1 ID=x"}} {
		out, err := s.run(t, args...)
		t.Logf("%q: %v, %s", args, err, out)
		if failed := err != nil; failed != (args[0] == "false" || len(args) == 2 && args[0] == "make") {
			t.Errorf("%q = %v, %s", args, err, out)
		}
	}
	whole(t, s.Server)
}

// What killed makes held comes back, and those beside them go on meanwhile.
func TestKilledMakes(t *testing.T) {
	t.Parallel()
	t.Run("one that kills itself", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, 3)
		if _, err := s.run(t, "make", "dies", "ID=x"); err == nil {
			t.Error("the make lives")
		}
		whole(t, s.Server)
	})
	t.Run("the whole group", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, 3)
		release := acquire(t, s.Server)
		cmd, _, done := s.start(t, "bash", "-c", "make hangs ID=x; true")
		for _, err := os.Stat(filepath.Join(s.dir, "hangs")); err != nil; _, err = os.Stat(filepath.Join(s.dir, "hangs")) {
			time.Sleep(time.Millisecond)
		}
		beside := make(chan error)
		go func() {
			_, err := s.run(t, "make", "ID=y")
			beside <- err
		}()
		time.Sleep(100 * time.Millisecond)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
		done()
		release()
		if err := <-beside; err != nil {
			t.Errorf("the make beside = %v", err)
		}
		whole(t, s.Server)
	})
}
