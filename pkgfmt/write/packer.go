package write

import (
	"bytes"
	"context"
	"crypto/sha1" // SPDX wants it beside SHA-256
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// A packer brings the bytes of files into an archive.
type packer struct {
	ctx     context.Context
	buffer  []byte
	records *[]record // nil: nobody wants to know
}

// A record is a regular file as it was packed.
type record struct {
	path         string
	sha1, sha256 string
}

func newPacker(ctx context.Context, records *[]record) *packer {
	return &packer{ctx: ctx, buffer: make([]byte, 1<<17), records: records}
}

// A body is the bytes of a file, of a known number.
type body struct {
	io.Reader
	size int64
	file *os.File // nil: bytes in memory
}

func (b body) close() {
	if b.file != nil {
		b.file.Close()
	}
}

// openBody opens the bytes of a file that has any.
func openBody(f pkgfmt.File) (body, error) {
	if f.Source == "" {
		return body{Reader: bytes.NewReader(f.Data), size: int64(len(f.Data))}, nil
	}
	// Who could put a link or a pipe in the place of the file since it was
	// found would have us read something else, or wait.
	in, err := os.OpenFile(f.Source, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return body{}, unreadable(f, err)
	}
	info, err := in.Stat()
	switch {
	case err != nil:
		err = unreadable(f, err)
	case !info.Mode().IsRegular():
		err = refuse(f.Source, "is no regular file")
	case f.Size != 0 && f.Size != info.Size():
		err = changed(f)
	}
	if err != nil {
		in.Close()
		return body{}, err
	}
	return body{in, info.Size(), in}, nil
}

func unreadable(f pkgfmt.File, err error) error {
	return &dkms.Error{Object: f.Source, Problem: "cannot be read", Err: system.Cause(err)}
}

func changed(f pkgfmt.File) error {
	return &dkms.Error{Object: f.Source, Problem: "changed while it was packed"}
}

// copy copies all the bytes of f, opened as b, to w and to digest, and closes b.
func (k *packer) copy(w io.Writer, digest hash.Hash, f pkgfmt.File, b body) error {
	defer b.close()
	to := []io.Writer{w, digest}
	one, two := sha1.New(), sha256.New()
	if k.records != nil {
		to = append(to, one, two)
	}
	from := &source{ctx: k.ctx, r: io.LimitReader(b, b.size+1)}
	n, err := io.CopyBuffer(io.MultiWriter(to...), from, k.buffer)
	switch {
	case k.ctx.Err() != nil:
		return k.ctx.Err()
	case from.err != nil:
		return unreadable(f, from.err)
	case n > b.size || err == nil && n < b.size:
		return changed(f)
	case err != nil:
		return err
	}
	if k.records != nil {
		*k.records = append(*k.records, record{f.Path, hex.EncodeToString(one.Sum(nil)), hex.EncodeToString(two.Sum(nil))})
	}
	return nil
}

// A source is a reader that ends with its context, and keeps its error apart
// from those of the writer.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
