package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// WithReadOnlyView runs fn as WithView does, in a view of the machine in which
// nothing can be written but a /tmp that starts empty and goes with the view.
// The paths of keep are seen there even where they lie below /tmp.
//
// It is a guard against accidents, not against malice: a superuser can mount
// again what was mounted read-only.
func WithReadOnlyView(keep []string, fn func() error) error {
	return WithView(nil, func() error {
		if err := makeReadOnly(); err != nil {
			return fmt.Errorf("%w: %w", ErrNoView, err)
		}
		if err := privateTmp(keep); err != nil {
			return fmt.Errorf("%w: %w", ErrNoView, err)
		}
		return fn()
	})
}

// makeReadOnly makes every mount of this namespace read-only
// (mount_setattr(2); Linux before 5.12 goes through the mount table).
func makeReadOnly() error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &attr)
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	table, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		// A mount point that another one covers cannot be reached, and
		// needs no guard.
		_ = unix.Mount("", unescapeMount(fields[4]), "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	}
	return nil
}

// unescapeMount undoes the octal escapes of proc_pid_mountinfo(5).
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// privateTmp mounts an empty /tmp and puts the paths of keep back into it.
func privateTmp(keep []string) error {
	if info, err := os.Stat("/tmp"); err != nil || !info.IsDir() {
		return nil
	}
	fds := map[string]int{}
	for _, path := range keep {
		path = filepath.Clean(path)
		if !strings.HasPrefix(path, "/tmp/") {
			continue
		}
		fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer unix.Close(fd)
		fds[path] = fd
	}
	if err := unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777,size=64m"); err != nil {
		return fmt.Errorf("private /tmp: %w", err)
	}
	for path, fd := range fds {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := unix.MoveMount(fd, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
