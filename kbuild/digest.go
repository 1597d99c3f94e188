package kbuild

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// file digests the content of a file; one that is missing has an empty digest.
func (p *Fingerprinter) file(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	stamp := digestOf(stampOf(info))
	return p.kept("file "+path, stamp, func() (string, error) {
		h := sha256.New()
		if err := copyInto(h, path); err != nil {
			return "", err
		}
		return hex.EncodeToString(h.Sum(nil)), nil
	})
}

// directory digests names, content, targets of links and executable bits of all
// that is below dir: what a build gets a copy of.
func (p *Fingerprinter) directory(dir string) (string, error) {
	stamps := sha256.New()
	var entries []entry
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		entries = append(entries, entry{path, rel, info.Mode()})
		fmt.Fprintf(stamps, "%q %s\n", rel, stampOf(info))
		return nil
	})
	if err != nil {
		return "", err
	}
	return p.kept("directory "+dir, hex.EncodeToString(stamps.Sum(nil)), func() (string, error) { return content(entries) })
}

type entry struct {
	path, rel string
	mode      fs.FileMode
}

// content digests what is in entries, which WalkDir has put in order.
func content(entries []entry) (string, error) {
	h := sha256.New()
	for _, e := range entries {
		switch {
		case e.mode.IsRegular():
			fmt.Fprintf(h, "file %q %t\n", e.rel, e.mode&0o100 != 0)
			if err := copyInto(h, e.path); err != nil {
				return "", err
			}
		case e.mode.IsDir():
			fmt.Fprintf(h, "\ndirectory %q\n", e.rel)
		case e.mode&fs.ModeSymlink != 0:
			to, err := os.Readlink(e.path)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "\nlink %q %q\n", e.rel, to)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func copyInto(h hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(h, f)
	fmt.Fprintf(h, "\n%d\n", n)
	return err
}

// stampOf changes whenever the file does: no program can choose its ctime
// (inode(7)).
func stampOf(info fs.FileInfo) string {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Sprint(info.Size(), info.Mode(), info.ModTime().UnixNano())
	}
	return fmt.Sprint(s.Size, s.Mode, s.Ino, s.Mtim.Nano(), s.Ctim.Nano())
}

// kept is fn's answer, or what the store has kept of it for the same stamp.
func (p *Fingerprinter) kept(key, stamp string, fn func() (string, error)) (string, error) {
	if p.Digests != nil {
		if digest, ok := p.Digests.Digest(key, stamp); ok {
			return digest, nil
		}
	}
	digest, err := fn()
	if err == nil && p.Digests != nil {
		p.Digests.Keep(key, stamp, digest)
	}
	return digest, err
}
