package box

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A Box is a throw-away root. Its methods may be called by any goroutine, one
// after the other.
type Box struct {
	tb    testing.TB
	env   []string // besides Env
	calls chan func()
}

// New returns a box over the live machine that lives until the test ends.
// Without the privilege to make one the test is skipped, or fails when CI=true.
func New(tb testing.TB) *Box {
	tb.Helper()
	return open(tb, nil, func(dir string) error { return enter(dir, "/", machineMounts, forgetMachine) })
}

// NewOn returns a box over the root at lower, a whole Debian, where apt and
// dpkg work as on a machine: but for devices, of which there are the harmless
// ones, for the kernel's settings, which are read-only, for services, which
// nobody starts, for questions, which nobody asks, and for the network, which
// there is none of.
func NewOn(tb testing.TB, lower string) *Box {
	tb.Helper()
	return open(tb, []string{"DEBIAN_FRONTEND=noninteractive"}, func(dir string) error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("private network: %w", err)
		}
		return enter(dir, lower, ownMounts, startNothing)
	})
}

func open(tb testing.TB, env []string, enter func(dir string) error) *Box {
	tb.Helper()
	if os.Geteuid() != 0 {
		Lacks(tb, "root, for mounts of its own")
	}
	b := &Box{tb: tb, env: env, calls: make(chan func())}
	mountPoint := tb.TempDir()
	ready := make(chan error)
	go b.serve(func() error { return enter(mountPoint) }, ready)
	if err := <-ready; err != nil {
		tb.Fatalf("make a box: %v", err)
	}
	tb.Cleanup(func() { close(b.calls) })
	return b
}

// For returns the same box for a subtest: it fails that one.
func (b *Box) For(tb testing.TB) *Box { return &Box{tb: tb, env: b.env, calls: b.calls} }

// Lacks skips a test that cannot run here, and says what it lacks. In CI
// nothing may be lacking, so there the test fails.
func Lacks(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("lacks %s", what)
	}
	tb.Skipf("lacks %s", what)
}

// Do runs fn where the root is the box's: paths that fn names, and programs
// that it starts from its own goroutine, are the box's.
func (b *Box) Do(fn func()) {
	done := make(chan any)
	b.calls <- func() {
		defer func() { done <- recover() }()
		fn()
	}
	if p := <-done; p != nil {
		panic(p)
	}
}

// serve holds the box's thread. It is never unlocked, so it ends with the
// goroutine, and the namespace with it.
func (b *Box) serve(enter func() error, ready chan<- error) {
	runtime.LockOSThread()
	err := enter()
	ready <- err
	if err != nil {
		return
	}
	for call := range b.calls {
		call()
	}
}

// forgetMachine hides what a machine that uses DKMS itself would bring along.
func forgetMachine() error {
	for _, path := range []string{"/var/lib/dkms", "/etc/dkms", "/usr/lib/dkms", "/usr/sbin/dkms", "/usr/sbin/dkms-hook"} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// startNothing keeps packages' scripts from starting services.
func startNothing() error {
	// Debian's invoke-rc.d, README.policy-rc.d: 101 is "action forbidden".
	return os.WriteFile("/usr/sbin/policy-rc.d", []byte("#!/bin/sh\nexit 101\n"), 0o755)
}
