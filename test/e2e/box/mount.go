package box

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A mount is one call of mount(2).
type mount struct {
	from, to, kind string
	flags          uintptr
	data           string
}

// enter makes the root of the calling thread an overlay of lower whose writes
// lie in a tmpfs at dir. Then prepare works inside.
func enter(dir, lower string, mounts func(root string) []mount, prepare func() error) error {
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
	overlay := mount{"overlay", root, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)}
	if err := mountAll(append([]mount{overlay}, mounts(root)...)); err != nil {
		return err
	}
	if err := unix.Chroot(root); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return prepare()
}

const procFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// machineMounts are for an overlay of the machine: it has devices and kernel.
func machineMounts(root string) []mount {
	return []mount{
		{"proc", filepath.Join(root, "proc"), "proc", procFlags, ""},
		{"/dev", filepath.Join(root, "dev"), "", unix.MS_BIND | unix.MS_REC, ""},
		{"/sys", filepath.Join(root, "sys"), "", unix.MS_BIND | unix.MS_REC, ""},
		{"tmpfs", filepath.Join(root, "tmp"), "tmpfs", 0, "mode=1777"},
		{"tmpfs", filepath.Join(root, "run"), "tmpfs", 0, "mode=755"},
	}
}

// ownMounts are for a root of its own, where a package's script may do to
// /dev and /sys what it likes.
func ownMounts(root string) []mount {
	sys := filepath.Join(root, "sys")
	mounts := []mount{
		{"proc", filepath.Join(root, "proc"), "proc", procFlags, ""},
		{"/sys", sys, "", unix.MS_BIND, ""},
		{"", sys, "", unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY, ""},
		{"tmpfs", filepath.Join(root, "tmp"), "tmpfs", 0, "mode=1777"},
		{"tmpfs", filepath.Join(root, "run"), "tmpfs", 0, "mode=755"},
	}
	for _, device := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		mounts = append(mounts, mount{"/dev/" + device, filepath.Join(root, "dev", device), "", unix.MS_BIND, ""})
	}
	return mounts
}

func mountAll(mounts []mount) error {
	for _, m := range mounts {
		if err := unix.Mount(m.from, m.to, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.from, m.to, err)
		}
	}
	return nil
}
