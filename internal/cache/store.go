package cache

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// A Store is a directory of entries, which several programs may use at the same
// time. Only what its owner wrote is believed: nobody else may write to it.
type Store struct {
	dir   string
	limit int64

	mu     sync.Mutex
	listed bool  // held is known
	held   int64 // bytes, by the last Prune and our own Puts since
}

// New returns the store in dir, which is made by the first Put. limit is how many
// bytes it may hold; what was used longest ago goes first.
func New(dir string, limit int64) *Store { return &Store{dir: dir, limit: limit} }

// An Entry is what the store tells of what it holds.
type Entry struct {
	Key   string    `json:"key"`
	About string    `json:"about"` // for people: what it is
	Made  time.Time `json:"made"`
	Files []File    `json:"files"` // sorted by name

	Used time.Time `json:"-"` // when it was made or taken last
	// Damaged is why it cannot be taken; empty: nothing is known against it.
	// Of what is damaged no more is known than its key, and what lies there.
	Damaged string `json:"-"`
}

// A File is one of an entry.
type File struct {
	Name   string `json:"name"` // slash-separated, below the entry's directory
	Size   int64  `json:"size"` // in bytes
	SHA256 string `json:"sha256"`
}

// Size is what the entry's files hold, in bytes.
func (e Entry) Size() (n int64) {
	for _, f := range e.Files {
		n += f.Size
	}
	return n
}

const (
	indexName  = "index.json"
	filesName  = "files"
	unfinished = ".new-"
	// abandoned is when what a killed Put left may be removed where files cannot
	// be locked.
	abandoned = time.Hour
)

// goodKey tells whether key is a SHA-256 in hexadecimal, and so no path.
func goodKey(key string) bool { return len(key) == 64 && strings.Trim(key, "0123456789abcdef") == "" }

// Get puts the files of the key's entry below to, which is a directory. It
// reports false where there is no entry, or one that is damaged: that is removed,
// the error then says what was wrong with it, and nothing is left in to.
func (s *Store) Get(key, to string) (found bool, err error) {
	if err := s.trusted(); err != nil {
		return false, quiet(err)
	}
	e, err := s.read(key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = s.unpack(e, to)
	}
	switch {
	case err != nil && !system.Exists(s.path(key)): // it was removed meanwhile
		return false, nil
	case err != nil:
		return false, errors.Join(fmt.Errorf("%s: %w", s.path(key), err), s.remove(key))
	}
	now := time.Now()
	_ = os.Chtimes(filepath.Join(s.path(key), indexName), now, now) // who may not write has it age
	return true, nil
}

// unpack copies the entry's files, and removes them if one is not what it was.
func (s *Store) unpack(e Entry, to string) (err error) {
	var made []string
	defer func() {
		if err != nil {
			for _, path := range made {
				_ = os.Remove(path)
			}
		}
	}()
	for _, f := range e.Files {
		path := filepath.Join(to, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := system.CopyFile(filepath.Join(s.path(e.Key), filesName, f.Name), path, 0o644); err != nil {
			return err
		}
		made = append(made, path)
		hash, err := system.Hash(path) // of the copy: it is the one that counts
		if err != nil {
			return err
		}
		if hash != f.SHA256 {
			return fmt.Errorf("%s: its content is not what was put in", f.Name)
		}
	}
	return nil
}

// Put keeps the named files below from, slash-separated, under the key; about
// says what they are. An entry that is there already stays. What is too much for
// the limit goes, and something larger than it is not kept at all.
func (s *Store) Put(key, about, from string, names []string) error {
	if !goodKey(key) {
		return fmt.Errorf("%q is no key", key)
	}
	if err := s.make(); err != nil {
		return err
	}
	fresh, end, err := s.fresh()
	if err != nil {
		return err
	}
	defer end()
	e := Entry{Key: key, About: about, Made: time.Now().UTC().Truncate(time.Second)}
	for _, name := range slices.Sorted(slices.Values(names)) {
		f, err := keep(filepath.Join(from, name), filepath.Join(fresh, filesName, name))
		if err != nil {
			return err
		}
		f.Name = name
		e.Files = append(e.Files, f)
	}
	if e.Size() > s.limit {
		return nil
	}
	index, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	if err := system.WriteFile(filepath.Join(fresh, indexName), append(index, '\n'), 0o600); err != nil {
		return err
	}
	switch err := system.Rename(fresh, s.path(key)); {
	case errors.Is(err, fs.ErrExist), errors.Is(err, unix.ENOTEMPTY):
		return nil
	case err != nil:
		return err
	}
	return s.makeRoom(e)
}

// keep copies one file, and says what it holds.
func keep(from, to string) (File, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return File{}, err
	}
	if err := system.CopyFile(from, to, 0o600); err != nil {
		return File{}, err
	}
	info, err := os.Stat(to)
	if err != nil {
		return File{}, err
	}
	hash, err := system.Hash(to)
	return File{Size: info.Size(), SHA256: hash}, err
}

