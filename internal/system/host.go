package system

import (
	"bytes"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Uname returns the running kernel's release and machine (uname(2)).
func Uname() (release, machine string, err error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", "", err
	}
	return unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:]), nil
}

var enteredRoot atomic.Bool

// EnterRoot makes dir the root directory of this process (chroot(2)), so that
// every path, absolute links included, is resolved inside it.
func EnterRoot(dir string) error {
	if _, err := devNull(); err != nil {
		return err
	}
	if err := unix.Chroot(dir); err != nil {
		return &os.PathError{Op: "chroot", Path: dir, Err: err}
	}
	enteredRoot.Store(true)
	return os.Chdir("/")
}

// InChroot reports whether we see another file system than process 1 does:
// after EnterRoot, or when our root directory or mount table differs from its.
// It is to be asked before WithView. Without /proc the answer is true: a
// machine that runs has one.
func InChroot() bool {
	if enteredRoot.Load() {
		return true
	}
	ours, err := os.Stat("/")
	if err != nil {
		return true
	}
	theirs, err := os.Stat("/proc/1/root/.")
	if err != nil || !os.SameFile(ours, theirs) {
		return true
	}
	a, errA := os.ReadFile("/proc/self/mountinfo")
	b, errB := os.ReadFile("/proc/1/mountinfo")
	return errA != nil || errB != nil || !bytes.Equal(a, b)
}

// Umask sets the process's umask (umask(2)).
func Umask(mask int) { unix.Umask(mask) }
