package ko

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestContentHash: one module has one hash, however it is wrapped.
func TestContentHash(t *testing.T) {
	t.Parallel()
	keys := pairs(t)["ours"]
	plain := copyOf(t, "alpha")
	sum := sha256.Sum256(read(t, plain))
	want := hex.EncodeToString(sum[:])
	for _, suffix := range Suffixes {
		for _, signed := range []bool{false, true} {
			path := copyOf(t, "alpha")
			if signed {
				if err := (&Signer{Keys: keys, Hash: "sha256"}).SignFile(context.Background(), path); err != nil {
					t.Fatal(err)
				}
			}
			path, err := Compress(context.Background(), path, suffix, CompressOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := ContentHash(path, true)
			if err != nil || got != want {
				t.Errorf("ContentHash(%s signed %v, true) = %q, %v; want %q", suffix, signed, got, err, want)
			}
			whole, err := ContentHash(path, false)
			if err != nil || (whole == want) == signed {
				t.Errorf("ContentHash(%s signed %v, false) = %q, %v; unsigned is %q", suffix, signed, whole, err, want)
			}
			if same, err := SameContent(plain, path); err != nil || !same {
				t.Errorf("SameContent(.ko, %s signed %v) = %v, %v; want true", suffix, signed, same, err)
			}
		}
	}
}

func TestSameContentDiffers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := write(t, filepath.Join(dir, "a.ko"), []byte("a"), 0o644), write(t, filepath.Join(dir, "b.ko"), []byte("b"), 0o644)
	if same, err := SameContent(a, b); err != nil || same {
		t.Errorf("SameContent = %v, %v; want false", same, err)
	}
	if _, err := SameContent(a, filepath.Join(dir, "none")); err == nil {
		t.Error("SameContent with a missing file = nil error")
	}
	bad := write(t, filepath.Join(dir, "bad.ko.xz"), []byte("\xfd7zXZ\x00"), 0o644)
	if _, err := SameContent(a, bad); err == nil || !strings.HasPrefix(err.Error(), bad+": ") {
		t.Errorf("SameContent with a broken file = %v; want it named", err)
	}
}

// TestContentIsBounded has small files that grow beyond the limit.
func TestContentIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	zeros := make([]byte, 4*limit)
	dir := t.TempDir()
	for suffix, compress := range map[string]func([]byte) ([]byte, error){
		".ko.gz": gzipBytes, ".ko.xz": xzBytes, ".ko.zst": zstdBytes, ".ko": func(b []byte) ([]byte, error) { return b, nil },
	} {
		data, err := compress(zeros)
		if err != nil {
			t.Fatal(err)
		}
		path := write(t, filepath.Join(dir, "bomb"+suffix), data, 0o644)
		if _, err := content(path, limit); !errors.Is(err, ErrTooLarge) {
			t.Errorf("content(%s) = %v; want ErrTooLarge", suffix, err)
		}
		if got, err := content(path, int64(len(zeros))); err != nil || !bytes.Equal(got, zeros) {
			t.Errorf("content(%s) at its limit: %v", suffix, err)
		}
	}
}

func TestContentDamaged(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("some module "), 1000)
	for name, compress := range map[string]func([]byte) ([]byte, error){"gzip": gzipBytes, "xz": xzBytes, "zstd": zstdBytes} {
		whole, err := compress(data)
		if err != nil {
			t.Fatal(err)
		}
		cut := whole[:len(whole)-3]
		flipped := bytes.Clone(whole)
		flipped[len(flipped)-5] ^= 0x10
		for what, bad := range map[string][]byte{"cut": cut, "flipped": flipped, "with a tail": append(bytes.Clone(whole), "tail"...)} {
			if got, err := decompress(bad, MaxSize); err == nil {
				t.Errorf("%s, %s: decompress gives %d bytes and no error", name, what, len(got))
			}
		}
	}
}

func FuzzDecompress(f *testing.F) {
	for _, compress := range []func([]byte) ([]byte, error){gzipBytes, xzBytes, zstdBytes} {
		data, err := compress([]byte("module module module module"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 16
		if out, err := decompress(data, limit); err == nil && len(out) > limit && formatOf(data) != plain {
			t.Errorf("%d bytes; the limit is %d", len(out), limit)
		}
	})
}
