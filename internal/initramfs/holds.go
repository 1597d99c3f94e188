package initramfs

import (
	"bufio"
	"bytes"
	"context"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// Holds reports whether a module with one of these names, without ".ko", is in
// the image; "-" and "_" are the same, as for modprobe(8). The image is read
// here, not by lsinitramfs, lsinitrd or lsinitcpio: none of them reads what all
// of the others make. An error is "PATH: problem": the file cannot be read, or
// holds what cannot be looked into, and nobody knows then.
func (i Image) Holds(ctx context.Context, modules []string) (bool, error) {
	if len(modules) == 0 {
		return false, nil
	}
	s := search{ctx: ctx, wanted: map[string]bool{}}
	for _, name := range modules {
		s.wanted[sameName(name)] = true
	}
	err := s.file(i.Path)
	switch {
	case errors.Is(err, errFound):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w", i.Path, err)
	case s.opaque != "":
		return false, fmt.Errorf("%s: modules may lie in its %s, which is not looked into", i.Path, s.opaque)
	}
	return false, nil
}

func sameName(module string) string { return strings.ReplaceAll(module, "-", "_") }

// errFound ends the reading: what is decompressed after a hit is wasted.
var errFound = errors.New("found")

// search reads an image from its beginning to the first module that is wanted.
type search struct {
	ctx    context.Context
	wanted map[string]bool
	opaque string // a file system within, by its name
}

func (s *search) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	content, err := initrd(f)
	if err != nil {
		return cause(err)
	}
	return s.segments(bufio.NewReaderSize(content, 1<<16), 0)
}

// initrd returns what is to be read of f: all, or of a Unified Kernel Image
// (uapi-group.org), which is an EFI program, one section.
func initrd(f *os.File) (io.Reader, error) {
	var magic [2]byte
	if n, _ := f.ReadAt(magic[:], 0); string(magic[:n]) != "MZ" {
		return f, nil
	}
	image, err := pe.NewFile(f)
	if err != nil {
		return nil, err
	}
	section := image.Section(".initrd")
	if section == nil {
		return nil, errors.New("is an EFI program without initial RAM file system")
	}
	// Its size in the file is rounded up.
	return io.LimitReader(section.Open(), int64(section.VirtualSize)), nil
}

// cause leaves out the path, which the caller names.
func cause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// segments reads what the kernel would (Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst): cpio archives
// one after the other, each as it is or compressed, with NUL bytes between.
func (s *search) segments(r *bufio.Reader, depth int) error {
	for {
		if err := s.ctx.Err(); err != nil {
			return context.Cause(s.ctx)
		}
		if err := skipNULs(r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		magic, _ := r.Peek(6)
		var err error
		if isCpio(magic) {
			err = s.archive(r)
		} else {
			r, err = s.compressed(r, magic, depth)
		}
		if err != nil {
			return err
		}
	}
}

func skipNULs(r *bufio.Reader) error {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return r.UnreadByte()
		}
	}
}

// compressed reads one compressed segment, and returns the reader of what
// follows it. Archives in it are never compressed again by any tool; one level
// more is allowed, and no bomb.
func (s *search) compressed(r *bufio.Reader, magic []byte, depth int) (*bufio.Reader, error) {
	if depth > 1 {
		return nil, errors.New("is compressed over and over")
	}
	plain, err := decompress(s.ctx, r, magic)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }()
	if err := s.segments(bufio.NewReaderSize(plain, 1<<16), depth+1); err != nil {
		return nil, err
	}
	if z, ok := plain.(*zstdSegment); ok {
		return bufio.NewReaderSize(io.MultiReader(bytes.NewReader(z.rest), r), 1<<16), nil
	}
	return r, nil
}

// member looks at the name of one file.
func (s *search) member(name string) error {
	base := path.Base(name)
	switch base {
	case "squashfs-root.img", "squash-root.img", "erofs-root.img": // dracut, module squash
		s.opaque = base
	}
	module, end, ok := strings.Cut(base, ".ko")
	if !ok || end != "" && end != ".gz" && end != ".xz" && end != ".zst" {
		return nil
	}
	if s.wanted[sameName(module)] {
		return errFound
	}
	return nil
}
