package ko

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// programs are the strangers who check what we compress.
var programs = map[string]string{".ko.gz": "gzip", ".ko.xz": "xz", ".ko.zst": "zstd"}

func TestCompress(t *testing.T) {
	t.Parallel()
	for suffix, program := range programs {
		for name, o := range map[string]CompressOptions{
			"in-process": {},
			"options":    {Gzip: "-9 --rsyncable", Xz: "-f --check=crc32\n--lzma2=dict=1MiB", Zstd: "-q --rm -f -T0 -19"},
		} {
			path := copyOf(t, "alpha")
			want := read(t, path)
			got, err := Compress(context.Background(), path, suffix, o)
			if err != nil {
				t.Errorf("%s, %s: %v", suffix, name, err)
				continue
			}
			if got != strings.TrimSuffix(path, ".ko")+suffix {
				t.Errorf("%s, %s: Compress = %q", suffix, name, got)
			}
			if d := cmp.Diff([]string{"-rw-r----- alpha" + suffix}, files(t, filepath.Dir(got))); d != "" {
				t.Errorf("%s, %s: files (-want +got):\n%s", suffix, name, d)
			}
			if out := run(t, program, "-dc", got); out != string(want) {
				t.Errorf("%s, %s: %s -dc gives something else", suffix, name, program)
			}
			if data, err := Content(got); err != nil || !bytes.Equal(data, want) {
				t.Errorf("%s, %s: Content: %v, equal %v", suffix, name, err, bytes.Equal(data, want))
			}
			if size := len(read(t, got)); size >= len(want) {
				t.Errorf("%s, %s: %d bytes from %d", suffix, name, size, len(want))
			}
		}
	}
}

func TestCompressIsReproducible(t *testing.T) {
	t.Parallel()
	for suffix := range programs {
		var results [2][]byte
		for i := range results {
			path, err := Compress(context.Background(), copyOf(t, "alpha"), suffix, CompressOptions{})
			if err != nil {
				t.Fatal(err)
			}
			results[i] = read(t, path)
		}
		if !bytes.Equal(results[0], results[1]) {
			t.Errorf("%s: differs from one time to the next", suffix)
		}
	}
}

// TestCompressIsKernelSafe checks the parameters that the kernel's own
// decompressors depend on (CONFIG_MODULE_DECOMPRESS).
func TestCompressIsKernelSafe(t *testing.T) {
	t.Parallel()
	path, err := Compress(context.Background(), copyOf(t, "alpha"), ".ko.xz", CompressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list := run(t, "xz", "-lvv", "--robot", path)
	if !strings.Contains(list, "\tCRC32\t") || !strings.Contains(list, "--lzma2=dict=1MiB") {
		t.Errorf("xz -lvv:\n%s", list)
	}
	for what, o := range map[string]CompressOptions{"in-process": {}, "zstd": {Zstd: "-3"}} {
		path, err := Compress(context.Background(), copyOf(t, "alpha"), ".ko.zst", o)
		if err != nil {
			t.Fatal(err)
		}
		var h zstd.Header
		data := read(t, path)
		if err := h.Decode(data); err != nil {
			t.Fatal(err)
		}
		if !h.HasFCS || h.FrameContentSize == 0 || h.DictionaryID != 0 || h.WindowSize > 8<<20 {
			t.Errorf("%s: header %+v", what, h)
		}
	}
	big, err := zstdBytes(make([]byte, 32<<20))
	if err != nil {
		t.Fatal(err)
	}
	var h zstd.Header
	if err := h.Decode(big); err != nil || h.WindowSize > 8<<20 || h.FrameContentSize != 32<<20 {
		t.Errorf("32 MiB: header %+v, %v; want a window of at most 8 MiB", h, err)
	}
	gz, err := gzipBytes([]byte("x"))
	if err != nil || gz[3] != 0 || !bytes.Equal(gz[4:8], make([]byte, 4)) {
		t.Errorf("gzip: header % x, %v; want neither name nor time", gz[:10], err)
	}
}

func TestCompressPlain(t *testing.T) {
	t.Parallel()
	path := copyOf(t, "alpha")
	before := read(t, path)
	got, err := Compress(context.Background(), path, ".ko", CompressOptions{Xz: "--nonsense"})
	if err != nil || got != path || !bytes.Equal(before, read(t, path)) {
		t.Errorf("Compress to .ko = %q, %v; want %q unchanged", got, err, path)
	}
}

func TestCompressRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, suffix string
		o                  CompressOptions
		want               string
	}{
		{"name", "a.ko.xz", ".ko.gz", CompressOptions{}, "a.ko.xz: is not called .ko: it is compressed already, or no module"},
		{"suffix", "a.ko", ".ko.bz2", CompressOptions{}, "a.ko: cannot become .ko.bz2: only .ko, .ko.gz, .ko.xz and .ko.zst are known"},
		{"option", "a.ko", ".ko.xz", CompressOptions{Xz: "--nonsense"}, "a.ko: is not compressed: xz: exit status 1: "},
		{"other output", "a.ko", ".ko.xz", CompressOptions{Xz: "--format=lzma"}, "a.ko: is not compressed: what xz --format=lzma wrote is not the module"},
		{"decompress", "a.ko", ".ko.zst", CompressOptions{Zstd: "-d"}, "a.ko: is not compressed: zstd: exit status 1: "},
		{"list", "a.ko", ".ko.gz", CompressOptions{Gzip: "-V"}, "a.ko: is not compressed: what gzip -n -9 -V wrote is not the module"},
		{"no program", "a.ko", ".ko.gz", CompressOptions{Gzip: "-1", Env: []string{"PATH=/nonexistent"}}, `a.ko: is not compressed: exec: "gzip": executable file not found in $PATH`},
	}
	for _, tt := range tests {
		path := write(t, filepath.Join(t.TempDir(), tt.file), []byte("module"), 0o640)
		_, err := Compress(context.Background(), path, tt.suffix, tt.o)
		var problem *dkms.Error
		if !errors.As(err, &problem) || problem.Kind != dkms.ModuleNotProduced || !strings.HasPrefix(problem.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
		if d := cmp.Diff([]string{"-rw-r----- " + tt.file}, files(t, filepath.Dir(path))); d != "" || string(read(t, path)) != "module" {
			t.Errorf("%s: the file was touched:\n%s", tt.name, d)
		}
	}
}

func TestCompressedModuleIsReadByModinfo(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{".ko.xz", ".ko.zst"} { // Debian's kmod has no gzip
		path := copyOf(t, "alpha")
		if err := (&Signer{Keys: pairs(t)["ours"], Hash: "sha256"}).SignFile(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		path, err := Compress(context.Background(), path, suffix, CompressOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := modinfo(t, "name", path) + " " + modinfo(t, "sig_hashalgo", path); got != "alpha sha256" {
			t.Errorf("%s: modinfo says %q", suffix, got)
		}
	}
}
