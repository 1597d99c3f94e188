package ko

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// MaxSize is how many bytes a module may have, compressed or not. The largest
// real ones (unstripped graphics drivers) stay below 200 MiB.
const MaxSize = 512 << 20

// ErrTooLarge is returned for a file that has, or decompresses to, more than
// MaxSize bytes.
var ErrTooLarge = fmt.Errorf("is larger than %d MiB", MaxSize>>20)

// Content returns the decompressed bytes of the module file at path. How it is
// compressed is told by its first bytes, as kmod does, not by its name.
func Content(path string) ([]byte, error) {
	return content(path, MaxSize)
}

func content(path string, limit int64) ([]byte, error) {
	raw, err := readFile(path, limit)
	if err != nil {
		return nil, err
	}
	data, err := decompress(raw, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// readFile reads a regular file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %w", path, ErrTooLarge)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// openRegular refuses what a read would hang on: pipes and devices.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file", path)
	}
	return os.Open(path)
}

// format is how a module file is compressed.
type format string

const (
	plain      format = ""
	gzipFormat format = "gzip"
	xzFormat   format = "xz"
	zstdFormat format = "zstd"
)

func formatOf(head []byte) format {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return gzipFormat
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return xzFormat
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return zstdFormat
	}
	return plain
}

// decompress returns raw itself when it is not compressed.
func decompress(raw []byte, limit int64) (data []byte, err error) {
	defer recovered(&err)
	how := formatOf(raw)
	var r io.Reader
	switch how {
	case plain:
		return raw, nil
	case gzipFormat:
		r, err = gzip.NewReader(bytes.NewReader(raw))
	case xzFormat:
		r, err = xz.NewReader(bytes.NewReader(raw))
	case zstdFormat:
		var d *zstd.Decoder
		d, err = zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxMemory(uint64(limit)), zstd.WithDecoderMaxWindow(128<<20))
		if err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", how, err)
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, limit+1))
	if n > limit || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return nil, fmt.Errorf("%s: decompressed it %w", how, ErrTooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", how, err)
	}
	return out.Bytes(), nil
}

// recovered turns a panic of a parser into an error. The parsers of ELF and of
// compressed data are other people's, and what they read is hostile.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("is malformed: %v", r)
	}
}

// ContentHash returns the SHA-256, in hexadecimal, of the decompressed module
// at path, on request without the signature that may be appended to it. Two
// files with one hash are the same module, however they are compressed.
func ContentHash(path string, withoutSignature bool) (string, error) {
	data, err := Content(path)
	if err != nil {
		return "", err
	}
	if withoutSignature {
		data = Unsigned(data)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// SameContent reports whether the module files at a and b are the same module:
// equal when decompressed and without their signatures. Files that are equal
// byte for byte are not decompressed, which makes it fast for the usual case
// of a built module and its installed copy.
func SameContent(a, b string) (bool, error) {
	x, err := readFile(a, MaxSize)
	if err != nil {
		return false, err
	}
	y, err := readFile(b, MaxSize)
	if err != nil {
		return false, err
	}
	if bytes.Equal(x, y) {
		return true, nil
	}
	if x, err = decompress(x, MaxSize); err != nil {
		return false, fmt.Errorf("%s: %w", a, err)
	}
	if y, err = decompress(y, MaxSize); err != nil {
		return false, fmt.Errorf("%s: %w", b, err)
	}
	return bytes.Equal(Unsigned(x), Unsigned(y)), nil
}