// List returns all entries, those that were used last first, and those that are
// damaged.
func (s *Store) List() ([]Entry, error) {
	if err := s.trusted(); err != nil {
		return nil, quiet(err)
	}
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, d := range names {
		e, err := s.read(d.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			e = s.damaged(d.Name(), err)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(b.Used.Compare(a.Used), strings.Compare(a.Key, b.Key))
	})
	return all, nil
}

// damaged is what can be told of an entry that cannot be read for why.
func (s *Store) damaged(key string, why error) Entry {
	e := Entry{Key: key, Damaged: why.Error()}
	_ = filepath.WalkDir(s.path(key), func(path string, _ fs.DirEntry, _ error) error {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			name, _ := filepath.Rel(s.path(key), path)
			e.Files = append(e.Files, File{Name: name, Size: info.Size()})
		}
		return nil
	})
	if info, err := os.Lstat(s.path(key)); err == nil {
		e.Used = info.ModTime()
	}
	return e
}

func (s *Store) path(key string) string { return filepath.Join(s.dir, key) }

// read returns an entry as its index tells it.
func (s *Store) read(key string) (Entry, error) {
	if !goodKey(key) {
		return Entry{}, fs.ErrNotExist
	}
	path := filepath.Join(s.path(key), indexName)
	info, err := os.Stat(path)
	if err != nil {
		if !system.Exists(s.path(key)) {
			return Entry{}, fs.ErrNotExist
		}
		return Entry{}, fmt.Errorf("no index")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{}, fmt.Errorf("%s: %w", indexName, err)
	}
	if e.Key != key || slices.ContainsFunc(e.Files, func(f File) bool { return !filepath.IsLocal(f.Name) }) {
		return Entry{}, fmt.Errorf("%s: is of something else", indexName)
	}
	e.Used = info.ModTime()
	return e, nil
}

// Usable is an error where the directory is there, but nothing in it would be
// believed, nor would anything be put there.
func (s *Store) Usable() error { return quiet(s.trusted()) }

// trusted is an error unless the directory is there, our own, and nobody else
// can write to it: modules that the kernel loads come from there.
func (s *Store) trusted() error {
	info, err := os.Lstat(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return err
	case errors.Is(err, fs.ErrPermission):
		return s.refused("cannot be looked into", "run as root", fs.ErrPermission)
	case errors.Is(err, syscall.ENOTDIR):
		return s.refused("cannot be looked into", "remove the file above it", syscall.ENOTDIR)
	case err != nil:
		return s.refused("cannot be looked into", "", errors.Unwrap(err))
	}
	again := "remove it; it is made again"
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	switch {
	case !info.IsDir():
		return s.refused("is no directory", again, nil)
	case owner != os.Geteuid() && os.Geteuid() != 0:
		return s.refused("belongs to another user", "run as root", nil)
	case owner != os.Geteuid():
		return s.refused(fmt.Sprintf("belongs to user %d: what is in there is not believed", owner), again, nil)
	case info.Mode().Perm()&0o022 != 0:
		return s.refused("others may write to it: what is in there is not believed", again, nil)
	}
	return nil
}

// make makes the directory where it is not there.
func (s *Store) make() error {
	err := s.trusted()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return s.trusted()
}

func (s *Store) refused(problem, hint string, cause error) error {
	return &dkms.Error{Kind: dkms.NotAllowed, Object: s.dir, Problem: problem, Hint: hint, Err: cause}
}

// quiet is nil for a store that is not there, which holds nothing.
func quiet(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
