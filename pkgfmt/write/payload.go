package write

import (
	"bufio"
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

// newPayload makes a payload of what archive writes, in dir.
func newPayload(dir string, c pkgfmt.Compression, archive func(io.Writer) error) (_ *payload, err error) {
	f, err := unnamed(dir)
	if err != nil {
		return nil, err
	}
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
	in := &counter{w: z, most: maxSize + maxSize/32}
	if err := atOnce(archive, in); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, err
	}
	return &payload{file: f, size: out.n, open: in.n, sha256: hex.EncodeToString(out.hash.Sum(nil))}, nil
}

// atOnce has archive write while w takes what it has written before: reading
// and hashing files, and compressing them, are about the same work.
func atOnce(archive func(io.Writer) error, w io.Writer) error {
	const chunk = 1 << 18
	from, to := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		b := bufio.NewWriterSize(to, chunk)
		err := archive(b)
		if err == nil {
			err = b.Flush()
		}
		failed <- err
		to.CloseWithError(err)
	}()
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, from, make([]byte, chunk))
	from.CloseWithError(err) // so that archive ends
	if first := <-failed; err == nil {
		return first
	}
	return err
}

// reader returns the compressed bytes from the beginning.
func (p *payload) reader() io.Reader { return io.NewSectionReader(p.file, 0, p.size) }

func (p *payload) close() { p.file.Close() }

// A counter counts, and hashes if it has a hash, what goes through it.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
	most int64 // 0: any number
}

func (c *counter) Write(p []byte) (int, error) {
	if c.most > 0 && c.n+int64(len(p)) > c.most {
		return 0, &dkms.Error{Kind: dkms.Usage, Object: "package", Problem: "holds more than fits into its format"}
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	return n, err
}
