package box

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Write puts a file into the box, and the folders above it.
func (b *Box) Write(path, content string) { b.tb.Helper(); b.write(path, content, 0o644) }

// WriteProgram puts an executable file into the box.
func (b *Box) WriteProgram(path, content string) { b.tb.Helper(); b.write(path, content, 0o755) }

func (b *Box) write(path, content string, mode fs.FileMode) {
	b.tb.Helper()
	b.try(func() error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		// A child that another test forks meanwhile would hold the file open
		// for writing until it becomes its program, and executing the file
		// would fail with "text file busy".
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		return os.WriteFile(path, []byte(content), mode)
	})
}

// Read returns the content of a file in the box.
func (b *Box) Read(path string) []byte {
	b.tb.Helper()
	var content []byte
	b.try(func() (err error) { content, err = os.ReadFile(path); return err })
	return content
}

// Exists says whether there is something at path, be it a dangling link.
func (b *Box) Exists(path string) (is bool) {
	b.Do(func() { _, err := os.Lstat(path); is = err == nil })
	return is
}

// Glob is filepath.Glob in the box.
func (b *Box) Glob(pattern string) (paths []string) {
	b.Do(func() { paths, _ = filepath.Glob(pattern) })
	return paths
}

// Symlink makes a link at path, and the folders above it.
func (b *Box) Symlink(to, path string) {
	b.tb.Helper()
	b.try(func() error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.Symlink(to, path)
	})
}

// RemoveAll removes a file or folder and all in it.
func (b *Box) RemoveAll(path string) {
	b.tb.Helper()
	b.try(func() error { return os.RemoveAll(path) })
}

// Freeze makes a folder read-only until the box ends.
func (b *Box) Freeze(path string) {
	b.tb.Helper()
	b.try(func() error {
		if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		return unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	})
}

// Confine moves what is in a folder to a small file system mounted there, so
// that the disk is soon full. Size is as tmpfs(5) reads it.
func (b *Box) Confine(path, size string) {
	b.tb.Helper()
	b.Must("cp", "-a", path, "/run/confine")
	b.try(func() error { return unix.Mount("tmpfs", path, "tmpfs", 0, "size="+size+",mode=755") })
	b.Must("cp", "-a", "/run/confine/.", path)
	b.RemoveAll("/run/confine")
}

// Widen changes the size of what Confine has mounted.
func (b *Box) Widen(path, size string) {
	b.tb.Helper()
	b.try(func() error { return unix.Mount("", path, "", unix.MS_REMOUNT, "size="+size+",mode=755") })
}

// Thaw takes away what Freeze or Confine mounted.
func (b *Box) Thaw(path string) {
	b.tb.Helper()
	b.try(func() error { return unix.Unmount(path, unix.MNT_DETACH) })
}

func (b *Box) try(fn func() error) {
	b.tb.Helper()
	var err error
	b.Do(func() { err = fn() })
	if err != nil {
		b.tb.Fatal(err)
	}
}

// A Snapshot tells what is in some folders: path to mode, and hash or target.
type Snapshot map[string]string

// Snapshot reads the folders and all in them, but for paths that are to be
// skipped; a missing folder is left out.
func (b *Box) Snapshot(skip func(path string) bool, dirs ...string) Snapshot {
	b.tb.Helper()
	s := Snapshot{}
	b.try(func() error {
		for _, dir := range dirs {
			if _, err := os.Lstat(dir); err != nil {
				continue
			}
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				switch {
				case err != nil:
					return err
				case skip(path) && d.IsDir():
					return fs.SkipDir
				case skip(path):
					return nil
				}
				s[path], err = describe(path)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	owner := ""
	if st, ok := info.Sys().(*syscall.Stat_t); ok && (st.Uid != 0 || st.Gid != 0) {
		owner = fmt.Sprintf(" %d:%d", st.Uid, st.Gid)
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return "-> " + target, err
	case info.Mode().IsRegular():
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%v%s %x", info.Mode(), owner, sha256.Sum256(content)), nil
	default:
		return info.Mode().String() + owner, nil
	}
}
