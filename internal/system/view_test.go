package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// needView skips a test where mounts are not allowed, and fails it in CI.
func needView(t *testing.T) {
	t.Helper()
	err := WithView(nil, func() error { return nil })
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no private mount namespaces here: %v", err)
	}
	t.Skipf("needs private mount namespaces: %v", err)
}

// twoDirs returns directories a, with a file, and b, which is empty.
func twoDirs(t *testing.T) (a, b string) {
	t.Helper()
	dir := t.TempDir()
	a, b = filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, d := range []string{a, b} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(a, "file"), []byte("of a"), 0o644); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestWithView(t *testing.T) {
	t.Parallel()
	needView(t)
	a, b := twoDirs(t)
	before := mountinfo(t)
	want := errors.New("from within")
	err := WithView([]Bind{{From: a, To: b}}, func() error {
		if got, err := os.ReadFile(filepath.Join(b, "file")); string(got) != "of a" || err != nil {
			t.Errorf("in the view, b/file is %q, %v; want that of a", got, err)
		}
		out, err := Output(context.Background(), Command{Args: []string{"ls", b}, Follow: true})
		if string(out) != "file\n" || err != nil {
			t.Errorf("a command in the view lists %q, %v; want file", out, err)
		}
		outside := make(chan bool)
		go func() { outside <- Exists(filepath.Join(b, "file")) }()
		if <-outside {
			t.Error("another goroutine sees the view")
		}
		return want
	})
	if !errors.Is(err, want) {
		t.Errorf("WithView = %v; want what its function returned", err)
	}
	if Exists(filepath.Join(b, "file")) {
		t.Error("the bind is still there after WithView")
	}
	if after := mountinfo(t); after != before {
		t.Errorf("mounts after:\n%s\nbefore:\n%s", after, before)
	}
}

func TestWithViewMissingDirectory(t *testing.T) {
	t.Parallel()
	needView(t)
	a, _ := twoDirs(t)
	err := WithView([]Bind{{From: a, To: filepath.Join(a, "no")}}, func() error { t.Error("ran"); return nil })
	if !errors.Is(err, unix.ENOENT) || errors.Is(err, ErrNoView) {
		t.Errorf("WithView over a directory that is not there = %v; want ENOENT, not ErrNoView", err)
	}
}

// A read-only bind source, a link as the target, and a view in a view.
func TestWithViewFollowsLinks(t *testing.T) {
	t.Parallel()
	needView(t)
	a, b := twoDirs(t)
	link := filepath.Join(filepath.Dir(a), "link")
	if err := os.Symlink("b", link); err != nil {
		t.Fatal(err)
	}
	err := WithView([]Bind{{From: a, To: link}}, func() error {
		if !Exists(filepath.Join(b, "file")) {
			t.Error("a bind over a link is not seen where the link points")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func mountinfo(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/task/" + fmt.Sprint(unix.Gettid()) + "/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// In a chroot the root directory is no mount point, and where mounts are
// shared, as systemd has them, a careless view would show in all of the
// machine. A process in a namespace of its own plays the machine.
func TestWithViewDoesNotLeak(t *testing.T) {
	t.Parallel()
	needView(t)
	for _, how := range []string{"plain", "chroot", "bare chroot"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := helper(t, "view", how, t.TempDir())
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			out, err := cmd.Output()
			if string(out) != "good\n" || err != nil {
				t.Errorf("%s: %q, %v", how, out, err)
			}
		})
	}
}

func helperView() {
	if err := checkLeak(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("good")
	os.Exit(0)
}

// checkLeak makes all mounts shared, enters a chroot below dir if how says so,
// makes a view, and compares the mounts of the namespace before and after.
func checkLeak(how, dir string) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return err
	}
	root := filepath.Join(dir, "root")
	dirs := []string{"a", "b"}
	if how == "chroot" {
		dirs = append(dirs, "proc", "dev")
	}
	for _, d := range dirs {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(root, "a", "file"), nil, 0o644); err != nil {
		return err
	}
	before, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	realRoot, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	prefix := root
	if how != "plain" {
		prefix = "/"
		if err := EnterRoot(root); err != nil {
			return err
		}
	}
	err = WithView([]Bind{{From: filepath.Join(prefix, "a"), To: filepath.Join(prefix, "b")}}, func() error { return lookAround(how, prefix) })
	if err != nil {
		return err
	}
	if Exists(filepath.Join(prefix, "b/file")) || Exists(filepath.Join(prefix, "dev/null")) && how != "plain" {
		return errors.New("the view can be seen from outside")
	}
	if err := errors.Join(unix.Fchdir(realRoot), unix.Chroot(".")); err != nil {
		return err
	}
	after, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if string(before) != string(after) {
		return fmt.Errorf("mounts leaked:\n%s", strings.TrimPrefix(string(after), string(before)))
	}
	return nil
}

func lookAround(how, prefix string) error {
	if !Exists(filepath.Join(prefix, "b/file")) {
		return errors.New("the bind is not there")
	}
	if how != "plain" && Exists("/root") {
		return errors.New("the view left the chroot")
	}
	if wd, err := os.Getwd(); how != "plain" && (err != nil || wd != "/") {
		return fmt.Errorf("working directory is %q, %w", wd, err)
	}
	if how != "chroot" {
		return nil
	}
	for _, path := range []string{"/proc/self/status", "/dev/null", "/dev/urandom", "/dev/fd/"} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("furniture of the view: %w", err)
		}
	}
	return os.WriteFile("/dev/null", []byte("x"), 0o644)
}

// Without the privilege fn must not run, so that the caller can do without.
func TestWithViewUnprivileged(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		err := WithView(nil, func() error { t.Error("ran"); return nil })
		if !errors.Is(err, ErrNoView) {
			t.Errorf("WithView = %v; want ErrNoView", err)
		}
		return
	}
	cmd := helper(t, "unprivileged")
	out, err := cmd.Output()
	if string(out) != "no view\n" || err != nil {
		t.Errorf("as nobody: %q, %v; want no view", out, err)
	}
}

func helperUnprivileged() {
	if err := syscall.Setuid(65534); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	err := WithView(nil, func() error { fmt.Println("ran"); return nil })
	if errors.Is(err, ErrNoView) {
		fmt.Println("no view")
	}
	os.Exit(0)
}
