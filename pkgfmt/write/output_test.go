package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// TestMain lets the test's program be the one that is killed, and the one with
// another umask and another number of processors.
func TestMain(m *testing.M) {
	if dir := os.Getenv("WRITE_INTO"); dir != "" {
		var mask int
		if _, err := fmt.Sscanf(os.Getenv("WRITE_UMASK"), "%o", &mask); err == nil {
			syscall.Umask(mask)
		}
		if err := writeAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeAll writes a sample of each format, and what tells of them, into dir.
func writeAll(dir string) error {
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for _, algorithm := range []string{"gzip", "xz", "zstd", "none"} {
			p := sample(f)
			p.Name += algorithm
			p.Compression.Algorithm = algorithm
			noise := rand.NewChaCha8([32]byte{})
			for i := range 4 {
				body := make([]byte, 400_000)
				_, _ = noise.Read(body[:100_000])
				p.Files = append(p.Files, pkgfmt.File{Path: fmt.Sprintf("/usr/src/foo-1.0-rc1/noise%d", i), Mode: 0o644, Data: body})
			}
			if _, err := Package(context.Background(), p, Options{Dir: dir, Materials: someMaterials()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// child runs this program again, to writeAll into dir.
func child(dir, umask, processors string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "WRITE_INTO="+dir, "WRITE_UMASK="+umask, "GOMAXPROCS="+processors)
	return cmd
}

// TestSameBytes: whatever the directory, the umask, the number of processors,
// the time zone, the language and who it is; and all can read them.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	contents := func(umask, processors string) map[string]string {
		dir := t.TempDir()
		cmd := child(dir, umask, processors)
		if umask == "000" {
			cmd.Env = append(cmd.Env, "TZ=Asia/Kathmandu", "LC_ALL=tr_TR.UTF-8", "HOME=/nonexistent", "USER=x", "SOURCE_DATE_EPOCH=1")
			cmd.Dir = "/"
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return snapshot(t, dir)
	}
	first := contents("077", "1")
	if len(first) != 24 {
		t.Fatalf("%d files; want 24", len(first))
	}
	for _, processors := range []string{"2", fmt.Sprint(runtime.NumCPU() + 3)} {
		again := contents("000", processors)
		for name, body := range first {
			if again[name] != body {
				t.Errorf("%s: differs with %s processors and another umask", name, processors)
			}
		}
	}
}

// snapshot is what is in a directory: mode and bytes of each file.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o644 {
			t.Errorf("%s: mode %v; want 0644", e.Name(), info.Mode())
		}
		out[e.Name()] = string(body)
	}
	return out
}

// TestKilled: at whatever moment, there is the whole file or none.
func TestKilled(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	begin := time.Now()
	if out, err := child(whole, "022", "2").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	takes := time.Since(begin)
	want := snapshot(t, whole)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range 6 {
		dir := t.TempDir()
		cmd := child(dir, "022", "2")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(takes))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			body, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil || !strings.HasPrefix(e.Name(), ".") && string(body) != want[e.Name()] {
				t.Errorf("%s: %d bytes, %v; want all %d or no file", e.Name(), len(body), err, len(want[e.Name()]))
			}
		}
	}
}

// TestCalledOff: a context that ends leaves what was there before.
func TestCalledOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := sample(pkgfmt.Deb)
	path := filepath.Join(dir, FileName(p))
	writeFile(t, path, "old")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Package(ctx, p, Options{Dir: dir, Materials: someMaterials()}); !errors.Is(err, context.Canceled) {
		t.Errorf("Package = %v; want that it was called off", err)
	}
	if diff := cmp.Diff(map[string]string{FileName(p): "old"}, snapshot(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
}

// TestSourcesThatChange: what is not as it was said is an error that names it.
func TestSourcesThatChange(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	writeFile(t, filepath.Join(src, "file"), "text")
	if err := os.Symlink("file", filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(src, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		size int64
		want string
	}{
		{"file", 3, "changed while it was packed"},
		{"file", 5, "changed while it was packed"},
		{"gone", 0, "cannot be read"},
		{"link", 0, "cannot be read"},
		{"pipe", 0, "is no regular file"},
		{".", 0, "is no regular file"},
	} {
		for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
			dir, p := t.TempDir(), sample(format)
			source := src + "/" + tt.name
			p.Files = append(p.Files, pkgfmt.File{Path: "/usr/src/x", Mode: 0o644, Source: source, Size: tt.size})
			_, err := Package(t.Context(), p, Options{Dir: dir})
			var e *dkms.Error
			if !errors.As(err, &e) || e.Object != source || e.Problem != tt.want || strings.Count(err.Error(), source) != 1 {
				t.Errorf("%s of %s: %v; want %s", format, tt.name, err, tt.want)
			}
			if left := snapshot(t, dir); len(left) > 0 {
				t.Errorf("%s of %s: left %v", format, tt.name, left)
			}
		}
	}
}

// TestDiskFull: on a disk that has no room for the package, whatever part does
// not fit, nothing is left, and what was there stays.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := system.WithView(nil, func() error {
		for size := 1; size < 64; size += 3 {
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", 4*size)); err != nil {
				return err
			}
			p := sample(pkgfmt.RPM)
			noise := make([]byte, 60_000)
			_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
			p.Files = append(p.Files, pkgfmt.File{Path: "/usr/src/noise", Mode: 0o644, Data: noise})
			path := filepath.Join(dir, FileName(p))
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				return err
			}
			_, err := Package(t.Context(), p, Options{Dir: dir, Materials: someMaterials()})
			entries, _ := os.ReadDir(dir)
			body, _ := os.ReadFile(path)
			switch {
			case err == nil && (len(entries) != 3 || len(body) < 60_000):
				t.Errorf("with %d KiB: no error, but %v", 4*size, entries)
			case err != nil && (!errors.Is(err, unix.ENOSPC) || string(body) != "old" || strings.Contains(err.Error(), hidden)):
				t.Errorf("with %d KiB: %v, and %d bytes are there", 4*size, err, len(body))
			}
			for _, e := range entries {
				if err != nil && e.Name() != filepath.Base(path) {
					t.Errorf("with %d KiB: %s was left", 4*size, e.Name())
				}
			}
			if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, system.ErrNoView) {
		t.Skip("lacks the privilege for a disk of its own")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoPlace: the directory is made, unless something else is there.
func TestNoPlace(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), sample(pkgfmt.Deb)
	if _, err := Package(t.Context(), p, Options{Dir: filepath.Join(dir, "a/b")}); err != nil {
		t.Errorf("into a new directory: %v", err)
	}
	writeFile(t, filepath.Join(dir, "file"), "")
	if _, err := Package(t.Context(), p, Options{Dir: filepath.Join(dir, "file")}); err == nil {
		t.Error("into a file: no error")
	}
	if err := os.MkdirAll(filepath.Join(dir, "c", FileName(p)), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Package(t.Context(), p, Options{Dir: filepath.Join(dir, "c"), Materials: someMaterials()}); err == nil {
		t.Error("over a directory: no error")
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "c")); len(left) != 1 {
		t.Errorf("over a directory: left %v", left)
	}
}

