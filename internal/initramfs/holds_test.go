package initramfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	early = padded(cpioOf("kernel/x86/microcode/GenuineIntel.bin"))
	// Ours, in each spelling and each place that tools use.
	withOurs = cpioOf("init", "usr/lib/modules/6.1/kernel/fs/ext4.ko", "usr/lib/modules/6.1/updates/dkms/my-mod.ko.xz", "etc/fstab")
	without  = cpioOf("init", "usr/lib/modules/6.1/kernel/fs/ext4.ko", "usr/lib/modules/6.1/updates/dkms/my-mod.ko.old",
		"etc/modules-load.d/my_mod.conf", "usr/share/my-mod", "lib/my-mod.kod", "lib/xmy-mod.ko", "lib/my-mod.ko.zst.tmp")
)

func holds(t *testing.T, content []byte, modules ...string) (bool, error) {
	t.Helper()
	i := Image{Path: write(t, filepath.Join(t.TempDir(), "initrd"), content)}
	return i.Holds(t.Context(), modules)
}

// TestHolds packs the same archives in every way that there is.
func TestHolds(t *testing.T) {
	t.Parallel()
	same := func(b []byte) []byte { return b }
	by := func(name string) func([]byte) []byte {
		return func(b []byte) []byte { return packed(t, name, b) }
	}
	program := func(argv ...string) func([]byte) []byte {
		return func(b []byte) []byte { return run(t, b, argv...) }
	}
	for name, pack := range map[string]func([]byte) []byte{
		"as it is":      same,
		"checksums":     func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("070701"), []byte("070702")) },
		"gzip":          by("gzip"),
		"gzip -9":       program("gzip", "-9"),
		"zstd":          by("zstd"),
		"zstd -19":      program("zstd", "-q", "-19"),
		"xz":            by("xz"),
		"xz --check":    program("xz", "--check=crc32", "--lzma2=dict=1MiB"),
		"lzma":          by("lzma"),
		"bzip2":         program("bzip2"),
		"microcode":     func(b []byte) []byte { return join(early, packed(t, "zstd", b)) },
		"two of it":     func(b []byte) []byte { return join(early, early, b) },
		"no trailer":    func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("070701"))] },
		"NULs at end":   func(b []byte) []byte { return padded(b) },
		"gzip, NULs":    func(b []byte) []byte { return append(packed(t, "gzip", b), make([]byte, 1000)...) },
		"zstd, NULs":    func(b []byte) []byte { return append(packed(t, "zstd", b), make([]byte, 1000)...) },
		"behind gzip":   func(b []byte) []byte { return join(packed(t, "gzip", early), b) },
		"gzip, gzip":    func(b []byte) []byte { return join(packed(t, "gzip", early), packed(t, "gzip", b)) },
		"behind zstd":   func(b []byte) []byte { return join(packed(t, "zstd", early), b) },
		"zstd, zstd":    func(b []byte) []byte { return join(packed(t, "zstd", early), packed(t, "zstd", b)) },
		"zstd, 4, gzip": func(b []byte) []byte { return join(packed(t, "zstd", early), make([]byte, 4), packed(t, "gzip", b)) },
		"half a frame":  func(b []byte) []byte { return join(packed(t, "zstd", b[:1000]), packed(t, "zstd", b[1000:])) },
		"EFI":           func(b []byte) []byte { return efi(".initrd", b) },
		"EFI, zstd":     func(b []byte) []byte { return efi(".initrd", join(early, packed(t, "zstd", b))) },
		"EFI, bzip2":    func(b []byte) []byte { return efi(".initrd", run(t, b, "bzip2")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct {
				content []byte
				modules []string
				want    bool
			}{
				{withOurs, []string{"my_mod"}, true},
				{withOurs, []string{"my-mod"}, true},
				{withOurs, []string{"other", "my-mod"}, true},
				{withOurs, []string{"ext4"}, true},
				{withOurs, []string{"fstab", "mod", "my", "my_mod.ko", ""}, false},
				{withOurs, nil, false},
				{without, []string{"my_mod", "my-mod"}, false},
			} {
				got, err := holds(t, pack(bytes.Clone(c.content)), c.modules...)
				if err != nil || got != c.want {
					t.Errorf("Holds(%q) = %v, %v; want %v", c.modules, got, err, c.want)
				}
			}
		})
	}
}

