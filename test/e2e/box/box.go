package box

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A Box is a throw-away root. Its methods may be called by any goroutine, one
// after the other.
type Box struct {
	tb    testing.TB
	calls chan func()
}

// New returns a box that lives until the test ends. Without the privilege to
// make one the test is skipped, or fails when CI=true.
func New(tb testing.TB) *Box {
	tb.Helper()
	if os.Geteuid() != 0 {
		Lacks(tb, "root, for mounts of its own")
	}
	b := &Box{tb: tb, calls: make(chan func())}
	mountPoint := tb.TempDir()
	ready := make(chan error)
	go b.serve(mountPoint, ready)
	if err := <-ready; err != nil {
		tb.Fatalf("make a box: %v", err)
	}
	tb.Cleanup(func() { close(b.calls) })
	return b
}

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
func (b *Box) serve(mountPoint string, ready chan<- error) {
	runtime.LockOSThread()
	err := enter(mountPoint)
	ready <- err
	if err != nil {
		return
	}
	for call := range b.calls {
		call()
	}
}

// A mount is one call of mount(2).
type mount struct {
	from, to, kind string
	flags          uintptr
	data           string
}

func enter(dir string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("private mount namespace: %w", err)
	}
	upper, work, root := filepath.Join(dir, "upper"), filepath.Join(dir, "work"), filepath.Join(dir, "root")
	base := []mount{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{"tmpfs", dir, "tmpfs", 0, "size=4g,mode=755"}, // an upper layer cannot lie on an overlay, as a container's /tmp may
	}
	if err := mountAll(base); err != nil {
		return err
	}
	for _, d := range []string{upper, work, root} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	inside := []mount{
		{"overlay", root, "overlay", 0, fmt.Sprintf("lowerdir=/,upperdir=%s,workdir=%s", upper, work)},
		{"proc", filepath.Join(root, "proc"), "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/dev", filepath.Join(root, "dev"), "", unix.MS_BIND | unix.MS_REC, ""},
		{"/sys", filepath.Join(root, "sys"), "", unix.MS_BIND | unix.MS_REC, ""},
		{"tmpfs", filepath.Join(root, "tmp"), "tmpfs", 0, "mode=1777"},
		{"tmpfs", filepath.Join(root, "run"), "tmpfs", 0, "mode=755"},
	}
	if err := mountAll(inside); err != nil {
		return err
	}
	if err := unix.Chroot(root); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return forgetMachine()
}

func mountAll(mounts []mount) error {
	for _, m := range mounts {
		if err := unix.Mount(m.from, m.to, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.from, m.to, err)
		}
	}
	return nil
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
