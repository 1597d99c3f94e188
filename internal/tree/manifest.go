package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// manifestSchema is raised when a manifest changes so that older programs
// would misread it.
const manifestSchema = 1

// Manifest is what is known of a built ref: RefDir/.dkms-hook.json. It goes
// with RefDir: when dkms builds anew, it removes both.
type Manifest struct {
	Schema int `json:"schema"`
	dkms.Ref
	// Fingerprint is the caller's word for what the build was made from.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Modules are the modules that the dkms.conf promised, in its order.
	Modules []Module `json:"modules,omitempty"`
	// Conf are the files that promised them; when one has changed, the
	// promise may have.
	Conf []Stamp `json:"conf,omitempty"`
	// Installed is what Install wrote. It means something only while the
	// active link points at this ref.
	Installed []InstalledFile `json:"installed,omitempty"`
}

// Module is one module that a dkms.conf promises.
type Module struct {
	Name string `json:"name"` // file name without .ko and what follows
	// Dir is where it is installed, below the kernel's directory, such as
	// "/updates/dkms".
	Dir string `json:"dir"`
}

// InstalledFile is one file that Install put into the kernel's directory.
type InstalledFile struct {
	File   string `json:"file"` // name in ModuleDir
	Path   string `json:"path"` // where it was put
	SHA256 string `json:"sha256"`
	Link   bool   `json:"link,omitempty"` // Path is a link to the file in the tree
	// Tree and Here are the stamps of both files when they were equal.
	Tree Stamp `json:"tree"`
	Here Stamp `json:"here"`
}

// Stamp identifies one state of a file without reading it. The kernel sets
// the change time to now at every change of content or metadata and lets no
// program choose it (inode(7)), so that equal stamps mean an unchanged file.
type Stamp struct {
	Path   string `json:"path,omitempty"`
	Size   int64  `json:"size"`
	Inode  uint64 `json:"inode"`
	Mtime  int64  `json:"mtime"` // nanoseconds since 1970
	Change int64  `json:"ctime"` // nanoseconds since 1970
}

// StampOf returns the stamp of the file at path, links followed.
func StampOf(path string) (Stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Stamp{}, err
	}
	return stamp(path, info), nil
}

func stamp(path string, info fs.FileInfo) Stamp {
	s := Stamp{Path: path, Size: info.Size(), Mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Inode, s.Change = st.Ino, unix.TimespecToNsec(unix.Timespec(st.Ctim))
	}
	return s
}

// tick is longer than the clock by which file systems set change times takes
// from one value to the next (10 ms at HZ=100).
const tick = 20 * time.Millisecond

// settle waits until a change from now on must give another change time than
// those of the stamps. Without it a file could be altered within the same tick
// of the file system's clock and keep its stamp.
func settle(stamps ...Stamp) {
	var last int64
	for _, s := range stamps {
		last = max(last, s.Change)
	}
	if wait := tick - time.Duration(time.Now().UnixNano()-last); wait > 0 && wait <= tick {
		time.Sleep(wait)
	}
}

// Manifest reads what is known of r. The error is fs.ErrNotExist for a ref that
// dkms built; other errors mean a manifest that cannot be used, which is to be
// treated the same.
func (t Tree) Manifest(r dkms.Ref) (Manifest, error) {
	data, err := os.ReadFile(t.manifestPath(r))
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", t.manifestPath(r), err)
	}
	if err := checkRecord(m.Schema, manifestSchema, m.Ref, r); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", t.manifestPath(r), err)
	}
	for _, f := range m.Installed {
		if !below(t.KernelDir(r.Release), f.Path) || filepath.Base(f.File) != f.File {
			return Manifest{}, fmt.Errorf("%s: %q lies outside %s", t.manifestPath(r), f.Path, t.KernelDir(r.Release))
		}
	}
	return m, nil
}

func (m Manifest) encode() []byte {
	m.Schema = manifestSchema
	return encode(m)
}

// readManifest is Manifest for callers to whom none is as good as an empty one.
func (t Tree) readManifest(r dkms.Ref) Manifest {
	m, err := t.Manifest(r)
	if err != nil {
		return Manifest{Ref: r}
	}
	return m
}

// isMissing reports whether err says that there is nothing at a path.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