// TestHoldsByProgram has its own "lz4", because not every machine has one, and
// no "lzop". The old lz4 format is recognized by its magic number.
func TestHoldsByProgram(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lz4"), []byte("#!/bin/sh\n[ \"$*\" = -dcq ] || exit 9\ntail -c +5\n"))
	if err := os.Chmod(filepath.Join(dir, "lz4"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	const magic = "\x02\x21\x4c\x18"
	for _, c := range []struct {
		content []byte
		want    bool
	}{{withOurs, true}, {without, false}} {
		got, err := holds(t, join(early, []byte(magic), c.content, make([]byte, 1<<20)), "my_mod")
		if err != nil || got != c.want {
			t.Errorf("Holds = %v, %v; want %v", got, err, c.want)
		}
	}
	write(t, filepath.Join(dir, "lz4"), []byte("#!/bin/sh\ntail -c +5 | head -c 5000\nexit 3\n"))
	if got, err := holds(t, join([]byte(magic), without), "my_mod"); got || err == nil {
		t.Errorf("Holds with a failing program = %v, %v; want an error", got, err)
	}
	if _, err := exec.LookPath("lzop"); err == nil {
		return
	}
	_, err := holds(t, []byte("\x89LZO\x00\r\n"), "my_mod")
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "is compressed by lzop") {
		t.Errorf("Holds without lzop = %v; want %v", err, exec.ErrNotFound)
	}
}

// TestDecompressInProcess is for machines without the programs.
func TestDecompressInProcess(t *testing.T) {
	t.Parallel()
	for _, c := range compressions {
		if c.open == nil || c.program == nil {
			continue // there is only one way, and TestHolds took it
		}
		plain, err := c.open(bufio.NewReader(bytes.NewReader(packed(t, c.name, withOurs))))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got, err := io.ReadAll(plain); err != nil || !bytes.Equal(got, withOurs) {
			t.Errorf("%s: %d bytes, %v; want %d", c.name, len(got), err, len(withOurs))
		}
	}
}

func TestHoldsFails(t *testing.T) {
	t.Parallel()
	member := bytes.LastIndex(without, []byte("070701"))
	damaged := bytes.Clone(without)
	copy(damaged[bytes.Index(damaged[10:], []byte("070701"))+10:], "garbage")
	digits := bytes.Clone(without)
	copy(digits[54:], "xxxxxxxx")
	name := bytes.Clone(without)
	copy(name[94:], "ffffffff")
	bomb := without
	for range 3 {
		bomb = packed(t, "gzip", bomb)
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"text", []byte("this is no image"), "neither a cpio archive nor compressed in a known way (746869732069)"},
		{"a byte", []byte("x"), "neither a cpio archive"},
		{"cut header", without[:50], "ends in the middle"},
		{"cut name", without[:112], "ends in the middle"},
		{"cut content", without[:member-2000], "ends in the middle"},
		{"cut gzip", packed(t, "gzip", without)[:60], ""},
		{"cut zstd", packed(t, "zstd", without)[:60], ""},
		{"cut xz", packed(t, "xz", without)[:60], ""},
		{"damaged", damaged, "damaged"},
		{"no numbers", digits, "damaged: a header without numbers"},
		{"endless name", name, "damaged: a name of 4294967295 bytes"},
		{"behind gzip", join(packed(t, "gzip", without), []byte("text")), "neither a cpio archive"},
		{"behind zstd", join(packed(t, "zstd", without), []byte("text")), "neither a cpio archive"},
		{"behind bzip2", join(run(t, without, "bzip2"), early), ""},
		{"behind xz", join(packed(t, "xz", without), early), ""},
		{"nested", bomb, "over and over"},
		{"EFI", efi(".linux", without), "without initial RAM file system"},
		{"cut EFI", efi(".initrd", without)[:0x50], ""},
		{"squash", join(early, cpioOf("squashfs-root.img")), "its squashfs-root.img, which is not looked into"},
	} {
		got, err := holds(t, c.content, "my_mod")
		if got || err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "initrd: ") != 1 {
			t.Errorf("%s: Holds = %v, %v; want an error with the path and %q", c.name, got, err, c.want)
		}
	}
	missing := Image{Path: filepath.Join(t.TempDir(), "initrd")}
	if _, err := missing.Holds(t.Context(), []string{"x"}); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), missing.Path) != 1 {
		t.Errorf("Holds of no file = %v", err)
	}
}

func TestHoldsEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	i := Image{Path: write(t, filepath.Join(t.TempDir(), "initrd"), withOurs)}
	if _, err := i.Holds(ctx, []string{"my_mod"}); !errors.Is(err, enough) {
		t.Errorf("Holds after the end = %v; want %v", err, enough)
	}
}

// TestHoldsStops has a hit early in an image that a program decompresses: it
// must be ended, not waited for.
func TestHoldsStops(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lzop"), []byte("#!/bin/sh\ntail -c +5\nsleep 60\n"))
	if err := os.Chmod(filepath.Join(dir, "lzop"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	began := time.Now()
	got, err := holds(t, join([]byte("\x89LZO"), withOurs), "my_mod")
	if !got || err != nil {
		t.Errorf("Holds = %v, %v; want true", got, err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("Holds took %v; want it not to wait", took)
	}
}

func FuzzHolds(f *testing.F) {
	for _, name := range []string{"gzip", "zstd", "xz"} {
		f.Add(join(early, packed(f, name, withOurs)))
	}
	f.Add(without)
	f.Add(efi(".initrd", withOurs))
	f.Fuzz(func(t *testing.T, content []byte) {
		i := Image{Path: write(t, filepath.Join(t.TempDir(), "initrd"), content)}
		if held, err := i.Holds(t.Context(), []string{"my-mod"}); held && err != nil {
			t.Errorf("Holds = %v, %v; want one or the other", held, err)
		}
	})
}
