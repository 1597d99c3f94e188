package read

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// file writes data where nothing else is, and returns its path.
func file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused checks that err is one for a person: about the file, with words of
// what is wrong, without anything that steers a terminal.
func refused(t testing.TB, err error, path string, words ...string) {
	t.Helper()
	var e *dkms.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v (%T); want a *dkms.Error", err, err)
	}
	if e.Kind != dkms.ArchiveInvalid || !strings.HasPrefix(e.Object, path) {
		t.Errorf("error is of kind %v about %q; want %v about %q", e.Kind, e.Object, dkms.ArchiveInvalid, path)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error = %v; want %q in it", err, w)
		}
	}
	if text := strings.TrimPrefix(err.Error(), path); Visible(text) != text {
		t.Errorf("error = %q; it steers the terminal", text)
	}
}

// readAll opens a package and reads all that is in it: by path, the contents.
func readAll(path string) (*Package, map[string]string, error) {
	p, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	contents := map[string]string{}
	err = p.Walk(func(f File, body io.Reader) error {
		text, err := io.ReadAll(body)
		if f.Regular() {
			contents[f.Path] = string(text)
		}
		return err
	})
	return p, contents, err
}

// compress is the opposite of decompress; bzip2 is not among what can be written.
func compress(t testing.TB, algorithm string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch algorithm {
	case "none":
		return data
	case "gzip":
		w = gzip.NewWriter(&out)
	case "xz":
		w, err = xz.NewWriter(&out)
	case "lzma":
		w, err = lzma.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	default:
		t.Fatalf("compress(%q) is unknown", algorithm)
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// An arMember is one of an archive; a size other than that of data is a lie.
type arMember struct {
	name string
	data []byte
	size string
}

func arBytes(members ...arMember) []byte {
	var out bytes.Buffer
	out.WriteString("!<arch>\n")
	for _, m := range members {
		if m.size == "" {
			m.size = fmt.Sprint(len(m.data))
		}
		fmt.Fprintf(&out, "%-16s%-12d%-6d%-6d%-8s%-10s`\n", m.name, 1700000000, 0, 0, "100644", m.size)
		out.Write(m.data)
		if len(m.data)%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// tarBytes writes entries, with root's name where there is none.
func tarBytes(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := e.Header
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Uname == "" {
			h.Uname, h.Gname = "root", "root"
		}
		h.Size = int64(len(e.text))
		err := w.WriteHeader(&h)
		if err == nil {
			_, err = io.WriteString(w, e.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type tarEntry struct {
	tar.Header
	text string
}

func entry(name, text string) tarEntry { return tarEntry{tar.Header{Name: name}, text} }

const sampleControl = "Package: sample-dkms\nVersion: 1:2.0~rc1-3\nArchitecture: all\nMaintainer: A. Tester <a@example.org>\n" +
	"Depends: dkms (>= 2.1.0.0) | dkms-hook,\n kmod\nProvides: sample-modules (= 2.0~rc1)\nSection: kernel\nInstalled-Size: 12\n" +
	"Homepage: https://example.org\nDescription: a sample\n It says\n .\n   nothing.\n"

// debOf makes a .deb of a control archive and a data archive.
func debOf(control, data []byte) []byte {
	return arBytes(arMember{name: "debian-binary", data: []byte("2.0\n")}, arMember{name: "control.tar", data: control}, arMember{name: "data.tar", data: data})
}

// dataDeb makes a .deb that brings entries.
func dataDeb(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	return debOf(tarBytes(t, entry("./control", sampleControl)), tarBytes(t, entries...))
}
