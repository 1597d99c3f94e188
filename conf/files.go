package conf

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// open is what redirections and `source` go through. Files are read from the
// machine; what is written stays in memory, where the rest of the evaluation
// can read it (some packages cache their version in a file beside dkms.conf
// and source it), and is forgotten at its end.
func (e *evaluation) open(ctx context.Context, path string, flag int, _ os.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	writing := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if strings.HasPrefix(path, pipePath) {
		if writing {
			return e.pipes.create(path)
		}
		return e.pipes.take(path)
	}
	if text, ok := e.sourced[path]; ok {
		delete(e.sourced, path)
		return readOnly{bytes.NewReader(text)}, nil
	}
	if path == "" {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(hc.Dir, path)
	}
	if writing {
		return e.openForWriting(filepath.Clean(path), flag, hc)
	}
	if path == "/dev/stdin" || path == "/dev/fd/0" || path == "/proc/self/fd/0" {
		if hc.Stdin == nil {
			return os.Open(os.DevNull)
		}
		return readOnly{hc.Stdin}, nil
	}
	if text, ok := e.written[filepath.Clean(path)]; ok {
		return readOnly{bytes.NewReader(*text)}, nil
	}
	return openRegular(path)
}

// openRegular opens what can be read to its end: a regular file, not a FIFO
// or a device that would keep us waiting.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && path != os.DevNull {
		err = &os.PathError{Op: "open", Path: path, Err: syscall.EINVAL}
		if info.IsDir() {
			err = &os.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
		}
	}
	if err == nil && info.Size() > memoryLimit {
		err = &os.PathError{Op: "open", Path: path, Err: syscall.EFBIG}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (e *evaluation) openForWriting(path string, flag int, hc interp.HandlerContext) (io.ReadWriteCloser, error) {
	switch path {
	case "/dev/null":
		return writeOnly{io.Discard}, nil
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return writeOnly{hc.Stdout}, nil
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2", "/dev/tty":
		return writeOnly{hc.Stderr}, nil
	}
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
		}
		if !info.Mode().IsRegular() {
			return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EACCES}
		}
	} else if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	}
	text := e.written[path]
	if text == nil {
		text = new([]byte)
		if flag&os.O_APPEND != 0 {
			if old, err := openRegular(path); err == nil {
				*text, _ = io.ReadAll(old)
				old.Close()
			}
		}
		e.written[path] = text
	}
	if flag&os.O_TRUNC != 0 {
		*text = nil
	}
	return &memoryFile{text: text}, nil
}

// stat is what tests such as -e and -f go through.
func (e *evaluation) stat(_ context.Context, path string, follow bool) (fs.FileInfo, error) {
	if text, ok := e.written[path]; ok {
		return memoryInfo{filepath.Base(path), int64(len(*text))}, nil
	}
	if !follow {
		return os.Lstat(path)
	}
	return os.Stat(path)
}

// access is what -r, -w, -x and cd go through.
func (e *evaluation) access(ctx context.Context, path string, mode interp.AccessMode) error {
	if _, ok := e.written[path]; ok {
		if mode == interp.AccessExec {
			return syscall.EACCES
		}
		return nil
	}
	return interp.DefaultAccessHandler()(ctx, path, mode)
}

type readOnly struct{ io.Reader }

func (readOnly) Write([]byte) (int, error) { return 0, syscall.EBADF }
func (readOnly) Close() error              { return nil }

type writeOnly struct{ io.Writer }

func (writeOnly) Read([]byte) (int, error) { return 0, syscall.EBADF }
func (writeOnly) Close() error             { return nil }

// behind returns what a redirection to /dev/stdout or the like writes to.
func behind(w io.Writer) io.Writer {
	for {
		o, ok := w.(writeOnly)
		if !ok {
			return w
		}
		w = o.Writer
	}
}

// memoryFile is a file that was written during an evaluation.
type memoryFile struct{ text *[]byte }

func (f *memoryFile) Read([]byte) (int, error) { return 0, syscall.EBADF }
func (f *memoryFile) Close() error             { return nil }

func (f *memoryFile) Write(b []byte) (int, error) {
	if len(*f.text)+len(b) > memoryLimit {
		return 0, errTooMuch
	}
	*f.text = append(*f.text, b...)
	return len(b), nil
}

type memoryInfo struct {
	name string
	size int64
}

func (i memoryInfo) Name() string     { return i.name }
func (i memoryInfo) Size() int64      { return i.size }
func (memoryInfo) Mode() fs.FileMode  { return 0o644 }
func (memoryInfo) ModTime() time.Time { return time.Now() }
func (memoryInfo) IsDir() bool        { return false }
func (memoryInfo) Sys() any           { return nil }
