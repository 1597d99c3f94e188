package initramfs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// cpioOf returns an archive, as "cpio -H newc" makes it, of files with these
// names and some content each.
func cpioOf(names ...string) []byte {
	var b bytes.Buffer
	for i, name := range append(names, trailer) {
		content := bytes.Repeat([]byte{byte(i)}, 3001)
		if name == trailer {
			content = nil
		}
		fmt.Fprintf(&b, "070701%08x%08x", i, 0o100644)
		for _, n := range []int{0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0} {
			fmt.Fprintf(&b, "%08x", n)
		}
		b.WriteString(name + "\x00")
		pad4(&b)
		b.Write(content)
		pad4(&b)
	}
	return b.Bytes()
}

func pad4(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}

// padded fills up to a multiple of 512 bytes, as cpio(1) does.
func padded(data []byte) []byte {
	return append(data, make([]byte, -len(data)&511)...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// packed returns data as compressed by one of the writers in Go.
func packed(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	case "lzma":
		w, err = lzma.NewWriter(&b)
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
	return b.Bytes()
}

// run returns what a program makes of data.
func run(t *testing.T, data []byte, argv ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		lacks(t, argv[0])
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return out
}

func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("lacks %s", what)
	}
	t.Skipf("lacks %s", what)
}

// efi returns an EFI program with one section.
func efi(section string, content []byte) []byte {
	const headers = 0x200
	b := make([]byte, headers)
	copy(b, "MZ")
	le := binary.LittleEndian
	le.PutUint32(b[0x3c:], 0x40)
	copy(b[0x40:], "PE\x00\x00")
	le.PutUint16(b[0x44:], 0x8664) // machine
	le.PutUint16(b[0x46:], 1)      // sections
	copy(b[0x58:], section)
	raw := padded(bytes.Clone(content))
	le.PutUint32(b[0x60:], uint32(len(content)))
	le.PutUint32(b[0x68:], uint32(len(raw)))
	le.PutUint32(b[0x6c:], headers)
	return append(b, raw...)
}

func write(t testing.TB, path string, content []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
