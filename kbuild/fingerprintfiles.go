package kbuild

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// stamp is what stat(2) tells of some files. It changes with every write,
// rename and chmod, because nobody can set the change time of an inode.
type stamp struct {
	data   []byte
	newest int64 // the latest change time, in nanoseconds since 1970
}

func (s *stamp) add(name string, st *syscall.Stat_t) {
	s.data = append(append(s.data, name...), 0)
	for _, n := range []uint64{uint64(st.Size), uint64(st.Mode), uint64(st.Mtim.Nano()), uint64(st.Ctim.Nano()), st.Ino} {
		s.data = binary.BigEndian.AppendUint64(s.data, n)
	}
	s.newest = max(s.newest, st.Ctim.Nano())
}

func (s *stamp) String() string { return hexDigest(s.data) }

// entry is a file, directory or link of a source.
type entry struct {
	name string // relative to the source
	mode uint32 // as in stat(2)
}

// walker lists a source, sorted, with its stamp.
type walker struct {
	root    string
	entries []entry
	stamp   stamp
}

// walk adds what is in the directory name, relative to root. All that
// system.CopyTree copies counts, and nothing is left out.
func (w *walker) walk(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	list, err := os.ReadDir(filepath.Join(w.root, name)) // sorted
	if err != nil {
		return err
	}
	for _, d := range list {
		name := filepath.Join(name, d.Name())
		path := filepath.Join(w.root, name)
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); err != nil {
			return &os.PathError{Op: "lstat", Path: path, Err: err}
		}
		if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
			st.Size = 0 // how large a directory is depends on what was in it once
		}
		w.entries = append(w.entries, entry{name, st.Mode})
		w.stamp.add(name, &st)
		if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
			if err := w.walk(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// source returns the digest of the directory dir.
func (p *Fingerprinter) source(ctx context.Context, dir string) (string, error) {
	w := walker{root: dir}
	began := p.clock()
	if err := w.walk(ctx, "."); err != nil {
		return "", err
	}
	return p.stored("source "+dir, w.stamp, began, func() (string, error) { return w.digest(ctx) })
}

// digest reads all contents.
func (w *walker) digest(ctx context.Context) (string, error) {
	var text []byte
	for _, e := range w.entries {
		if err := ctx.Err(); err != nil {
			return "", context.Cause(ctx)
		}
		line, err := e.line(filepath.Join(w.root, e.name))
		if err != nil {
			return "", err
		}
		text = append(text, line...)
	}
	return hexDigest(text), nil
}

// line says of an entry what a build can see of it. Which of the execute bits
// is set does not matter to root, and what is neither file, directory nor link
// is no error here: the build says so.
func (e entry) line(path string) (string, error) {
	switch e.mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		return fmt.Sprintf("d %q\n", e.name), nil
	case syscall.S_IFLNK:
		target, err := os.Readlink(path)
		return fmt.Sprintf("l %q %q\n", e.name, target), err
	case syscall.S_IFREG:
		kind := "f"
		if e.mode&0o111 != 0 {
			kind = "x"
		}
		hash, err := system.Hash(path)
		return fmt.Sprintf("%s %q %s\n", kind, e.name, hash), err
	}
	return fmt.Sprintf("? %q\n", e.name), nil
}

// kernelFiles are the files of a header directory that tell one kernel from
// another: the release, the package it came in (compile.h, utsversion.h,
// Debian's package.h), what the compiler found out of its types (bounds.h,
// asm-offsets.h), and the symbols with their checksums. The headers themselves
// are some ten thousand files, which change with one of these.
var kernelFiles = []string{
	"Makefile", "Module.symvers", "include/config/kernel.release",
	"include/generated/asm-offsets.h", "include/generated/bounds.h", "include/generated/compile.h", "include/generated/package.h",
	"include/generated/uapi/linux/version.h", "include/generated/utsrelease.h", "include/generated/utsversion.h",
}

// kernel returns the digest of k's headers and configuration.
func (p *Fingerprinter) kernel(k Kernel) (string, error) {
	files := make(map[string]string, len(kernelFiles)+1)
	names := append([]string{"config"}, kernelFiles...)
	for _, name := range kernelFiles {
		files[name] = filepath.Join(k.Source, name)
	}
	files["config"] = k.ConfigFile
	began := p.clock()
	var s stamp
	for _, name := range names {
		var st syscall.Stat_t // zero: is not there
		if err := syscall.Stat(files[name], &st); err == nil && st.Mode&syscall.S_IFMT != syscall.S_IFREG {
			delete(files, name) // a pipe would hang
		}
		s.add(name, &st)
	}
	return p.stored("kernel "+k.Source+"\x00"+k.ConfigFile, s, began, func() (string, error) {
		var text strings.Builder
		for _, name := range names {
			hash, err := hashIfThere(files[name])
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&text, "%s %s\n", name, hash)
		}
		return hexDigest([]byte(text.String())), nil
	})
}

// hashIfThere returns the SHA-256 of a file's content, or nothing when it is
// missing.
func hashIfThere(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	hash, err := system.Hash(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "", nil
	}
	return hash, err
}
