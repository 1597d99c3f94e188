package kbuild

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// missing skips a test that lacks something of the machine, and fails it in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("in CI, and lacks %s", what)
	}
	t.Skipf("needs %s", what)
}

// realKernels returns the kernels of this machine whose headers are there.
func realKernels(t *testing.T) []Kernel {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles")
	}
	for _, program := range []string{"make", "gcc", "patch", "strip"} {
		if _, err := system.LookPath(program, nil); err != nil {
			missing(t, "the program "+program)
		}
	}
	arch, err := HostArch()
	if err != nil {
		t.Fatal(err)
	}
	releases, err := Releases("/lib/modules")
	if err != nil {
		t.Fatal(err)
	}
	var out []Kernel
	for _, r := range releases {
		k, err := OpenKernel(KernelOptions{ID: dkms.KernelID{Release: r, Arch: arch}, InstallTree: "/lib/modules"})
		if err == nil && k.Headers && k.HeaderRelease() == r {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		missing(t, "kernel headers below /lib/modules")
	}
	return out
}

func twoKernels(t *testing.T) (a, b Kernel) {
	t.Helper()
	ks := realKernels(t)
	if len(ks) < 2 {
		missing(t, "the headers of two kernels below /lib/modules")
	}
	return ks[0], ks[1]
}

// bench is a package's source, an empty tree, and a Job for them.
type bench struct {
	Job
	dir   string
	lines *lines
}

type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
}

// newBench unpacks source, a txtar archive, as /usr/src/NAME-VER would be, and
// makes a Job that builds the given modules for k. Files whose name ends in
// .sh get an execute bit.
func newBench(t *testing.T, k Kernel, source string, modules ...Module) *bench {
	t.Helper()
	return newBenchIn(t, t.TempDir(), k, source, modules...)
}

func newBenchIn(t *testing.T, dir string, k Kernel, source string, modules ...Module) *bench {
	t.Helper()
	pkg := dkms.Package{Name: "good", Version: "1.0"}
	home := filepath.Join(dir, "tree", pkg.Name, pkg.Version)
	b := &bench{dir: dir, lines: &lines{}}
	b.Job = Job{
		Kernel:   k,
		Source:   filepath.Join(dir, "src", pkg.Name+"-"+pkg.Version),
		Build:    filepath.Join(home, "build"),
		Stage:    filepath.Join(home, k.Release, k.Arch),
		Scratch:  filepath.Join(home, ".scratch"),
		EtcDir:   filepath.Join(dir, "etc"),
		Progress: b.lines.add,
		Recipe: Recipe{
			Ref:     dkms.Ref{Package: pkg, KernelID: k.KernelID},
			Make:    fmt.Sprintf("make -j2 KERNELRELEASE=%s -C %s M=%s", k.Release, k.Source, filepath.Join(home, "build")),
			Modules: modules,
		},
	}
	b.SourceAliases = []string{b.Source, filepath.Join(dir, "no-such-alias")}
	for _, d := range []string{b.Source, b.Build, b.Stage, b.Scratch, b.EtcDir} {
		mkdir(t, d)
	}
	unpack(t, b.Source, source)
	return b
}

func unpack(t *testing.T, dir, archive string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(f.Name, ".sh") {
			mode = 0o755
		}
		write(t, filepath.Join(dir, f.Name), string(f.Data), mode)
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// snapshot lists everything below dir but what is in Scratch: modes, times,
// contents. A directory's time is left out where a bind or an exchange may
// touch it.
func (b *bench) snapshot(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == b.Scratch {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %s %x", info.ModTime().Format(time.RFC3339Nano), sha256.Sum256(data))
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " -> " + target
		}
		out[strings.TrimPrefix(path, b.dir)] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run builds, and fails the test when anything but Scratch has changed.
func (b *bench) run(t *testing.T) (Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return b.runContext(ctx, t)
}

func (b *bench) runContext(ctx context.Context, t *testing.T) (Result, error) {
	t.Helper()
	before := b.snapshot(t)
	result, err := Build(ctx, b.Job)
	if diff := cmp.Diff(before, b.snapshot(t)); diff != "" {
		t.Errorf("the build changed something outside its scratch directory:\n%s", diff)
	}
	if err != nil {
		var failed *BuildError
		if !errors.As(err, &failed) {
			t.Fatalf("Build = %T %v; want a *BuildError", err, err)
		}
	}
	return result, err
}

// good builds and expects success.
func (b *bench) good(t *testing.T) Result {
	t.Helper()
	result, err := b.run(t)
	if err != nil {
		t.Fatalf("Build = %v\n%s", err, b.logText(t))
	}
	return result
}

// bad builds and expects an error of kind, from phase, with text in its
// message, and nothing that could be published.
func (b *bench) bad(t *testing.T, kind dkms.Kind, phase, text string) *BuildError {
	t.Helper()
	result, err := b.run(t)
	var failed *BuildError
	if !errors.As(err, &failed) {
		t.Fatalf("Build = %v; want an error with %q", err, text)
	}
	var known *dkms.Error
	errors.As(err, &known)
	if known.Kind != kind || failed.Phase != phase || !strings.Contains(err.Error(), text) {
		t.Errorf("Build = %v (kind %d, phase %s); want kind %d, phase %s, with %q\n%s", err, known.Kind, failed.Phase, kind, phase, text, b.logText(t))
	}
	if want := b.Recipe.Package.String() + " for " + b.Recipe.Release + ": "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Build = %v; want it to begin with %q", err, want)
	}
	if result.Stage != "" || len(result.Modules) != 0 {
		t.Errorf("a failed build has a result: %+v", result)
	}
	return failed
}

func (b *bench) logText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Scratch, "make.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// module is the Module for NAME.ko in the build directory's root.
func module(name string) Module {
	return Module{Built: name, Dest: name, DestDir: "/updates", Strip: true}
}

// hello is the source of a module that compiles everywhere.
const hello = `
-- Makefile --
obj-m := hello.o
-- hello.c --
#include <linux/module.h>
static int __init hello_init(void) { return 0; }
static void __exit hello_exit(void) { }
module_init(hello_init);
module_exit(hello_exit);
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
`
