package system

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSameContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := bytes.Repeat([]byte("0123456789"), 20000) // more than is compared at a time
	other := bytes.Clone(long)
	other[len(other)-1]++
	for name, data := range map[string][]byte{
		"empty": nil, "nothing": nil, "short": []byte("a"), "long": long, "copy": long, "other": other, "longer": append(bytes.Clone(long), 0),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, put := range []func() error{
		func() error { return os.Symlink("long", filepath.Join(dir, "link")) },
		func() error { return os.Link(filepath.Join(dir, "long"), filepath.Join(dir, "hard")) },
		func() error { return os.Symlink("none", filepath.Join(dir, "dangling")) },
		func() error { return syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644) },
		func() error { return os.Mkdir(filepath.Join(dir, "dir"), 0o755) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"empty", "nothing", true}, {"empty", "short", false}, {"long", "copy", true}, {"long", "other", false}, {"long", "longer", false},
		{"long", "link", true}, {"copy", "link", true}, {"long", "hard", true}, {"other", "link", false},
		{"long", "none", false}, {"none", "none", false}, {"dangling", "dangling", false}, {"fifo", "fifo", false}, {"fifo", "empty", false}, {"dir", "dir", false},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := SameContent(filepath.Join(dir, pair[0]), filepath.Join(dir, pair[1])); got != c.want {
				t.Errorf("SameContent(%s, %s) = %v; want %v", pair[0], pair[1], got, c.want)
			}
		}
	}
}
