package kbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// helperEnv tells the test binary to play another process: one that builds
// hello.ko.in of DIR/src under a privilege or on a disk that is not ours.
const helperEnv = "KBUILD_TEST_HELPER" // HOW DIR RELEASE ARCH

// outside has the helper build, and returns what it printed and its DIR.
func outside(t *testing.T, how string, k Kernel) (out, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "root")
	}
	from := built(t, k).hello
	dir, err := os.MkdirTemp("", "kbuild-"+how+"-") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "src/hello.ko.in"), read(t, from), 0o644)
	write(t, filepath.Join(dir, "src/post.sh"), "#!/bin/sh\nid -u; pwd; touch $1/here\n", 0o755)
	write(t, filepath.Join(dir, "src/fill.sh"), "#!/bin/sh\ncat /dev/zero >zeros 2>/dev/null; false\n", 0o755)
	for _, d := range []string{"build", "stage", "scratch"} {
		mkdir(t, filepath.Join(dir, d))
	}
	if how == "nobody" {
		err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, 65534, 65534))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %s", helperEnv, how, dir, k.Release, k.Arch))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("helper: %v\n%s", err, text)
	}
	return string(text), dir
}

// helper is the other process.
func helper(words []string) {
	how, dir, id := words[0], words[1], dkms.KernelID{Release: words[2], Arch: words[3]}
	var err error
	switch how {
	case "nobody":
		err = syscall.Setuid(65534)
	case "full", "mute", "careless", "script":
		err = unix.Mount("tmpfs", dir+"/scratch", "tmpfs", 0, "size=128k")
	case "readonly":
		err = unix.Mount("tmpfs", dir+"/scratch", "tmpfs", unix.MS_RDONLY, "")
	}
	k, kerr := OpenKernel(KernelOptions{ID: id, InstallTree: "/lib/modules"})
	if err = errors.Join(err, kerr); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	command, before := copyHello, ""
	switch how {
	case "mute":
		command = "./fill.sh"
	case "careless":
		command = "./fill.sh; true"
	case "script":
		before = "fill.sh"
	}
	result, err := Build(context.Background(), Job{
		Recipe: Recipe{
			Ref: dkms.Ref{Package: dkms.Package{Name: "p", Version: "1"}, KernelID: id}, Make: command,
			Modules: []Module{module("hello")}, PreBuild: before, PostBuild: "post.sh " + dir + "/stage",
		},
		Kernel: k, Source: dir + "/src", Build: dir + "/build", Stage: dir + "/stage", Scratch: dir + "/scratch",
		Progress: func(line string) { fmt.Println(line) },
	})
	var failed *BuildError
	if errors.As(err, &failed) {
		fmt.Printf("%v [%s] %s\n", err, failed.Class, failed.Hint)
	} else {
		fmt.Println("built", result.Stage)
	}
	os.Exit(0)
}

// The build of somebody without privileges happens in place, and leaves all
// as it was.
func TestBuildAsNobody(t *testing.T) {
	t.Parallel()
	out, dir := outside(t, "nobody", realKernels(t)[0])
	if want := "65534\n" + dir + "/build\nbuilt " + dir + "/scratch/stage\n"; out != want {
		t.Errorf("as nobody: %q; want %q", out, want)
	}
	for _, d := range []string{"build", "stage"} {
		if files := below(t, filepath.Join(dir, d)); len(files) > 0 {
			t.Errorf("%s holds %q afterwards", d, files)
		}
	}
	if got, want := below(t, filepath.Join(dir, "scratch", "stage")), []string{"here", "log/make.log", "module/hello.ko"}; !slices.Equal(got, want) {
		t.Errorf("stage holds %q; want %q", got, want)
	}
	if log := read(t, filepath.Join(dir, "scratch", "make.log")); !strings.Contains(log, "building in place") {
		t.Errorf("the log does not tell: %s", log)
	}
}

// One that must not be in the way of others does nothing without a view.
func TestBuildViewOnly(t *testing.T) {
	t.Parallel()
	b := quick(t, realKernels(t)[0], "", "echo make runs; "+copyHello, module("hello"))
	b.ViewOnly = true
	before := b.snapshot(t)
	_, err := build(t.Context(), b.Job, func([]system.Bind, func() error) error { return system.ErrNoView })
	if !errors.Is(err, system.ErrNoView) || !strings.Contains(err.Error(), ": cannot be built beside others of its package: ") {
		t.Errorf("Build = %v; want an error about the view", err)
	}
	if diff := cmp.Diff(before, b.snapshot(t)); diff != "" || len(b.lines.text) > 0 {
		t.Errorf("it printed %q and changed something:\n%s", b.lines.text, diff)
	}
}

func TestBuildOnBadDisk(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	for how, want := range map[string]string{
		"full":     ": failed (disk full): cp: error copying",
		"mute":     ": failed (disk full): ",
		"careless": "make did not produce hello.ko; it produced no module at all [disk full] make room",
		"script":   `: failed (disk full): PRE_BUILD "fill.sh" failed: `,
		"readonly": "read-only file system []",
	} {
		out, dir := outside(t, how, k)
		if !strings.Contains(out, "p/1 for "+k.Release+": ") || !strings.Contains(out, want) {
			t.Errorf("%s: %q; want %q", how, out, want)
		}
		if !slices.Equal(below(t, dir), []string{"src/fill.sh", "src/hello.ko.in", "src/post.sh"}) {
			t.Errorf("%s: left %q", how, below(t, dir))
		}
	}
}

// TestBuildLeavesNoTemporaries kills a compiler, and looks for what it had in work.
func TestBuildLeavesNoTemporaries(t *testing.T) {
	t.Parallel()
	b := quick(t, realKernels(t)[0], "", "mktemp; sleep 60", module("hello"))
	b.Timeout = 500_000_000
	b.bad(t, dkms.MakeFailed, PhaseMake, "timeout")
	if path := b.lines.text[0]; filepath.Dir(path) != filepath.Join(b.Scratch, "tmp") || !system.Exists(path) {
		t.Errorf("the temporary file is %q; want it in the scratch directory", path)
	}
}

// A command that outlives its make is not waited for, and what make itself
// started goes with it.
func TestBuildLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	b := quick(t, realKernels(t)[0], "", "sleep 61 & echo $!; sleep 60", module("hello"))
	b.Timeout = 500_000_000
	b.bad(t, dkms.MakeFailed, PhaseMake, "timeout")
	pid := b.lines.text[0]
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("process %s still runs: %s", pid, stat)
	}
	if !system.Exists(filepath.Join(b.Scratch, "make.log")) {
		t.Error("no log")
	}
}