// TestPendingWithNames: where the file system has no files without names, the
// name is hidden and goes.
func TestPendingWithNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.deb")
	names := func() string {
		var out []string
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return strings.Join(out, " ")
	}
	f, err := newNamed(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(); !strings.HasPrefix(got, hidden) {
		t.Errorf("in the making: %s; want a hidden name", got)
	}
	f.Close()
	if got := names(); got != "" {
		t.Errorf("after it was given up: %s", got)
	}
	if f, err = newNamed(path); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "text")
	if err := commit(f); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if diff := cmp.Diff(map[string]string{"a.deb": "text"}, snapshot(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
}

// TestSweep: what a killed run has left goes, and nothing else.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, young, other := filepath.Join(dir, hidden+"1"), filepath.Join(dir, hidden+"2"), filepath.Join(dir, ".other")
	for _, path := range []string{old, young, other} {
		writeFile(t, path, "")
	}
	before := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{old, other} {
		if err := os.Chtimes(path, before, before); err != nil {
			t.Fatal(err)
		}
	}
	written(t, sample(pkgfmt.Deb), Options{Dir: dir})
	for path, want := range map[string]bool{old: false, young: true, other: true} {
		if got := system.Exists(path); got != want {
			t.Errorf("%s is there: %v; want %v", path, got, want)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]pkgfmt.Package{
		"foo-dkms_1.0~rc1-2_all.deb":      sample(pkgfmt.Deb),
		"foo-dkms-1.0~rc1-2.noarch.rpm":   sample(pkgfmt.RPM),
		"foo-1.0-1.src.rpm":               {Format: pkgfmt.SourceRPM, Name: "foo", Version: pkgfmt.Version{Upstream: "1.0", Revision: "1"}, Arch: "noarch"},
		"foo_1_amd64.deb":                 {Format: pkgfmt.Deb, Name: "foo", Version: pkgfmt.Version{Upstream: "1"}, Arch: "amd64"},
		"kmod-foo-6.1.0-1-2-3.x86_64.rpm": {Format: pkgfmt.RPM, Name: "kmod-foo-6.1.0-1", Version: pkgfmt.Version{Epoch: 4, Upstream: "2", Revision: "3"}, Arch: "x86_64"},
	} {
		if got := FileName(p); got != want {
			t.Errorf("FileName(%s) = %s; want %s", p.Name, got, want)
		}
	}
}

// TestEmptyPackages: one that only depends on others is a package, too.
func TestEmptyPackages(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		p := sample(f)
		p.Files, p.Changes = nil, nil
		file := written(t, p, Options{})
		if f == pkgfmt.RPM {
			output(t, "rpm", "-K", file)
			if out := output(t, "rpm", "-qpl", file); !strings.Contains(out, "contains no files") {
				t.Errorf("rpm -qpl: %s", out)
			}
			continue
		}
		if out := output(t, "dpkg-deb", "-c", file); out != "" {
			t.Errorf("dpkg-deb -c: %s", out)
		}
	}
}

// TestToIsPackage: both write the same.
func TestToIsPackage(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		body, err := os.ReadFile(written(t, sample(f), Options{}))
		if err != nil || !bytes.Equal(body, bytesOf(t, sample(f))) {
			t.Errorf("%s: To and Package differ, %v", f, err)
		}
	}
}
