package write

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// A payload is a compressed archive that waits in a file without a name.
type payload struct {
	file   *os.File
	size   int64  // compressed
	open   int64  // uncompressed
	sha256 string // of the compressed bytes
}

// newPayload makes a payload of what archive writes.
func newPayload(ctx context.Context, dir string, c pkgfmt.Compression, archive func(context.Context, io.Writer) error) (_ *payload, err error) {
	f, err := os.CreateTemp(dir, ".dkms-mkpkg-")
	if err != nil {
		return nil, &dkms.Error{Object: "payload", Problem: "cannot be kept", Err: err}
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	p := &payload{file: f}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	out := &counter{w: buffered, hash: sha256.New()}
	z, err := compressor(out, c)
	if err != nil {
		return nil, err
	}
	in := &counter{w: z}
	if err := archive(ctx, in); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, err
	}
	p.size, p.open, p.sha256 = out.n, in.n, hex.EncodeToString(out.hash.Sum(nil))
	return p, nil
}

// reader returns the compressed bytes from the beginning.
func (p *payload) reader() io.Reader { return io.NewSectionReader(p.file, 0, p.size) }

func (p *payload) Close() error { return p.file.Close() }

// A counter counts, and hashes if it has a hash, what goes through it.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	return n, err
}
