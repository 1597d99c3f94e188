package kbuild

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// memory is a DigestStore that counts by the first word of the key.
type memory struct {
	mu           sync.Mutex
	kept         map[string][2]string
	asked, keeps map[string]int
}

func (m *memory) Digest(key, stamp string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(&m.asked, key)
	k, ok := m.kept[key]
	return k[1], ok && k[0] == stamp
}

func (m *memory) Keep(key, stamp, digest string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(&m.keeps, key)
	if m.kept == nil {
		m.kept = map[string][2]string{}
	}
	m.kept[key] = [2]string{stamp, digest}
}

func count(n *map[string]int, key string) {
	if *n == nil {
		*n = map[string]int{}
	}
	word, _, _ := strings.Cut(key, " ")
	(*n)[word]++
}

// later is a Fingerprinter for which the files of a test were not written just
// now.
func later(store DigestStore) *Fingerprinter {
	return &Fingerprinter{Digests: store, now: func() time.Time { return time.Now().Add(time.Hour) }}
}

func mkfifo(t *testing.T, path string) {
	t.Helper()
	ok(t, syscall.Mkfifo(path, 0o644))
}

// A source or a kernel that is as it was is not opened: inotify(7) tells.
func TestFingerprintReadsOnce(t *testing.T) {
	in := newInputs(t)
	store := &memory{}
	watched := append(files(t, in.source), in.headers("Module.symvers"), in.headers("include/generated/utsrelease.h"))
	opened := watch(t, watched)
	first := in.by(t, later(store))
	if diff := cmp.Diff(opensOf(watched), opened()); diff != "" {
		t.Errorf("opened the first time (-want +got):\n%s", diff)
	}
	if got := in.by(t, later(store)); got != first {
		t.Errorf("%s", first.Changed(got))
	}
	if got := opened(); len(got) > 0 {
		t.Errorf("opened the second time: %v; want nothing", got)
	}
	if diff := cmp.Diff(map[string]int{"source": 1, "kernel": 1}, store.keeps); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	ok(t, os.Chtimes(inSource(in, "good.c"), time.Unix(1, 0), time.Unix(1, 0)))
	if got := in.by(t, later(store)); got != first || len(opened()) == 0 {
		t.Errorf("with another time, the source was not read again, or gave another digest: %q", first.Changed(got))
	}
}

// What has changed in this moment may change again without another time stamp.
func TestFingerprintKeepsNothingFresh(t *testing.T) {
	in := newInputs(t)
	store := &memory{}
	in.by(t, &Fingerprinter{Digests: store})
	if len(store.keeps) > 0 {
		t.Errorf("kept %v of files that were written just now; want nothing", store.keeps)
	}
}

// A store's empty digest is none.
func TestFingerprintDistrustsEmptyDigests(t *testing.T) {
	in := newInputs(t)
	if f := in.by(t, later(emptyStore{})); f.Source == "" || f.Kernel == "" {
		t.Errorf("Of = %+v; want digests", f)
	}
}

type emptyStore struct{}

func (emptyStore) Digest(_, _ string) (string, bool) { return "", true }
func (emptyStore) Keep(_, _, _ string)               {}

func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	ok(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, path)
		}
		return err
	}))
	return out
}

func opensOf(paths []string) map[string]bool {
	out := map[string]bool{}
	for _, path := range paths {
		out[path] = true
	}
	return out
}

// watch tells which of paths have been opened since it was last asked.
func watch(t *testing.T, paths []string) func() map[string]bool {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	ok(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	names := map[int]string{}
	for _, path := range paths {
		wd, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN)
		ok(t, err)
		names[wd] = path
	}
	return func() map[string]bool {
		out := map[string]bool{}
		for {
			buf := make([]byte, 64<<10)
			n, err := unix.Read(fd, buf)
			if errors.Is(err, unix.EAGAIN) {
				return out
			}
			ok(t, err)
			for buf = buf[:n]; len(buf) > 0; {
				out[names[int(binary.NativeEndian.Uint32(buf))]] = true
				buf = buf[unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(buf[12:])):]
			}
		}
	}
}

// BenchmarkFingerprint takes what a boot with twenty packages and one kernel
// takes: 5000 files in all, and kernel headers of the usual size.
func BenchmarkFingerprint(b *testing.B) {
	dir := b.TempDir()
	k := benchKernel(b, dir)
	recipes := make([]Recipe, 20)
	for i := range recipes {
		name := fmt.Sprintf("p%d", i)
		recipes[i] = Recipe{Ref: dkms.Ref{Package: dkms.Package{Name: name, Version: "1"}, KernelID: k.KernelID}, Make: "make -j4 all", Patches: []string{"a.patch"}}
		for j := range 250 {
			benchFile(b, filepath.Join(dir, name, fmt.Sprint("d", j%10), fmt.Sprint("f", j, ".c")), 8<<10)
		}
	}
	all := func(b *testing.B, store DigestStore) {
		p := later(store)
		for _, r := range recipes {
			if _, err := p.Of(b.Context(), r, k, filepath.Join(dir, r.Name), filepath.Join(dir, "etc"), nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("unknown", func(b *testing.B) {
		for b.Loop() {
			all(b, &memory{})
		}
	})
	b.Run("kept", func(b *testing.B) {
		store := &memory{}
		all(b, store)
		for b.Loop() {
			all(b, store)
		}
	})
}

func benchKernel(b *testing.B, dir string) Kernel {
	b.Helper()
	source := filepath.Join(dir, "modules/K/build")
	for _, name := range kernelFiles {
		benchFile(b, filepath.Join(source, name), 4<<10)
	}
	benchFile(b, filepath.Join(source, "Module.symvers"), 1700<<10)
	benchFile(b, filepath.Join(source, ".config"), 260<<10)
	k, err := OpenKernel(KernelOptions{ID: dkms.KernelID{Release: "K", Arch: "x86_64"}, InstallTree: filepath.Join(dir, "modules")})
	if err != nil {
		b.Fatal(err)
	}
	return k
}

func benchFile(b *testing.B, path string, size int) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("0123456789abcde\n", size/16)), 0o644); err != nil {
		b.Fatal(err)
	}
}
