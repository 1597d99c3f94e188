package write

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Files writes files with Data below dir, whose Path is relative to it, and
// returns their paths: all of them or none. Unless replace is set it writes none
// if one of them is there.
func Files(dir string, files []pkgfmt.File, replace bool) (paths []string, err error) {
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if !replace && system.Exists(path) {
			return nil, &dkms.Error{Object: path, Problem: "is there already", Hint: "--force replaces it"}
		}
		paths = append(paths, path)
	}
	var b batch
	defer func() { b.end(err) }()
	for i, f := range files {
		if err := b.file(paths[i], f); err != nil {
			return nil, err
		}
	}
	return paths, commit(b.files...)
}

// A batch is files that take their places together, and the folders that were
// made for them.
type batch struct {
	files   []*pending
	folders []string
}

// file begins a file that holds f's Data.
func (b *batch) file(path string, f pkgfmt.File) error {
	if err := b.folder(filepath.Dir(path)); err != nil {
		return err
	}
	p, err := newPending(path)
	if err != nil {
		return err
	}
	p.mode = f.Mode
	b.files = append(b.files, p)
	if _, err := p.Write(f.Data); err != nil {
		return cannotWrite(path, err)
	}
	return nil
}

// folder makes a directory with those that it is in, as far as they are missing.
func (b *batch) folder(dir string) error {
	var missing []string
	for at := filepath.Clean(dir); !system.Exists(at); at = filepath.Dir(at) {
		missing = append(missing, at)
	}
	slices.Reverse(missing)
	for _, at := range missing {
		if err := os.Mkdir(at, 0o755); errors.Is(err, fs.ErrExist) {
			continue // somebody else was quicker
		} else if err != nil {
			return &dkms.Error{Object: dir, Problem: "cannot be made", Err: system.Cause(err)}
		}
		b.folders = append(b.folders, at)
	}
	return nil
}

// end leaves nothing of files that were not committed, nor, after an error, of
// folders that have nothing in them.
func (b *batch) end(err error) {
	for _, p := range b.files {
		_ = p.Close()
	}
	if err == nil {
		return
	}
	for _, dir := range slices.Backward(b.folders) {
		_ = os.Remove(dir)
	}
}

// Writable reports a directory that takes no files, or cannot be made, before
// there is anything to be written.
func Writable(dir string) error {
	at := filepath.Clean(dir)
	for !system.Exists(at) {
		at = filepath.Dir(at)
	}
	f, err := os.CreateTemp(at, hidden)
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return &dkms.Error{Object: dir, Problem: "cannot be written to", Err: system.Cause(err)}
	}
	return nil
}
