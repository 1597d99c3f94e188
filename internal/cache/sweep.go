package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Prune removes what is damaged, what was used longest ago until the entries hold
// no more than limit bytes, and what killed programs have left. It returns the
// entries that it removed.
func (s *Store) Prune(limit int64) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prune(limit)
}

func (s *Store) prune(limit int64) ([]Entry, error) {
	s.listed = false
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	if err := s.sweep(); err != nil {
		return nil, err
	}
	s.held = 0
	var gone []Entry
	for _, e := range all {
		if s.held += e.Size(); s.held <= limit && e.Damaged == "" {
			continue
		}
		s.held -= e.Size()
		if err := s.remove(e.Key); err != nil {
			return gone, err
		}
		gone = append(gone, e)
	}
	s.listed = true
	return gone, nil
}

// makeRoom keeps the limit after e has come. All entries are read once, and
// again where the limit is passed: what others put in meanwhile they count.
func (s *Store) makeRoom(e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held += e.Size(); s.listed && s.held <= s.limit {
		return nil
	}
	_, err := s.prune(s.limit)
	return err
}

// remove takes an entry away, at once for all who look.
func (s *Store) remove(key string) error {
	aside, end, err := s.fresh()
	if err != nil {
		return err
	}
	defer end()
	if err := os.Rename(s.path(key), filepath.Join(aside, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(aside)
}

// fresh makes a directory that sweep leaves alone until end, which removes it, or
// the death of its maker.
func (s *Store) fresh() (dir string, end func(), err error) {
	for {
		dir, err := os.MkdirTemp(s.dir, unfinished)
		if err != nil {
			return "", nil, err
		}
		held, err := os.Open(dir)
		if err == nil {
			_ = unix.Flock(int(held.Fd()), unix.LOCK_EX)
			if system.Exists(dir) {
				return dir, func() { _, _ = os.RemoveAll(dir), held.Close() }, nil
			}
			held.Close()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, errors.Join(err, os.Remove(dir))
		} // a sweep was quicker than we
	}
}

// sweep removes what those who were killed have left.
func (s *Store) sweep() error {
	left, _ := filepath.Glob(filepath.Join(s.dir, unfinished+"*"))
	for _, path := range left {
		if err := sweepAway(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// sweepAway removes what fresh has made, unless its maker is still at it.
func sweepAway(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil
	case err != nil:
		if info, err := f.Stat(); err != nil || time.Since(info.ModTime()) < abandoned {
			return err
		}
	}
	return os.RemoveAll(path)
}
