package jobserver

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// prefix begins the names of the directories with a server's pipe.
const prefix = "dkms-hook-jobs-"

// newDirectory makes a private directory in parent, open and locked: that
// tells it from those of servers that were killed, which it removes.
func newDirectory(parent string) (*os.File, error) {
	left, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, path := range left {
		if f, err := openLocked(path); err == nil {
			_ = os.Remove(filepath.Join(path, "pipe"))
			_ = os.Remove(path)
			f.Close()
		}
	}
	path, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, err
	}
	f, err := openLocked(path)
	if err != nil {
		_ = os.Remove(path)
	}
	return f, err
}

// openLocked opens the directory path, unless somebody has it locked or it is
// another's.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	fd := int(f.Fd())
	if err = unix.Fstat(fd, &st); err == nil && int(st.Uid) != os.Geteuid() {
		err = unix.EPERM
	}
	if err == nil {
		err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		f.Close()
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return f, nil
}
