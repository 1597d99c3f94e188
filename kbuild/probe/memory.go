package probe

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Memory is what is remembered on this machine, in one directory. Only what its
// owner wrote, where nobody else can write, is believed. Safe for concurrent
// use, by several processes, too: what one of them learns may get lost, no more.
type Memory struct {
	dir   string
	tools identities
	mu    sync.Mutex // held while the file is written
}

// New returns the Memory in dir, which is made when there is something to keep.
func New(dir string) *Memory { return &Memory{dir: dir} }

const (
	fileName    = "probes.json"
	fileVersion = 1
	// fileLimit is where a memory begins anew. All of it is read by each make;
	// a kernel and compiler need some 40 KiB.
	fileLimit = 512 << 10
)

// memoryFile is the content of the file.
type memoryFile struct {
	Version int      `json:"version"`
	Answers []answer `json:"answers"`
}

// load returns what is in the file; nothing when it is not there, or not one of
// ours. An error is that it cannot be believed.
func (m *Memory) load() ([]answer, error) {
	if err := m.trusted(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(m.dir, fileName), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || !ours(info) || info.Mode().Perm()&0o022 != 0 {
		return nil, doubtful(f.Name())
	}
	data, err := io.ReadAll(io.LimitReader(f, 2*fileLimit))
	if err != nil {
		return nil, err
	}
	var content memoryFile
	if err := json.Unmarshal(data, &content); err != nil || content.Version != fileVersion {
		return nil, nil // it is written anew
	}
	return content.Answers, nil
}

// keep adds what a build has heard.
func (m *Memory) keep(news []answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, err := m.load()
	if err != nil {
		return err
	}
	for _, a := range news {
		at := slices.IndexFunc(all, func(b answer) bool { return a.Question == b.Question && a.Tools == b.Tools })
		switch {
		case at < 0:
			all = append(all, a)
		case all[at].Answer == a.Answer:
			all[at].Heard++
		default:
			all[at] = a
		}
	}
	data, err := encode(all)
	if err == nil && len(data) > fileLimit {
		data, err = encode(news)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return err
	}
	if err := m.trusted(); err != nil { // somebody may have made it first
		return err
	}
	return system.WriteFile(filepath.Join(m.dir, fileName), data, 0o644)
}

func encode(answers []answer) ([]byte, error) {
	return json.MarshalIndent(memoryFile{fileVersion, answers}, "", "\t")
}

// trusted is an error unless nobody but us and root can change what is in the
// directory, or make it.
func (m *Memory) trusted() error {
	dir, err := filepath.Abs(m.dir)
	if err != nil {
		return err
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != "/":
			continue
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			real, err := filepath.EvalSymlinks(at)
			if err != nil {
				return err
			}
			if !ours(info) {
				return doubtful(at)
			}
			if err := New(real).trusted(); err != nil {
				return err
			}
		case !info.IsDir(), !ours(info), info.Mode().Perm()&0o022 != 0 && (at == dir || info.Mode()&fs.ModeSticky == 0):
			return doubtful(at)
		case at == "/":
			return nil
		}
	}
}

// ours reports whether info is of something that is ours, or root's.
func ours(info fs.FileInfo) bool {
	uid := int(info.Sys().(*syscall.Stat_t).Uid)
	return uid == 0 || uid == os.Geteuid()
}

func doubtful(path string) error {
	return &dkms.Error{
		Kind: dkms.NotAllowed, Object: path, Problem: "others may write to it: what is in there is not believed",
		Hint: "remove it; it is made again",
	}
}
