package kbuild

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// outcome is what a build leaves that anybody could tell from another's: the
// modules, as they came from make and as they are installed, what modpost
// wrote, and the commands that make kept.
func (b *bench) outcome(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"build/*.ko", "build/*.o", "build/*.mod.c", "build/Module.symvers", "build/.*.cmd", "stage/module/*"} {
		paths, err := filepath.Glob(filepath.Join(b.Scratch, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, path := range paths {
			file, text := strings.TrimPrefix(path, b.Scratch), read(t, path)
			if strings.HasSuffix(file, ".cmd") { // make's PATH is in no command
				out[file] = text
			} else {
				out[file] = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
			}
		}
	}
	return out
}

// again makes the bench ready for the next build.
func (b *bench) again(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(b.Scratch); err != nil {
		t.Fatal(err)
	}
	mkdir(t, b.Scratch)
}

// TestProbes proves that a build which asks the compiler nothing makes the same
// modules, to the byte, and that it does not ask.
func TestProbes(t *testing.T) {
	t.Parallel()
	for _, k := range realKernels(t) {
		t.Run(k.Release, func(t *testing.T) {
			t.Parallel()
			plain := built(t, k)
			b := plain.beside(t)
			b.Probes = probe.New(filepath.Join(t.TempDir(), "memory"))
			for i, questions := range []func(n int) bool{
				func(n int) bool { return n > 10 }, // all
				func(n int) bool { return n <= 5 }, // a "no" is heard twice
				func(n int) bool { return n == 0 },
			} {
				b.again(t)
				b.good(t)
				if diff := cmp.Diff(plain.outcome, b.outcome(t)); diff != "" {
					t.Errorf("build %d differs:\n%s", i, diff)
				}
				log, _ := os.ReadFile(filepath.Join(b.Scratch, "bin", "probes.log"))
				if n := strings.Count(string(log), "\n"); !questions(n) {
					t.Errorf("build %d asked %d times\n%s", i, n, b.logText(t))
				}
			}
		})
	}
}

// TestGoesWithout proves that a build does without a memory that others may
// write to, and without a cache that is not there.
func TestGoesWithout(t *testing.T) {
	t.Parallel()
	plain := built(t, realKernels(t)[0])
	b := plain.beside(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	b.Probes, b.CompilerCache = probe.New(dir), "no-such-cache"
	result := b.good(t)
	if diff := cmp.Diff(plain.outcome, b.outcome(t)); diff != "" {
		t.Errorf("it made a difference:\n%s", diff)
	}
	if text := strings.Join(result.Warnings, "\n"); !strings.Contains(text, "compilers run without no-such-cache") {
		t.Errorf("warnings = %q", text)
	}
	if log := b.logText(t); !strings.Contains(log, "what the compiler answers is not remembered: ") || !strings.Contains(log, "others may write to it") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestNoCompilerCache: what cannot be run is no cache, and nothing leads to it.
func TestNoCompilerCache(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "gcc"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "plain"), "no program", 0o644)
	for _, cache := range []string{"nosuchprog", filepath.Join(dir, "not/there"), filepath.Join(dir, "plain"), dir} {
		bin := t.TempDir()
		if err := linkCompilers(bin, cache, []string{"PATH=" + dir}); err == nil {
			t.Errorf("linkCompilers(%q) gives no error", cache)
		}
		if left, err := os.ReadDir(bin); err != nil || len(left) > 0 {
			t.Errorf("linkCompilers(%q) leaves %v, %v", cache, left, err)
		}
	}
}

// cache notes for what it is called, and runs the next program of that name.
const cache = `#!/bin/sh
name=${0##*/}
echo "$name $*" >>@LOG@
PATH=${PATH#*:}
exec "$name" "$@"
`

// TestCompilerCache proves that the compilers of PATH are called through the
// cache, whatever make calls them, with the same modules as the result.
func TestCompilerCache(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, log := filepath.Join(dir, "mycache"), filepath.Join(dir, "log")
	write(t, program, strings.ReplaceAll(cache, "@LOG@", log), 0o755)
	old := time.Now().Add(2100 * time.Millisecond) // of what has changed a moment ago nothing is learnt
	plain := built(t, realKernels(t)[0])
	b := plain.beside(t)
	b.CompilerCache, b.Probes = program, probe.New(filepath.Join(dir, "memory"))
	time.Sleep(time.Until(old))
	for range 2 {
		if err := os.RemoveAll(log); err != nil {
			t.Fatal(err)
		}
		b.again(t)
		b.good(t)
		if diff := cmp.Diff(plain.outcome, b.outcome(t)); diff != "" {
			t.Errorf("the cache made a difference:\n%s", diff)
		}
		if calls := read(t, log); !strings.Contains(calls, "hello.c\n") || !strings.Contains(calls, "hello.mod.c\n") {
			t.Errorf("the compiler was called past the cache; it saw\n%s", calls)
		}

	}
	if n := strings.Count(read(t, log), "/dev/null"); n > 5 {
		t.Errorf("the second build asked the compiler %d times", n)
	}
}

func TestLinkCompilers(t *testing.T) {
	t.Parallel()
	dir, bin := t.TempDir(), t.TempDir()
	for _, name := range []string{"gcc", "gcc-12", "x86_64-linux-gnu-gcc-12", "clang-19", "cc", "gcc-ar", "gcc-nm-12", "ld", "gccgo", "distcc", "ccache"} {
		write(t, filepath.Join(dir, name), "#!/bin/sh\n", 0o755)
	}
	write(t, filepath.Join(dir, "clang"), "no program", 0o644)
	if err := linkCompilers(bin, "ccache", []string{"PATH=" + bin + ":/nowhere:" + dir}); err != nil {
		t.Fatal(err)
	}
	var got []string
	list, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		got = append(got, d.Name())
		if to, err := os.Readlink(filepath.Join(bin, d.Name())); err != nil || to != filepath.Join(dir, "ccache") || !system.Executable(to) {
			t.Errorf("%s leads to %s, %v", d.Name(), to, err)
		}
	}
	if diff := cmp.Diff([]string{"cc", "clang-19", "gcc", "gcc-12", "x86_64-linux-gnu-gcc-12"}, got); diff != "" {
		t.Errorf("links:\n%s", diff)
	}
}
