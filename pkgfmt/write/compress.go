package write

import (
	"fmt"
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

// levels are the highest that the programs of those names have.
var levels = map[string]int{algorithmGzip: 9, algorithmXz: 9, algorithmZstd: 22, algorithmNone: 0}

// usualLevels are those of dpkg-deb, and of rpmbuild at Fedora.
var usualLevels = map[string]int{algorithmGzip: 9, algorithmXz: 6, algorithmZstd: 19}

// usual is what a format has where the package says nothing. zstd is smaller
// and quicker here than xz (docs/mkpkg.md), but dpkg knows it since 1.21.18
// only, that is since Debian 12.
func usual(f pkgfmt.Format, c pkgfmt.Compression) pkgfmt.Compression {
	if c.Algorithm == "" {
		c.Algorithm = algorithmZstd
		if f == pkgfmt.Deb {
			c.Algorithm = algorithmXz
		}
	}
	if c.Level == 0 {
		c.Level = usualLevels[c.Algorithm]
	}
	return c
}

// dictionaries are the sizes in bytes by xz's levels, smaller than the presets
// of xz(1): with those, the encoder that we have takes longer than xz does, and
// holds nine bytes in memory for each; it finds hardly more with larger ones.
var dictionaries = [...]int{
	1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 23,
}

// compressor compresses into w. Closing it does not close w. What it writes
// depends on nothing but what is written to it.
func compressor(w io.Writer, c pkgfmt.Compression) (io.WriteCloser, error) {
	switch c.Algorithm {
	case algorithmGzip:
		return gzip.NewWriterLevel(w, c.Level)
	case algorithmXz:
		return xz.WriterConfig{DictCap: dictionaries[c.Level]}.NewWriter(w)
	case algorithmZstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(c.Level)))
	case algorithmNone:
		return open{w}, nil
	}
	return nil, fmt.Errorf("compression %q: unknown", c.Algorithm) // checked before
}

// levelWord is what RPM has in PAYLOADFLAGS.
func levelWord(c pkgfmt.Compression) string { return strconv.Itoa(c.Level) }

// open is a writer that closing leaves open.
type open struct{ io.Writer }

func (open) Close() error { return nil }
