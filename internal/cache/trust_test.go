package cache

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// TestTrusted: of a directory that others may write to nothing is taken, and
// nothing is put there. The error says what is wrong with it.
func TestTrusted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil         func(dir string) error
		problem, hint string
	}{
		"group": {func(dir string) error { return os.Chmod(dir, 0o770) }, "others may write to it: what is in there is not believed", "remove it; it is made again"},
		"all":   {func(dir string) error { return os.Chmod(dir, 0o1777) }, "others may write to it: what is in there is not believed", "remove it; it is made again"},
		"link": {func(dir string) error {
			return errors.Join(os.Rename(dir, dir+"2"), os.Symlink(dir+"2", dir))
		}, "is no directory", "remove it; it is made again"},
		"file": {func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		}, "is no directory", "remove it; it is made again"},
		"owner": {func(dir string) error { return os.Chown(dir, 65534, 65534) }, "belongs to user 65534: what is in there is not believed", "remove it; it is made again"},
		"above": {func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(dir)), os.WriteFile(filepath.Dir(dir), nil, 0o600))
		}, "cannot be looked into", "remove the file above it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "owner" && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			s := New(filepath.Join(t.TempDir(), "var", "cache"), plenty)
			put(t, s, "one", map[string]string{"a": "a"})
			if err := s.Usable(); err != nil {
				t.Errorf("Usable = %v", err)
			}
			if err := c.spoil(s.dir); err != nil {
				t.Fatal(err)
			}
			_, getErr := s.Get(key("one"), t.TempDir())
			_, listErr := s.List()
			_, pruneErr := s.Prune(0)
			for what, err := range map[string]error{
				"Usable": s.Usable(), "Get": getErr, "List": listErr, "Prune": pruneErr,
				"Put": s.Put(key("two"), "", folder(t, map[string]string{"a": "b"}), []string{"a"}),
			} {
				var e *dkms.Error
				if !errors.As(err, &e) || e.Object != s.dir || e.Problem != c.problem || e.Hint != c.hint {
					t.Errorf("%s: %v; want %s: %s, and %q", what, err, s.dir, c.problem, c.hint)
				}
			}
		})
	}
}

// TestOrdinaryUser: who is not root is told to be.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	top, err := os.MkdirTemp("", "cache-") // t.TempDir is root's own
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(top)
	s := New(filepath.Join(top, "dkms-hook", "modules"), plenty)
	put(t, s, "one", map[string]string{"a": "a"})
	for problem, open := range map[string]string{
		"cannot be looked into":   top,
		"belongs to another user": filepath.Dir(s.dir),
	} {
		if err := errors.Join(os.Chmod(top, 0o755), os.Chmod(filepath.Dir(s.dir), 0o700), os.Chmod(open, 0o755)); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			_, err := s.List()
			var e *dkms.Error
			if !errors.As(err, &e) || e.Object != s.dir || e.Problem != problem || e.Hint != "run as root" {
				t.Errorf("List: %v; want %s, with a hint", err, problem)
			}
		})
	}
}

// asNobody runs fn in a thread without privileges, which ends with it.
func asNobody(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good
		const keep = ^uintptr(0)
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, keep, 65534, keep); errno != 0 {
			t.Error(errno)
			return
		}
		fn()
	}()
	<-done
}
