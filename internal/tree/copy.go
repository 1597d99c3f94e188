package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// copyExact copies a regular file with its permissions, owner and modification
// time, durably. to must not exist.
func copyExact(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := system.CopyFile(from, to, info.Mode()); err != nil {
		return err
	}
	s := stamp("", info)
	if uid, gid, ok := owner(info); ok {
		_ = os.Lchown(to, uid, gid) // only root may, and only root needs to
	}
	when := unix.NsecToTimespec(s.Mtime)
	return unix.UtimesNanoAt(unix.AT_FDCWD, to, []unix.Timespec{when, when}, 0)
}

// writeNew writes a new file, durably.
func writeNew(data []byte, mode fs.FileMode) func(string) error {
	return func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			f.Close()
			return err
		}
		if err := f.Chmod(mode); err != nil { // whatever the umask
			f.Close()
			return err
		}
		if err := f.Sync(); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}
}

// swap puts the directory fresh in place of the one at path, atomically
// (renameat2(2), RENAME_EXCHANGE), and returns where the former one is now:
// at fresh, or nowhere when there was none.
func (t Tree) swap(fresh, path string) (former string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if !system.Exists(path) {
		return "", os.Rename(fresh, path)
	}
	err = unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
	if err == nil {
		return fresh, nil
	}
	// File systems that cannot exchange (overlayfs for a directory of its
	// lower layer, for one) get two steps; Sweep clears what a crash between
	// them leaves.
	if err := os.RemoveAll(path); err != nil {
		return "", err
	}
	return "", os.Rename(fresh, path)
}

// discard removes path and all in it: first out of sight in one step, then
// file by file.
func (t Tree) discard(path string) error {
	if !system.Exists(path) {
		return nil
	}
	bin, err := t.bin()
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return os.RemoveAll(path) // which makes the space
	}
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(bin) }() // Sweep has what stays
	aside := filepath.Join(bin, filepath.Base(path))
	if err := os.Rename(path, aside); err != nil {
		return os.RemoveAll(path) // it lies on another file system
	}
	if err := system.SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return os.RemoveAll(bin)
}

// bin makes an empty directory in the trash.
func (t Tree) bin() (string, error) {
	if err := os.MkdirAll(t.trashDir(), 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(t.trashDir(), "")
}
