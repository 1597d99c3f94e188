package write

import (
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// The algorithms of pkgfmt.Compression.
const (
	algorithmGzip = "gzip"
	algorithmXz   = "xz"
	algorithmZstd = "zstd"
	algorithmNone = "none"
)

// usual is what a format has where the package says nothing.
func usual(f pkgfmt.Format, c pkgfmt.Compression) pkgfmt.Compression {
	if c.Algorithm == "" {
		c.Algorithm = algorithmZstd
		if f == pkgfmt.Deb { // dpkg of Debian 11 knows no zstd
			c.Algorithm = algorithmXz
		}
	}
	if c.Level == 0 {
		c.Level = map[string]int{algorithmGzip: 9, algorithmXz: 6, algorithmZstd: 3}[c.Algorithm]
	}
	return c
}

// compressor compresses into w. Closing it does not close w.
func compressor(w io.Writer, c pkgfmt.Compression) (io.WriteCloser, error) {
	switch c.Algorithm {
	case algorithmGzip:
		return gzip.NewWriterLevel(w, c.Level)
	case algorithmXz:
		return xz.NewWriter(w)
	case algorithmZstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(c.Level)))
	case algorithmNone:
		return open{w}, nil
	}
	return nil, refuse("compression", "%q is neither gzip, xz, zstd nor none", c.Algorithm)
}

// open is a writer that closing leaves open.
type open struct{ io.Writer }

func (open) Close() error { return nil }

// levelWord is what RPM has in PAYLOADFLAGS.
func levelWord(c pkgfmt.Compression) string { return strconv.Itoa(c.Level) }
