package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Bind makes From visible at To within a view.
type Bind struct{ From, To string }

// ErrNoView says that this process may not make private mounts.
var ErrNoView = errors.New("no privilege for a private mount namespace")

// WithView runs fn on an OS thread of its own, in a private mount namespace in
// which each bind is in place (mount_namespaces(7)). Commands that fn starts by
// Run, from fn's own goroutine, see the view; the rest of the process does not.
// Where /proc or /dev/null is missing, as in an image, the view gets its own.
// It returns ErrNoView when the privilege is missing, and fn did not run then.
func WithView(binds []Bind, fn func() error) error {
	_, _ = devNull() // the machine's own, not the view's; who uses it hears of an error
	result := make(chan error, 1)
	go onDyingThread(func() {
		if err := enterView(binds); err != nil {
			result <- err
			return
		}
		result <- fn()
	})
	return <-result
}

// onDyingThread runs fn on a thread that ends with it, and what fn did to the
// thread ends too. The first thread of a process never ends (and is what
// /proc/self shows), so that one is held until fn has found another.
func onDyingThread(fn func()) {
	runtime.LockOSThread() // unlocked nowhere else: that is what ends it
	if unix.Gettid() != unix.Getpid() {
		fn()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		onDyingThread(fn)
	}()
	<-done
	runtime.UnlockOSThread()
}

func enterView(binds []Bind) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("%w: %w", ErrNoView, err)
	}
	if err := makePrivate(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoView, err)
	}
	for _, b := range binds {
		err := unix.Mount(b.From, b.To, "", unix.MS_BIND|unix.MS_REC, "")
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return fmt.Errorf("%w: bind %s over %s: %w", ErrNoView, b.From, b.To, err)
		}
		if err != nil {
			return fmt.Errorf("bind %s over %s: %w", b.From, b.To, err)
		}
	}
	err := furnish()
	if errors.Is(err, unix.EPERM) { // a container may forbid devices
		return fmt.Errorf("%w: %w", ErrNoView, err)
	}
	return err
}

// makePrivate keeps what this namespace mounts from showing elsewhere.
func makePrivate() error {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if !errors.Is(err, unix.EINVAL) {
		return err
	}
	// In a chroot / need not be a mount point, and only a mount point can be
	// made private. This thread has its own root since it unshared, so it
	// steps out to the namespace's real root, makes that private, and comes
	// back (chroot(2), NOTES: a root is no wall for its superuser).
	root, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	below, err := anyDirectory("/")
	if err != nil {
		return err
	}
	if err := unix.Chroot(below); err != nil {
		return err
	}
	defer func() {
		if unix.Fchdir(root) == nil {
			_ = unix.Chroot(".")
		}
	}()
	if err := unix.Fchdir(root); err != nil {
		return err
	}
	for range 64 { // deeper than any path a root is mounted at
		if err := unix.Chdir(".."); err != nil {
			return err
		}
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

func anyDirectory(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.IsDir() {
			return filepath.Join(dir, e.Name()), nil
		}
	}
	return "", fmt.Errorf("%s: holds no directory", dir)
}

// furnish gives a bare image the /proc and /dev that compilers expect.
func furnish() error {
	if _, err := os.Stat("/proc/self"); err != nil {
		if info, err := os.Stat("/proc"); err == nil && info.IsDir() {
			// Not fatal: make and gcc work without, only slower or louder.
			_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
		}
	}
	if info, err := os.Stat("/dev/null"); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return nil
	}
	if info, err := os.Stat("/dev"); err != nil || !info.IsDir() {
		return nil
	}
	if err := unix.Mount("tmpfs", "/dev", "tmpfs", unix.MS_NOSUID, "size=1m,mode=755"); err != nil {
		return fmt.Errorf("private /dev: %w", err)
	}
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		if err := unix.Mknod("/dev/"+name, syscall.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("private /dev/%s: %w", name, err)
		}
		if err := os.Chmod("/dev/"+name, 0o666); err != nil {
			return err
		}
	}
	return os.Symlink("/proc/self/fd", "/dev/fd")
}
