package read

import (
	"compress/bzip2"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
	"pault.ag/go/debian/deb"
)

// setXZ raises, once, what the library takes for xz -9's 64 MiB.
var setXZ = sync.OnceFunc(func() { deb.SetXZMaxDict(maxWindow) })

// A stream is decompressed data. It has to be closed.
type stream struct {
	bounded
	from io.Closer
}

// close lets go of the decompressor, which has nothing to say any more.
func (s *stream) close() { _ = s.from.Close() }

// decompress returns what is in r, which has size compressed bytes. At most
// limit bytes come out of it, and fewer if r is small.
func decompress(algorithm string, r io.Reader, size, limit int64) (*stream, error) {
	d, err := decompressor(algorithm, r)
	if err != nil {
		return nil, fmt.Errorf("is no %s data: %w", algorithm, err)
	}
	most := allowance(size, limit)
	return &stream{bounded{r: d, left: most, most: most}, d}, nil
}

func decompressor(algorithm string, r io.Reader) (io.ReadCloser, error) {
	switch algorithm {
	case "none":
		return io.NopCloser(r), nil
	case "gzip":
		return gzip.NewReader(r)
	case "bzip2":
		return io.NopCloser(bzip2.NewReader(r)), nil
	case "xz":
		setXZ()
		return deb.DecompressorFor(".xz")(r)
	case "lzma":
		d, err := lzma.ReaderConfig{DictCap: maxWindow}.NewReader(r)
		return io.NopCloser(d), err
	case "zstd":
		// One goroutine, so that a panic of the library stays in ours.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("%q is unknown", algorithm)
}
