package write

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// TestPackerSeesChanges: a file that grows or shrinks after it was opened is not
// packed in part.
func TestPackerSeesChanges(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*os.File) error{
		"grows":   func(f *os.File) error { _, err := f.WriteString("more"); return err },
		"shrinks": func(f *os.File) error { return f.Truncate(1) },
	} {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, "text")
		f := pkgfmt.File{Path: "/a", Source: path}
		b, err := openBody(f)
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.OpenFile(path, os.O_APPEND|os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(out); err != nil {
			t.Fatal(err)
		}
		out.Close()
		err = newPacker(t.Context(), nil).copy(io.Discard, md5.New(), f, b)
		var e *dkms.Error
		if !errors.As(err, &e) || e.Object != path || e.Problem != "changed while it was packed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// brokenWriter fails after some bytes, as a disk that is full does.
type brokenWriter struct{ left int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, unix.ENOSPC
	}
	w.left -= len(p)
	return len(p), nil
}

// TestPackerTellsWhoFailed: the reader's error names the source, the writer's
// does not.
func TestPackerTellsWhoFailed(t *testing.T) {
	t.Parallel()
	f := pkgfmt.File{Path: "/a", Data: []byte("text")}
	b, err := openBody(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := newPacker(t.Context(), nil).copy(&brokenWriter{}, md5.New(), f, b); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	f = pkgfmt.File{Path: "/a", Source: "/proc/self/mem"} // reads from 0, where nothing is
	in, err := os.Open(f.Source)
	if err != nil {
		t.Fatal(err)
	}
	err = newPacker(t.Context(), nil).copy(io.Discard, md5.New(), f, body{in, 10, in})
	var e *dkms.Error
	if !errors.As(err, &e) || e.Object != f.Source || e.Problem != "cannot be read" {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// TestToFullWriter: To hands on what its writer says, wherever it happens.
func TestToFullWriter(t *testing.T) {
	t.Parallel()
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		whole := len(bytesOf(t, sample(format)))
		for room := 0; room < whole; room += whole / 9 {
			if err := To(sample(format), &brokenWriter{room}); !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("%s: with room for %d of %d bytes: %v", format, room, whole, err)
			}
		}
	}
}

// TestCalledOffInTheMiddle: it does not go on to the end first.
func TestCalledOffInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		dir, p := t.TempDir(), sample(format)
		body := make([]byte, 1<<20)
		for i := range 500 {
			p.Files = append(p.Files, pkgfmt.File{Path: "/usr/src/big/" + strings.Repeat("x", i%200+1) + "/" + time.Duration(i).String(), Mode: 0o644, Data: body})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := Package(ctx, p, Options{Dir: dir}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Package = %v", format, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: left %v", format, left)
		}
	}
}

// TestCounterStops: whatever the sizes were said to be.
func TestCounterStops(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	c := &counter{w: &b, most: 10}
	if _, err := c.Write(make([]byte, 10)); err != nil {
		t.Errorf("ten bytes: %v", err)
	}
	var e *dkms.Error
	if _, err := c.Write([]byte{1}); !errors.As(err, &e) || e.Kind != dkms.Usage || b.Len() != 10 {
		t.Errorf("one more: %v, %d bytes", err, b.Len())
	}
}
