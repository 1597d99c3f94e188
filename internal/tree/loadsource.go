package tree

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// putSource copies the source beside its place and swaps it in.
func (l *loader) putSource(to string) error {
	if err := l.tree.at("load source"); err != nil {
		return err
	}
	if err := os.MkdirAll(l.tree.SourceDir, 0o755); err != nil {
		return err
	}
	if l.binaries { // only its dkms.conf is source
		for _, name := range []string{"PACKAGE_NAME", "PACKAGE_VERSION"} {
			_ = os.Remove(filepath.Join(l.source, name))
		}
	}
	fresh := hidden(to, newSuffix)
	l.undo = append(l.undo, func() { _ = os.RemoveAll(fresh) })
	for _, path := range []string{fresh, l.former()} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if err := system.CopyTree(l.source, fresh); err != nil {
		return err
	}
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	if err := system.SyncTree(fresh); err != nil {
		return err
	}
	if err := l.tree.at("load swap"); err != nil {
		return err
	}
	if !system.Exists(to) {
		if err := os.Rename(fresh, to); err != nil {
			return err
		}
		l.undo = append(l.undo, func() { _ = os.RemoveAll(to) })
		return system.SyncDir(l.tree.SourceDir)
	}
	if err := l.exchange(fresh, to); err != nil {
		return err
	}
	return system.SyncDir(l.tree.SourceDir)
}

// exchange puts fresh at to, and what was there at former.
func (l *loader) exchange(fresh, to string) error {
	back := func() {
		if unix.Renameat2(unix.AT_FDCWD, l.former(), unix.AT_FDCWD, to, unix.RENAME_EXCHANGE) != nil {
			_ = os.RemoveAll(to)
			_ = os.Rename(l.former(), to)
		}
		_ = os.RemoveAll(l.former())
	}
	if unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE) == nil {
		if err := os.Rename(fresh, l.former()); err != nil {
			return errors.Join(err, unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE))
		}
		l.undo = append(l.undo, back)
		return nil
	}
	if err := os.Rename(to, l.former()); err != nil {
		return err
	}
	if err := os.Rename(fresh, to); err != nil {
		return errors.Join(err, os.Rename(l.former(), to))
	}
	l.undo = append(l.undo, back)
	return nil
}
