//go:build e2e

package write

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// What packaging may cost beside tar and the compressor's own program, in time,
// and in memory.
const (
	treeSize   = 30 << 20
	mostTime   = 1.5
	mostMemory = 100 << 20
	rounds     = 5 // the best of which counts: the machine may be busy
	enough     = 10 * time.Second
)

// tree copies 30 MiB of sources to a directory: those of Go, which are there
// wherever these tests are.
func tree(tb testing.TB) (dir string, files []pkgfmt.File) {
	tb.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	from := filepath.Join(strings.TrimSpace(string(out)), "src")
	dir = filepath.Join(tb.TempDir(), "tree")
	var size int64
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(from, path)
		switch {
		case err != nil || size >= treeSize:
			return err
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, rel), 0o755)
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		size += int64(len(body))
		files = append(files, pkgfmt.File{Path: "/usr/src/foo-1.0/" + rel, Mode: 0o644, Source: filepath.Join(dir, rel), Size: int64(len(body))})
		return os.WriteFile(filepath.Join(dir, rel), body, 0o644)
	})
	if err != nil || size < treeSize {
		tb.Fatalf("%s: %d bytes, %v", from, size, err)
	}
	return dir, files
}

// BenchmarkBesideTar packages the tree in a process of its own, and archives it
// by tar and the program of the same compression at the same level.
func BenchmarkBesideTar(b *testing.B) {
	dir, _ := tree(b)
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for _, c := range []pkgfmt.Compression{
			{Algorithm: "gzip", Level: 6}, {Algorithm: "gzip", Level: 9}, {Algorithm: "zstd", Level: 3}, {Algorithm: "zstd", Level: 19},
			{Algorithm: "xz", Level: 1}, {Algorithm: "xz", Level: 6}, {Algorithm: "none"},
		} {
			b.Run(fmt.Sprintf("%s/%s-%d", format, c.Algorithm, c.Level), func(b *testing.B) {
				for b.Loop() {
					beside := besideTar(b, dir, format, c)
					b.ReportMetric(beside.time, "×time")
					b.ReportMetric(beside.size, "×size")
					b.ReportMetric(float64(beside.memory>>20), "MiB")
					// Beside cat, it is the disk that is measured.
					if beside.time > mostTime && c.Algorithm != algorithmNone || beside.memory > mostMemory {
						b.Errorf("%.2f times as long, %d MiB; want %.1f and %d", beside.time, beside.memory>>20, mostTime, mostMemory>>20)
					}
				}
			})
		}
	}
}

// A ratio is what we need in parts of what tar does; memory is in bytes.
type ratio struct {
	time, size float64
	memory     int64
}

func besideTar(b *testing.B, dir string, format pkgfmt.Format, c pkgfmt.Compression) ratio {
	out := b.TempDir()
	program := fmt.Sprintf("%s -%d -q -c", c.Algorithm, c.Level)
	if c.Algorithm == algorithmNone {
		program = "cat"
	}
	var ours, theirs time.Duration
	var r ratio
	began := time.Now()
	for i := 0; i < rounds && time.Since(began) < enough; i++ {
		archive := filepath.Join(out, "tar")
		took, _ := run(b, exec.Command("sh", "-c", fmt.Sprintf(`tar -C "$1" -cf - . | %s >"$2"`, program), "sh", dir, archive))
		if i == 0 || took < theirs {
			theirs = took
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PACKAGE_TREE="+dir, "PACKAGE_INTO="+out, "PACKAGE_AS="+string(format), fmt.Sprintf("PACKAGE_BY=%s %d", c.Algorithm, c.Level))
		took, memory := run(b, cmd)
		if i == 0 || took < ours {
			ours = took
		}
		r.memory = max(r.memory, memory)
		r.size = float64(sizeOf(b, filepath.Join(out, FileName(treePackage(format, nil))))) / float64(sizeOf(b, archive))
	}
	r.time = ours.Seconds() / theirs.Seconds()
	return r
}

// run returns how long a program took, and the most memory that it had, in
// bytes.
func run(b *testing.B, cmd *exec.Cmd) (time.Duration, int64) {
	b.Helper()
	runtime.GC()
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return time.Since(began), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

func sizeOf(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func treePackage(format pkgfmt.Format, files []pkgfmt.File) pkgfmt.Package {
	p := sample(format)
	p.Files = files
	return p
}

// The test's program packages the tree when it is told to: init, since TestMain
// is another's.
func init() { //nolint:gochecknoinits // see above
	dir := os.Getenv("PACKAGE_TREE")
	if dir == "" {
		return
	}
	if err := packageTree(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func packageTree(dir string) error {
	var files []pkgfmt.File
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		files = append(files, pkgfmt.File{Path: "/usr/src/foo-1.0/" + rel, Mode: 0o644, Source: path})
		return nil
	})
	if err != nil {
		return err
	}
	p := treePackage(pkgfmt.Format(os.Getenv("PACKAGE_AS")), files)
	if _, err := fmt.Sscan(os.Getenv("PACKAGE_BY"), &p.Compression.Algorithm, &p.Compression.Level); err != nil {
		return err
	}
	_, err = Package(context.Background(), p, Options{Dir: os.Getenv("PACKAGE_INTO"), Materials: someMaterials()})
	return err
}
