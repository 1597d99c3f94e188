//go:build e2e

package mkpkg

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	treeSize = 30 << 20
	rounds   = 5 // the best of which counts: the machine may be busy
	enough   = 15 * time.Second
)

// bigTree is a source of 30 MiB: what Go's own source holds of it, beside a
// module.
func bigTree(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	from := filepath.Join(strings.TrimSpace(string(out)), "src")
	dir := filepath.Join(tb.TempDir(), "big")
	put := func(name string, body []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	put("Kbuild", []byte("obj-m := big.o\n"))
	put("big.c", []byte("#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n"))
	put("dkms.conf", []byte("PACKAGE_NAME=big\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME=big\nDEST_MODULE_LOCATION=/updates\nAUTOINSTALL=yes\n"))
	put("dkms-mkpkg.yaml", []byte("maintainer: Jo Doe <jo@example.org>\n"))
	var size int
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || size >= treeSize || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		rel, _ := filepath.Rel(from, path)
		size += len(body)
		put(strings.TrimSuffix(rel, ".go")+".c", body) // so that it is read as C is
		return err
	})
	if err != nil || size < treeSize {
		tb.Fatalf("%s: %d bytes, %v", from, size, err)
	}
	return dir
}

// BenchmarkBesideTar has the program package 30 MiB, and tar archive them by the
// program of the same compression at the same level, in turn. ×time is what we
// take of tar's time; with the usual compressions it has to be less than 1.5,
// and the memory always less than 100 MiB.
func BenchmarkBesideTar(b *testing.B) {
	dir := bigTree(b)
	for _, c := range []struct {
		format, algorithm string
		level             int
		usual             bool
	}{
		{"deb", "xz", 6, true}, {"rpm", "zstd", 19, true}, {"deb", "gzip", 9, true}, {"rpm", "xz", 6, true},
		{"deb", "zstd", 19, true}, {"rpm", "gzip", 6, true}, {"deb", "xz", 1, false}, {"deb", "zstd", 3, false}, {"rpm", "zstd", 3, false},
	} {
		b.Run(fmt.Sprintf("%s/%s-%d", c.format, c.algorithm, c.level), func(b *testing.B) {
			for b.Loop() {
				time, memory := besideTar(b, dir, c.format, c.algorithm, c.level)
				b.ReportMetric(time, "×time")
				b.ReportMetric(float64(memory>>20), "MiB")
				if time > 1.5 && c.usual || memory > 100<<20 {
					b.Errorf("%.2f times as long, %d MiB", time, memory>>20)
				}
			}
		})
	}
}

// besideTar returns how long we take in parts of what tar does, and our memory
// in bytes.
func besideTar(b *testing.B, dir, format, algorithm string, level int) (ratio float64, memory int64) {
	b.Helper()
	out := b.TempDir()
	var ours, theirs time.Duration
	for i, began := 0, time.Now(); i < rounds && (i == 0 || time.Since(began) < enough); i++ {
		took, _ := timed(b, "sh", "-c", fmt.Sprintf(`tar -C "$1" -cf - . | %s -%d -q -c >"$2"`, algorithm, level), "sh", dir, filepath.Join(out, "tar"))
		if i == 0 || took < theirs {
			theirs = took
		}
		took, needs := timed(b, program(b), "source", "-q", "--format", format, "--compress", fmt.Sprintf("%s:%d", algorithm, level), "-o", out, dir)
		if i == 0 || took < ours {
			ours = took
		}
		memory = max(memory, needs)
	}
	return ours.Seconds() / theirs.Seconds(), memory
}

// timed returns how long a program took, and the most memory that it had.
func timed(b *testing.B, argv ...string) (time.Duration, int64) {
	b.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return time.Since(began), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}
