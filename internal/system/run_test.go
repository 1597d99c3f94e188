package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sh(script string) []string { return []string{"/bin/sh", "-c", script} }

func TestRunStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		status int
		signal syscall.Signal
		text   string
	}{
		{"exit 3", 3, 0, "/bin/sh: exit status 3"},
		{"exit 255", 255, 0, "/bin/sh: exit status 255"},
		{"kill -TERM $$", 128 + 15, syscall.SIGTERM, "/bin/sh: ended by signal 15 (terminated)"},
		{"kill -KILL $$", 128 + 9, syscall.SIGKILL, "/bin/sh: ended by signal 9 (killed)"},
	} {
		err := Run(context.Background(), Command{Args: sh(c.script)})
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Status != c.status || exit.Signal != c.signal || exit.Error() != c.text {
			t.Errorf("Run(%q) = %#v; want status %d, signal %d, %q", c.script, err, c.status, c.signal, c.text)
		}
	}
	if err := Run(context.Background(), Command{Args: sh("true")}); err != nil {
		t.Errorf("Run(true) = %v; want nil", err)
	}
	if err := Run(context.Background(), Command{Args: []string{"no-such-program"}}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("Run(no-such-program) = %v; want exec.ErrNotFound", err)
	}
}

// What a program has others do for it counts, waiting does not; and it adds up.
func TestRunSpent(t *testing.T) {
	t.Parallel()
	var idle, busy time.Duration
	if err := Run(t.Context(), Command{Args: sh("sleep 0.3"), Spent: &idle}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		former := busy
		err := Run(t.Context(), Command{Args: sh("(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done); exit 3"), Spent: &busy})
		var exit *ExitError
		if !errors.As(err, &exit) || busy < former+10*idle || busy < former+50*time.Millisecond {
			t.Errorf("Run = %v, after %v of processor time, before %v; that of sleep is %v", err, busy, former, idle)
		}
	}
}

func TestRunReadsNull(t *testing.T) {
	t.Parallel()
	out, err := Output(context.Background(), Command{Args: sh("readlink /proc/self/fd/0; wc -c")})
	if got := strings.Fields(string(out)); err != nil || len(got) != 2 || got[0] != "/dev/null" || got[1] != "0" {
		t.Errorf("standard input is %q, %v; want /dev/null with 0 bytes", out, err)
	}
	out, err = Output(context.Background(), Command{Args: []string{"cat"}, Stdin: strings.NewReader("given")})
	if string(out) != "given" || err != nil {
		t.Errorf("cat of given input = %q, %v", out, err)
	}
}

func TestRunLooksInItsOwnPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script(t, filepath.Join(dir, "hello"), "#!/bin/sh\necho from $PWD\n")
	out, err := Output(context.Background(), Command{Args: []string{"hello"}, Env: []string{"PATH=" + dir + ":/bin", "PWD=" + dir}, Dir: dir})
	if want := "from " + dir + "\n"; string(out) != want || err != nil {
		t.Errorf("hello = %q, %v; want %q", out, err, want)
	}
}

// Both streams go through one pipe when they are one writer: what a compiler
// says stays next to the command that it is about.
func TestRunKeepsOrder(t *testing.T) {
	t.Parallel()
	var both bytes.Buffer
	err := Run(context.Background(), Command{Args: sh("for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo $i >&2; done"), Stdout: &both, Stderr: &both})
	var want strings.Builder
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&want, "%d\n%d\n", i, i)
	}
	if both.String() != want.String() || err != nil {
		t.Errorf("got %q, %v; want %q", both.String(), err, want.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Functions cannot be compared, which must not be a panic.
func TestRunTakesFunctions(t *testing.T) {
	t.Parallel()
	count := 0
	w := writerFunc(func(p []byte) (int, error) { count += len(p); return len(p), nil })
	if err := Run(context.Background(), Command{Args: sh("echo hello"), Stdout: w, Stderr: w}); err != nil || count != 6 {
		t.Errorf("wrote %d bytes, %v; want 6", count, err)
	}
}

// A whole process group goes when its leader has been silent for too long,
// children in the background included.
func TestRunEndsSilence(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	start := time.Now()
	err := Run(context.Background(), Command{
		Args: sh("sleep 60 & echo $!; echo $$; sleep 60"), Stdout: &out, Silence: 300 * time.Millisecond,
	})
	if took := time.Since(start); !errors.Is(err, ErrSilent) || took > 10*time.Second || took < 300*time.Millisecond {
		t.Errorf("Run = %v after %v; want ErrSilent after 300ms", err, took)
	}
	for _, pid := range strings.Fields(out.String()) {
		gone(t, pid)
	}
}

func TestRunSilenceIsNotDuration(t *testing.T) {
	t.Parallel()
	err := Run(context.Background(), Command{
		Args: sh("for i in 1 2 3 4 5 6 7 8 9 10; do echo; sleep 0.1; done"), Silence: 700 * time.Millisecond,
	})
	if err != nil {
		t.Errorf("Run of a slow command that prints = %v; want nil", err)
	}
}

func TestRunEndsWithContext(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	var out bytes.Buffer
	w := writerFunc(func(p []byte) (int, error) { cancel(stopped); return out.Write(p) })
	err := Run(ctx, Command{Args: sh("sleep 60 & echo $!; sleep 60"), Stdout: w})
	if !errors.Is(err, stopped) {
		t.Errorf("Run = %v; want the context's cause", err)
	}
	gone(t, strings.TrimSpace(out.String()))
	if err := Run(ctx, Command{Args: sh("echo never >" + filepath.Join(t.TempDir(), "x"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run with an ended context = %v; want context.Canceled", err)
	}
}

// A daemon that a script leaves behind holds our pipe; we do not wait for it.
func TestRunLeavesGrandchild(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	start := time.Now()
	err := Run(context.Background(), Command{Args: sh("setsid sleep 60 & echo $!"), Stdout: &out, Stderr: &out})
	if took := time.Since(start); err != nil || took > 10*time.Second {
		t.Errorf("Run = %v after %v; want nil at once", err, took)
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(out.String())); err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func TestRunLeavesChildAndFails(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := Run(context.Background(), Command{Args: sh("sleep 30 & exit 4"), Stdout: &out})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Status != 4 {
		t.Errorf("Run = %v; want exit status 4 in spite of the child in the background", err)
	}
}

// helperEnv tells the test binary to play another process.
const helperEnv = "SYSTEM_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(m.Run())
	case "follow":
		helperFollow()
	case "view":
		helperView()
	case "limits":
		helperLimits()
	case "unprivileged":
		helperUnprivileged()
	}
}

// helperFollow starts a command that would stay, and waits to be killed.
func helperFollow() {
	err := WithView(nil, func() error {
		return Run(context.Background(), Command{Args: sh("echo $$; exec sleep 60"), Stdout: os.Stdout, Follow: true})
	})
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// helper returns the test binary as the named helper.
func helper(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestRunFollows(t *testing.T) {
	t.Parallel()
	needView(t)
	cmd := helper(t, "follow")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	n, _ := out.Read(line)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, strings.TrimSpace(string(line[:n])))
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	out, err := Output(context.Background(), Command{Args: sh("head -c 20000000 /dev/zero")})
	if len(out) != outputLimit || err != nil {
		t.Errorf("Output = %d bytes, %v; want %d", len(out), err, outputLimit)
	}
}

// gone fails the test unless process pid ends within a few seconds.
func gone(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("process number %q: %v", pid, err)
	}
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("process %d still runs", n)
	_ = syscall.Kill(n, syscall.SIGKILL)
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
