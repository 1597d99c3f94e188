package initramfs

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// A compression that the kernel knows (Linux, lib/decompress.c): in-process,
// by a program, or by either, the program first because it is faster. After
// gzip and zstd the reader stands exactly behind the segment. The others must
// be the last in a file, where tools put them: what follows is an error.
type compression struct {
	magic   string
	name    string
	program []string
	open    func(*bufio.Reader) (io.Reader, error)
}

var compressions = []compression{
	{"\x1f\x8b", "gzip", nil, openGzip},
	{"\x28\xb5\x2f\xfd", "zstd", nil, openZstd},
	{"\xfd7zXZ\x00", "xz", []string{"xz", "-dcq"}, func(r *bufio.Reader) (io.Reader, error) { return xz.NewReader(r) }},
	{"\x5d\x00\x00", "lzma", []string{"xz", "--format=lzma", "-dcq"}, func(r *bufio.Reader) (io.Reader, error) { return lzma.NewReader(r) }},
	{"BZh", "bzip2", nil, func(r *bufio.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"\x02\x21\x4c\x18", "lz4", []string{"lz4", "-dcq"}, nil}, // the old format, which the kernel reads
	{"\x89LZO", "lzop", []string{"lzop", "-dcq"}, nil},
}

// decompress returns what r, which begins with magic, holds.
func decompress(ctx context.Context, r *bufio.Reader, magic []byte) (io.ReadCloser, error) {
	for _, c := range compressions {
		if !bytes.HasPrefix(magic, []byte(c.magic)) {
			continue
		}
		if c.program != nil && locate(c.program[0]) != "" {
			return runProgram(ctx, r, c.program), nil
		}
		if c.open == nil {
			return nil, fmt.Errorf("is compressed by %s: %w", c.name, &exec.Error{Name: c.program[0], Err: exec.ErrNotFound})
		}
		plain, err := c.open(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if closer, ok := plain.(io.ReadCloser); ok {
			return closer, nil
		}
		return io.NopCloser(plain), nil
	}
	return nil, fmt.Errorf("holds something that is neither a cpio archive nor compressed in a known way (%x)", magic)
}

func openGzip(r *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err == nil {
		z.Multistream(false) // what follows is the next segment
	}
	return z, err
}

// zstdWindow is the longest that the kernel can handle, in bytes (Linux,
// lib/decompress_unzstd.c). A damaged image must not ask for all the memory.
const zstdWindow = 128 << 20

// zstdSegment reads zstd frames up to what is none.
type zstdSegment struct {
	*zstd.Decoder
	source io.Reader
	last   []byte // up to four bytes that the decoder read last
	rest   []byte // what it read of the next segment
}

func openZstd(r *bufio.Reader) (io.Reader, error) {
	z := &zstdSegment{source: r}
	// One thread, because others may be building, and because it then reads
	// no byte more than the magic number of another frame.
	dec, err := zstd.NewReader(readerFunc(z.feed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
	z.Decoder = dec
	return z, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (z *zstdSegment) feed(p []byte) (int, error) {
	n, err := z.source.Read(p)
	z.last = append(z.last, p[max(0, n-4):n]...)
	z.last = z.last[max(0, len(z.last)-4):]
	return n, err
}

func (z *zstdSegment) Read(p []byte) (int, error) {
	n, err := z.Decoder.Read(p)
	if errors.Is(err, zstd.ErrMagicMismatch) {
		z.rest, err = z.last, io.EOF
	}
	return n, err
}

func (z *zstdSegment) Close() error {
	z.Decoder.Close()
	return nil
}

// running is the output of a program that runs meanwhile.
type running struct {
	*io.PipeReader
	cancel context.CancelFunc
	ended  <-chan struct{}
}

// Close ends the program.
func (p running) Close() error {
	p.cancel()
	err := p.PipeReader.Close()
	<-p.ended
	return err
}

func runProgram(ctx context.Context, r io.Reader, args []string) running {
	ctx, cancel := context.WithCancel(ctx)
	out, in := io.Pipe()
	ended := make(chan struct{})
	args = append([]string{locate(args[0])}, args[1:]...)
	go func() {
		defer close(ended)
		in.CloseWithError(system.Run(ctx, system.Command{Args: args, Stdin: r, Stdout: in}))
	}()
	return running{out, cancel, ended}
}
