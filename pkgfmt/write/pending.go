package write

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// hidden is how the names of files begin that are not whole yet.
const hidden = ".dkms-mkpkg-"

// unnamed returns a new file in dir that vanishes when it is closed, or when we
// are killed. An empty dir is the usual one for such files.
func unnamed(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600); err == nil {
		return os.NewFile(uintptr(fd), filepath.Join(dir, hidden+"unnamed")), nil
	}
	f, err := os.CreateTemp(dir, hidden) // not all file systems have such files
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return nil, cannotWrite(dir, err)
	}
	return f, nil
}

func cannotWrite(path string, err error) error {
	var e *dkms.Error
	if errors.As(err, &e) {
		return err
	}
	return &dkms.Error{Object: path, Problem: "cannot be written", Err: system.Cause(err)}
}

// A pending file takes its place when it is whole.
type pending struct {
	*os.File
	path string
	mode fs.FileMode // that it will have, whatever the umask
	name string      // that it has until then; "": none
}

// newPending begins the file at path.
func newPending(path string) (*pending, error) {
	dir := filepath.Dir(path)
	sweep(dir)
	if fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600); err == nil {
		return &pending{File: os.NewFile(uintptr(fd), path), path: path, mode: 0o644}, nil
	}
	return newNamed(path)
}

// newNamed begins the file under a hidden name, where there are no files
// without names.
func newNamed(path string) (*pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), hidden)
	if err != nil {
		return nil, cannotWrite(path, err)
	}
	return &pending{File: f, path: path, mode: 0o644, name: f.Name()}, nil
}

// sweep removes what we left under hidden names when we were killed. Nothing is
// in the making for an hour.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, hidden+"*"))
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(path)
		}
	}
}

// commit puts files in their places, and in those of what may be there: all of
// them or none, as far as a file system lets us know.
func commit(files ...*pending) error {
	for _, p := range files {
		if err := p.ready(); err != nil {
			return err
		}
	}
	for i, p := range files {
		if err := system.Rename(p.name, p.path); err != nil {
			for _, before := range files[:i] {
				_ = os.Remove(before.path)
			}
			return cannotWrite(p.path, err)
		}
		p.name = ""
	}
	return nil
}

// ready leaves nothing to do but to rename.
func (p *pending) ready() error {
	if err := p.Chmod(p.mode); err != nil {
		return cannotWrite(p.path, err)
	}
	if err := p.Sync(); err != nil {
		return cannotWrite(p.path, err)
	}
	if p.name == "" {
		if err := p.link(); err != nil {
			return cannotWrite(p.path, err)
		}
	}
	return nil
}

// link gives the file a name: only a rename replaces, and it needs one.
func (p *pending) link() error {
	for try := 0; ; try++ {
		name := filepath.Join(filepath.Dir(p.path), hidden+strconv.FormatUint(rand.Uint64(), 36))
		err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", p.Fd()), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
		if err == nil {
			p.name = name
			return nil
		}
		if !errors.Is(err, unix.EEXIST) || try == 100 {
			return err
		}
	}
}

// Close leaves nothing of a file that was not committed.
func (p *pending) Close() error {
	if p.name != "" {
		_ = os.Remove(p.name)
	}
	return p.File.Close()
}
