package system

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHelperLock is no test: it is what the lock tests start. It takes the lock
// and says so, and holds it until its standard input ends.
func TestHelperLock(t *testing.T) {
	path := os.Getenv("SYSTEM_TEST_LOCK")
	if path == "" {
		t.Skip("is run by other tests")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	lock, err := TakeLock(ctx, path, func(pid int) { os.Stdout.WriteString("waiting " + strconv.Itoa(pid) + "\n") })
	if err != nil {
		os.Stdout.WriteString("error " + err.Error() + "\n")
		return
	}
	os.Stdout.WriteString("locked\n")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// other is a process that takes the lock.
type other struct {
	cmd *exec.Cmd
	out *bufio.Reader
	end func()
}

// startOther starts another process for the lock at path; env replaces variables.
func startOther(t *testing.T, path string, args []string, env ...string) *other {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, self, "-test.run=^TestHelperLock$", "-test.v=false")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), "SYSTEM_TEST_LOCK="+path), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &other{cmd: cmd, out: bufio.NewReader(out), end: func() { in.Close() }}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return o
}

func (o *other) line(t *testing.T) string {
	t.Helper()
	line, err := o.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the other process: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// The tests of locks are not parallel: LockEnv belongs to the process.

func TestLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder := startOther(t, path, nil)
	if got := holder.line(t); got != "locked" {
		t.Fatalf("holder says %q; want locked", got)
	}
	waits := make(chan int, 10)
	taken := make(chan *Lock, 1)
	go func() {
		lock, err := TakeLock(t.Context(), path, func(pid int) { waits <- pid })
		if err != nil {
			t.Error(err)
		}
		taken <- lock
	}()
	if pid := <-waits; pid != holder.cmd.Process.Pid {
		t.Errorf("waits for %d; want %d", pid, holder.cmd.Process.Pid)
	}
	select {
	case <-taken:
		t.Fatal("two hold the lock")
	case <-time.After(200 * time.Millisecond):
	}
	holder.end()
	lock := <-taken
	if os.Getenv(LockEnv) != strconv.Itoa(os.Getpid()) {
		t.Errorf("%s = %q; want our number", LockEnv, os.Getenv(LockEnv))
	}
	if len(waits) != 0 {
		t.Error("waiting was told more than once")
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
	if _, set := os.LookupEnv(LockEnv); set {
		t.Errorf("%s is still set", LockEnv)
	}
}

// TestLockOfKilled: the end of a process gives its lock up, whatever its file
// says.
func TestLockOfKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder := startOther(t, path, nil)
	holder.line(t)
	if err := holder.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = holder.cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	lock, err := TakeLock(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder := startOther(t, path, nil)
	holder.line(t)
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := TakeLock(ctx, path, func(int) { cancel(why) })
	if !errors.Is(err, why) {
		t.Errorf("TakeLock() = %v; want %v", err, why)
	}
}

// TestLockOfAncestor: a child of the holder, and a child of that, never wait.
func TestLockOfAncestor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := TakeLock(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	for name, args := range map[string][]string{"child": nil, "grandchild": {"sh", "-c", `"$@"; :`, "sh"}} {
		// Without the variable: /proc tells.
		o := startOther(t, path, args, LockEnv+"=")
		if got := o.line(t); !strings.HasPrefix(got, "error ") || !strings.Contains(got, ErrHeldByAncestor.Error()) {
			t.Errorf("%s says %q; want %q", name, got, ErrHeldByAncestor)
		}
	}
}

// TestLockEnv: a daemonised child is nobody's descendant any more, but still
// knows from its environment who waits for it.
func TestLockEnv(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder := startOther(t, path, nil)
	holder.line(t)
	t.Setenv(LockEnv, strconv.Itoa(holder.cmd.Process.Pid))
	if _, err := TakeLock(t.Context(), path, nil); !errors.Is(err, ErrHeldByAncestor) {
		t.Errorf("TakeLock() = %v; want %v", err, ErrHeldByAncestor)
	}
	// A number left over from a run that has ended says nothing.
	t.Setenv(LockEnv, "1")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := TakeLock(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("TakeLock() = %v; want to wait", err)
	}
}

func TestLockFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := TakeLock(t.Context(), filepath.Join(dir, "none/lock"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("TakeLock() in no directory = %v; want not exist", err)
	}
	// A link planted where the lock belongs must not have its target emptied.
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := TakeLock(t.Context(), filepath.Join(dir, "lock"), nil); err == nil {
		t.Error("TakeLock() followed a link")
	}
	if data, _ := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("the link's target holds %q", data)
	}
	// Garbage in the file means an unknown holder.
	path := filepath.Join(dir, "lock2")
	holder := startOther(t, path, nil)
	holder.line(t)
	if err := os.WriteFile(path, []byte("not a number"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	told := -1
	_, _ = TakeLock(ctx, path, func(pid int) { told = pid })
	if told != 0 {
		t.Errorf("waits for %d; want 0", told)
	}
}
