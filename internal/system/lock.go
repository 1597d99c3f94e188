package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Lock is an exclusive lock on a file (flock(2)), given up by Unlock or by the
// end of the process. The file holds the process number of its holder.
type Lock struct{ file *os.File }

// ErrHeldByAncestor is returned by TakeLock when the holder is the caller's own
// ancestor: to wait would be to wait for ever.
var ErrHeldByAncestor = errors.New("held by a process that called this one")

// LockEnv names the environment variable by which a holder tells its children
// that it holds the lock, for where /proc cannot tell.
const LockEnv = "DKMS_HOOK_LOCK_HOLDER"

// TakeLock locks path, making it where it is missing. When another process
// holds it, waiting is called once with that process's number (0: unknown) and
// TakeLock waits until it is free or ctx ends.
func TakeLock(ctx context.Context, path string, waiting func(pid int)) (*Lock, error) {
	// Never unlinked: a lock on an unlinked file excludes nobody.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return claim(f)
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		pid := holder(f)
		if pid != 0 && descendsFrom(pid) {
			f.Close()
			return nil, fmt.Errorf("%s: %w (pid %d)", path, ErrHeldByAncestor, pid)
		}
		if !told && waiting != nil {
			waiting(pid)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func claim(f *os.File) (*Lock, error) {
	pid := strconv.Itoa(os.Getpid())
	// A full disk must not stop a removal that would free it: the number is
	// only for the message of those who wait.
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(pid+"\n"), 0)
	if err := os.Setenv(LockEnv, pid); err != nil {
		f.Close()
		return nil, err
	}
	return &Lock{f}, nil
}

// Unlock gives the lock up.
func (l *Lock) Unlock() error {
	_ = l.file.Truncate(0)
	_ = os.Unsetenv(LockEnv)
	return l.file.Close()
}

func holder(f *os.File) int {
	var buf [32]byte
	n, _ := f.ReadAt(buf[:], 0)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(buf[:n])))
	if err != nil {
		return 0
	}
	return pid
}

// descendsFrom reports whether process pid is among our ancestors, by
// /proc/PID/stat where there is one and else by the holder's word in our
// environment.
func descendsFrom(pid int) bool {
	for at := os.Getppid(); at > 1; {
		if at == pid {
			return true
		}
		parent, err := parentOf(at)
		if err != nil {
			break
		}
		at = parent
	}
	return os.Getenv(LockEnv) == strconv.Itoa(pid)
}

func parentOf(pid int) (int, error) {
	p, err := ReadProcess(pid)
	return p.Parent, err
}
