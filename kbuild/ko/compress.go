package ko

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// CompressOptions are framework.conf's compress_gzip_opts, compress_xz_opts
// and compress_zstd_opts. Where one is set, the program of that name is run
// with these options (words split at white space) instead of compressing
// in-process.
type CompressOptions struct {
	Gzip, Xz, Zstd string
	// Env is the complete environment of the programs; nil is ours.
	Env []string
}

// Compress replaces the uncompressed module at path, FILE.ko, by one with
// suffix: .ko (which changes nothing), .ko.gz, .ko.xz or .ko.zst. It returns
// the new path. The same module always gives the same bytes, as long as no
// program is asked for.
//
// What is written can be decompressed by kmod and by the kernel itself
// (CONFIG_MODULE_DECOMPRESS). In-process xz takes half the time of the xz
// program, and its files are a fifth larger (measured on 8 and 16 MiB of
// machine code); who minds sets compress_xz_opts.
func Compress(ctx context.Context, path, suffix string, o CompressOptions) (string, error) {
	base, ok := strings.CutSuffix(path, ".ko")
	if !ok {
		return "", compressError(path, "is not called .ko: it is compressed already, or no module", nil)
	}
	if suffix == ".ko" {
		return path, nil
	}
	to := base + suffix
	data, err := readFile(path, MaxSize)
	if err != nil {
		return "", compressError(path, "is not compressed", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", compressError(path, "is not compressed", err)
	}
	var out []byte
	switch suffix {
	case ".ko.gz":
		out, err = o.compress(ctx, path, data, "gzip", []string{"-n", "-9"}, o.Gzip, gzipBytes)
	case ".ko.xz":
		out, err = o.compress(ctx, path, data, "xz", nil, o.Xz, xzBytes)
	case ".ko.zst":
		out, err = o.compress(ctx, path, data, "zstd", []string{"-q", fmt.Sprintf("--stream-size=%d", len(data))}, o.Zstd, zstdBytes)
	default:
		return "", compressError(path, "cannot become "+suffix+": only .ko, .ko.gz, .ko.xz and .ko.zst are known", nil)
	}
	if err != nil {
		return "", err
	}
	if err := system.WriteFile(to, out, info.Mode().Perm()); err != nil {
		return "", compressError(path, "is not compressed", err)
	}
	return to, os.Remove(path)
}

func compressError(path, problem string, err error) error {
	return &dkms.Error{Kind: dkms.ModuleNotProduced, Object: filepath.Base(path), Problem: problem, Err: err}
}

// compress compresses data, which is the content of path, in-process or, when
// the administrator gave options, by program.
func (o CompressOptions) compress(ctx context.Context, path string, data []byte, program string, first []string, options string,
	inProcess func([]byte) ([]byte, error),
) ([]byte, error) {
	words := strings.Fields(options)
	if len(words) == 0 {
		out, err := inProcess(data)
		if err != nil {
			return nil, compressError(path, "is not compressed", err)
		}
		return out, nil
	}
	args := append(append([]string{program}, first...), words...)
	var out bytes.Buffer
	said := &tail{}
	err := system.Run(ctx, system.Command{
		Args: append(args, "-c"), Env: o.Env, Stdin: bytes.NewReader(data), Stdout: &out, Stderr: said,
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, &dkms.Error{Kind: dkms.ModuleNotProduced, Object: filepath.Base(path), Problem: "is not compressed", Err: err,
			Hint: "install " + program + ", or leave compress_" + program + "_opts out of /etc/dkms/framework.conf"}
	case err != nil:
		return nil, compressError(path, "is not compressed", said.explain(err))
	}
	// The options are anyone's guess (-d, -t, -l …): what came out must be the module.
	again, err := decompress(out.Bytes(), MaxSize)
	if err != nil || formatOf(out.Bytes()) != format(program) || !bytes.Equal(again, data) {
		return nil, compressError(path, "is not compressed: what "+strings.Join(args, " ")+" wrote is not the module", err)
	}
	return out.Bytes(), nil
}

// gzipBytes leaves out the name and the time, so equals gzip -9n in kind.
func gzipBytes(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w.ModTime = time.Unix(0, 0) // the zero time.Time would not become 0
	return written(w, data, &out)
}

// xzBytes uses the kernel's own parameters (scripts/Makefile.modinst): its
// decompressor knows no CRC64, and allocates the dictionary.
func xzBytes(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 20, CheckSum: xz.CRC32}.NewWriter(&out)
	if err != nil {
		return nil, err
	}
	return written(w, data, &out)
}

func written(w io.WriteCloser, data []byte, out *bytes.Buffer) ([]byte, error) {
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// zstdBytes writes one frame with the size of its content in the header, no
// dictionary, and a window of 8 MiB, the most that every decoder has to take
// (RFC 8878, 3.1.1.1.2).
func zstdBytes(data []byte) ([]byte, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, err
	}
	defer func() { _ = e.Close() }()
	return e.EncodeAll(data, nil), nil
}
