package write

import (
	"bytes"
	"context"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// A body is the bytes of a file, of a known number.
type body struct {
	io.ReadCloser
	size int64
}

// openBody opens the bytes of a file that has any.
func openBody(f pkgfmt.File) (body, error) {
	if f.Source == "" {
		return body{io.NopCloser(bytes.NewReader(f.Data)), int64(len(f.Data))}, nil
	}
	// Who could put a link or a pipe in the place of the file since it was
	// found would have us read something else, or wait.
	in, err := os.OpenFile(f.Source, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return body{}, &dkms.Error{Object: f.Source, Problem: "cannot be read", Err: err}
	}
	info, err := in.Stat()
	switch {
	case err != nil:
		err = &dkms.Error{Object: f.Source, Problem: "cannot be read", Err: err}
	case !info.Mode().IsRegular():
		err = refuse(f.Source, "is no regular file")
	case f.Size != 0 && f.Size != info.Size():
		err = changed(f)
	}
	if err != nil {
		in.Close()
		return body{}, err
	}
	return body{in, info.Size()}, nil
}

func changed(f pkgfmt.File) error {
	return &dkms.Error{Object: f.Source, Problem: "changed while it was packed"}
}

// copyBody copies all the bytes of f, opened as b, to w.
func copyBody(ctx context.Context, w io.Writer, f pkgfmt.File, b body) error {
	defer b.Close()
	n, err := io.Copy(w, io.LimitReader(&interruptible{ctx, b}, b.size+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case n > b.size || err == nil && n < b.size:
		return changed(f)
	}
	return err
}

// interruptible is a reader that fails when its context is done.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
