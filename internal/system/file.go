package system

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// WriteFile replaces path by data, atomically and durably: after a crash the
// file is the old or the new one.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	if err := renameio.WriteFile(path, data, mode, renameio.WithStaticPermissions(mode)); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Rename renames and makes the change durable in both directories.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(to)); err != nil {
		return err
	}
	if filepath.Dir(from) != filepath.Dir(to) {
		return SyncDir(filepath.Dir(from))
	}
	return nil
}

// SyncDir makes the entries of dir durable. File systems that cannot sync a
// directory are no error.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

// CopyFile copies a regular file's content to a new file to, with mode, and
// makes it durable; it shares the blocks where the file system can
// (ioctl_ficlonerange(2)). to must not exist.
func CopyFile(from, to string, mode fs.FileMode) error {
	return copyFile(from, to, mode, true)
}

func copyFile(from, to string, mode fs.FileMode, durable bool) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := out.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			_ = os.Remove(to)
		}
	}()
	if err := unix.IoctlFileClone(int(out.Fd()), int(in.Fd())); err != nil {
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
	if err := out.Chmod(mode.Perm()); err != nil { // whatever the umask
		return err
	}
	if durable {
		return out.Sync()
	}
	return nil
}

// CopyTree copies the directory from to the new directory to: directories,
// regular files with their modes and modification times, and symbolic links as
// they are. Anything else (devices, sockets, pipes) is an error that names it.
// It is meant for scratch copies and syncs nothing.
func CopyTree(from, to string) error {
	var dirs []func() error // times of directories are set last, inmost first
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		dest := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			if err := os.Mkdir(dest, 0o700); err != nil {
				return err
			}
			mode, when := info.Mode().Perm(), info.ModTime()
			dirs = append(dirs, func() error {
				if err := os.Chmod(dest, mode); err != nil {
					return err
				}
				return os.Chtimes(dest, when, when)
			})
			return nil
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dest)
		case d.Type().IsRegular():
			if err := copyFile(path, dest, info.Mode(), false); err != nil {
				return err
			}
			return os.Chtimes(dest, info.ModTime(), info.ModTime())
		}
		return fmt.Errorf("%s: is neither file, directory nor link", path)
	})
	for i := len(dirs) - 1; i >= 0 && err == nil; i-- {
		err = dirs[i]()
	}
	return err
}

// Cause is err without the operation and the path, for messages that begin with
// the path.
func Cause(err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

// Hash returns the SHA-256 of a file's content in hexadecimal.
func Hash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// PruneEmpty removes dir and its parents as long as they are empty, up to but
// not including stop.
func PruneEmpty(dir, stop string) {
	for dir = filepath.Clean(dir); dir != filepath.Clean(stop) && dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			return
		}
	}
}

// ReadUpTo reads the rest of f, but no more than limit bytes, into memory of the
// size that the file says it has.
func ReadUpTo(f *os.File, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	text.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
	_, err = text.ReadFrom(io.LimitReader(f, limit))
	return text.Bytes(), err
}

// Exists reports whether something, if only a dangling link, is at path.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// IsDir reports whether path is a directory, or a link to one.
func IsDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// SameFile reports whether two paths lead to one file.
func SameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
