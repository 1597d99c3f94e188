package tree

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// limits bound what an archive may unpack to, so that a small file cannot fill
// the disk.
type limits struct {
	bytes   int64 // of all files together
	entries int
	depth   int // elements in a path
}

// errNoArchive is returned for a file in which not even one entry was found.
var errNoArchive = errors.New("holds nothing that can be unpacked")

var archiveLimits = limits{bytes: 4 << 30, entries: 500_000, depth: 64}

// decompress recognises the compression by its magic number, as tar(1) does.
func decompress(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(in)
	head, err := buffered.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return xz.ReaderConfig{DictCap: 64 << 20}.NewReader(buffered)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderMaxMemory(128<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case bytes.HasPrefix(head, []byte("BZh")):
		return bzip2.NewReader(buffered), nil
	}
	return buffered, nil
}

// extract unpacks the archive file into dir and nowhere else: every entry goes
// through an os.Root, and whatever an honest archive of a source or of modules
// would not hold is an error that names it.
func extract(ctx context.Context, file, dir string, max limits) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	plain, err := decompress(in)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	x := extractor{root: root, left: max}
	reader := tar.NewReader(plain)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h, err := reader.Next()
		if err == io.EOF {
			return x.drain(plain)
		}
		if err != nil && x.seen == 0 {
			return fmt.Errorf("%w: %w", errNoArchive, err)
		}
		if err != nil {
			return err
		}
		if err := x.entry(h, reader); err != nil {
			return err
		}
	}
}

type extractor struct {
	root *os.Root
	left limits
	seen int
}

// drain reads to the end, where a checksum may tell that the file is damaged.
func (x *extractor) drain(in io.Reader) error {
	if x.seen == 0 {
		return errNoArchive
	}
	_, err := io.CopyN(io.Discard, in, 1<<20)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (x *extractor) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader { // git archive writes one
		return nil
	}
	x.seen++
	name, err := entryName(h.Name)
	if err != nil {
		return err
	}
	if x.left.entries--; x.left.entries < 0 {
		return fmt.Errorf("%q: too many entries", h.Name)
	}
	if strings.Count(name, "/") >= x.left.depth {
		return fmt.Errorf("%.60q…: lies too deep", h.Name)
	}
	if name == "." {
		return nil
	}
	if dir := path.Dir(name); dir != "." {
		if err := x.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.root.MkdirAll(name, 0o755)
	case tar.TypeReg:
		return x.file(name, h, content)
	case tar.TypeSymlink:
		return x.link(name, h.Linkname)
	}
	return fmt.Errorf("%q: is neither file, directory nor symbolic link", h.Name)
}

// entryName cleans a name and refuses what would leave the directory, or could
// deceive a person who reads it.
func entryName(name string) (string, error) {
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return "", fmt.Errorf("%q: has control characters in its name", name)
		}
	}
	if path.IsAbs(name) {
		return "", fmt.Errorf("%q: is absolute", name)
	}
	for _, elem := range strings.Split(name, "/") {
		if elem == ".." {
			return "", fmt.Errorf("%q: would leave the archive", name)
		}
	}
	return path.Clean(name), nil
}

func (x *extractor) file(name string, h *tar.Header, content io.Reader) error {
	if h.Size > x.left.bytes {
		return fmt.Errorf("%q: is more than an archive may unpack to", h.Name)
	}
	x.left.bytes -= h.Size
	// A name that comes twice replaces the first, as with tar(1), and is
	// never written through a link.
	if err := x.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mode := fs.FileMode(0o644)
	if h.Mode&0o111 != 0 {
		mode = 0o755
	}
	out, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, content)
	if err == nil && n != h.Size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = out.Chmod(mode)
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("%q: %w", h.Name, err)
	}
	when := h.ModTime
	if when.Unix() < 0 {
		when = time.Unix(0, 0)
	}
	return x.root.Chtimes(name, when, when)
}

func (x *extractor) link(name, target string) error {
	if path.IsAbs(target) {
		return fmt.Errorf("%q: leads to %q, out of the archive", name, target)
	}
	// The first element is the archive's own top directory: a source must not
	// reach beside itself either.
	top, rest, _ := strings.Cut(name, "/")
	at := path.Join(path.Dir(rest), target)
	if rest == "" {
		at, top = target, "the archive"
	}
	if at == ".." || strings.HasPrefix(path.Clean(at), "../") {
		return fmt.Errorf("%q: leads to %q, out of %s", name, target, top)
	}
	for _, r := range target {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("%q: leads to a name with control characters", name)
		}
	}
	if err := x.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return x.root.Symlink(target, name)
}
