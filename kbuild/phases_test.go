package kbuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

const copyHello = "cp hello.ko.in hello.ko"

func TestBuildScripts(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	archive := `
-- pre.sh --
#!/bin/sh
echo "pre $# $1 $(uname -r) $PWD"
echo made >made-by-pre
-- scripts/post.sh --
#!/bin/sh
set -e
test -f made-by-pre
ls ../"$1"/"$2"/module >"../$1/$2/seen"
mkdir "../$1/$2/extra"
echo data >"../$1/$2/extra/config.h"
`
	for _, how := range []string{"view", "in place"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := quick(t, k, archive, "test -f made-by-pre && "+copyHello, module("hello"))
			// What is there now is what an earlier build published.
			write(t, filepath.Join(b.Stage, "module", "old.ko"), "old", 0o644)
			b.Recipe.PreBuild = "pre.sh\n  one\ttwo"
			b.Recipe.PostBuild = "scripts/post.sh " + k.Release + " " + k.Arch
			before := b.snapshot(t)
			view := system.WithView
			if how == "in place" {
				view = func([]system.Bind, func() error) error { return system.ErrNoView }
			}
			result, err := build(context.Background(), b.Job, view)
			if err != nil {
				t.Fatalf("build = %v\n%s", err, b.logText(t))
			}
			if diff := cmp.Diff(before, b.snapshot(t)); diff != "" {
				t.Errorf("changed outside scratch:\n%s", diff)
			}
			want := []string{"extra/config.h", "log/make.log", "module/hello.ko", "seen"}
			if diff := cmp.Diff(want, below(t, result.Stage)); diff != "" {
				t.Errorf("stage (-want +got):\n%s", diff)
			}
			if got := read(t, filepath.Join(result.Stage, "seen")); got != "hello.ko\n" {
				t.Errorf("POST_BUILD saw %q; want hello.ko", got)
			}
			if want := "pre 2 one " + k.Release + " " + b.Build; !slices.Contains(b.lines.text, want) {
				t.Errorf("output %q lacks %q", b.lines.text, want)
			}
			if !strings.Contains(read(t, filepath.Join(result.Stage, "log", "make.log")), "# POST_BUILD: scripts/post.sh") {
				t.Error("the log lacks POST_BUILD")
			}
		})
	}
}

func TestBuildScriptsFail(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	archive := `
-- seven.sh --
#!/bin/sh
echo halfway >"$1"
exit 7
-- dos.sh --
#!/bin/sh` + "\r" + `
-- gone.sh --
#!/no/such/interpreter -x
-- bare.sh --
exit 9
-- silent.sh --
#!/bin/sh
exec sleep 60
-- plain --
#!/bin/sh
exit 8
`
	for _, c := range []struct {
		name, pre, post string
		phase, text     string
		status          int
	}{
		{"status", "seven.sh /dev/null", "", PhasePreBuild, `PRE_BUILD "seven.sh /dev/null" failed`, 7},
		{"post", "", "seven.sh x", PhasePostBuild, `POST_BUILD "seven.sh x" failed`, 7},
		{"crlf", "dos.sh", "", PhasePreBuild, `its lines end in CR LF`, 127},
		{"interpreter", "gone.sh", "", PhasePreBuild, `its interpreter /no/such/interpreter -x is missing`, 127},
		{"no interpreter", "bare.sh", "", PhasePreBuild, `failed`, 9},
		{"silent", "silent.sh", "", PhasePreBuild, "printed nothing", 124},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := quick(t, k, archive, copyHello, module("hello"))
			b.Recipe.PreBuild, b.Recipe.PostBuild = c.pre, c.post
			b.Timeout = time.Second
			failed := b.bad(t, dkms.ScriptFailed, c.phase, c.text)
			var known *dkms.Error
			if errors.As(failed, &known); known.Status != c.status {
				t.Errorf("Status = %d; want %d", known.Status, c.status)
			}
		})
	}
}

// What cannot be executed is a warning, as it is for DKMS.
func TestBuildScriptsMissing(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := quick(t, k, "-- plain --\n#!/bin/sh\nexit 8\n", copyHello, module("hello"))
	b.Recipe.PreBuild, b.Recipe.PostBuild = "plain a", "absent b"
	result := b.good(t)
	want := []string{"PRE_BUILD plain: is not executable, so it is not run", "POST_BUILD absent: does not exist, so it is not run"}
	if diff := cmp.Diff(want, result.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// An executable of the same name in /etc/dkms/NAME wins.
func TestBuildScriptsOverridden(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := quick(t, k, "-- pre.sh --\n#!/bin/sh\nexit 8\n", copyHello, module("hello"))
	write(t, filepath.Join(b.EtcDir, "good", "pre.sh"), "#!/bin/sh\necho administrator in $PWD\n", 0o755)
	write(t, filepath.Join(b.EtcDir, "good", "post.sh"), "not executable", 0o644)
	b.Recipe.PreBuild = "pre.sh"
	b.good(t)
	if want := "administrator in " + b.Build; !slices.Contains(b.lines.text, want) {
		t.Errorf("output %q lacks %q", b.lines.text, want)
	}
}

const onePatch = `--- a/text
+++ b/text
@@ -1 +1 @@
-before
+after
`

func TestBuildPatches(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	archive := "-- text --\nbefore\n-- patches/one.patch --\n" + onePatch + "-- patches/sub/two.patch --\n" +
		strings.NewReplacer("before", "after", "+after", "+last").Replace(onePatch)
	b := quick(t, k, archive, "cat text && "+copyHello, module("hello"))
	b.Recipe.Patches = []string{"one.patch", "sub/two.patch"}
	b.good(t)
	if !slices.Contains(b.lines.text, "last") {
		t.Errorf("patched text: %q; want last", b.lines.text)
	}

	b = quick(t, k, archive, "cat text && "+copyHello, module("hello"))
	b.Recipe.Patches = []string{"one.patch", "sub/two.patch"}
	write(t, filepath.Join(b.EtcDir, "good", "patches", "sub", "two.patch"), strings.NewReplacer("before", "after", "+after", "+administrator's").Replace(onePatch), 0o644)
	b.good(t)
	if !slices.Contains(b.lines.text, "administrator's") {
		t.Errorf("patched text: %q; want administrator's", b.lines.text)
	}
}

func TestBuildPatchesFail(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	archive := "-- text --\nafter\n-- patches/one.patch --\n" + onePatch + "-- patches/dir/x --\n-- patches/prose.patch --\nno patch at all\n"
	for _, c := range []struct {
		patch string
		kind  dkms.Kind
		text  string
	}{
		{"one.patch", dkms.PatchFailed, "patch one.patch does not apply: patch: exit status 1"}, // looks reversed: must not ask
		{"prose.patch", dkms.PatchFailed, "patch prose.patch does not apply"},
		{"none.patch", dkms.PatchMissing, "patch none.patch is missing"},
		{"dir", dkms.PatchMissing, "patch dir is missing"},
		{"../text", dkms.PatchMissing, "patch ../text is not a path below patches/"},
		{"dir/../one.patch", dkms.PatchMissing, "is not a path below patches/"},
		{"/etc/passwd", dkms.PatchMissing, "is not a path below patches/"},
		{"", dkms.PatchMissing, "is not a path below patches/"},
	} {
		b := quick(t, k, archive, copyHello, module("hello"))
		b.Recipe.Patches = []string{c.patch}
		b.bad(t, c.kind, PhasePatch, c.text)
	}
}

func TestBuildMakeFails(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	for _, c := range []struct {
		make, text string
		class      Class
	}{
		{"exit 3", "does not compile: ", Unclear},
		{"make -f none", "does not compile: make: none: No such file or directory", Unclear},
		{"no-such-program-here", "does not compile (tool missing): ", MissingTool},
		{"gcc --no-such-option -c x.c", "does not compile (wrong compiler): gcc: unrecognized command-line option '--no-such-option'", WrongCompiler},
		{"kill -KILL $$", "failed (out of memory): ", OutOfMemory},
		{"sleep 60", "was ended (timeout): ", Timeout},
	} {
		b := quick(t, k, "", c.make, module("hello"))
		b.Timeout = time.Second
		failed := b.bad(t, dkms.MakeFailed, PhaseMake, c.text)
		if failed.Class != c.class {
			t.Errorf("make %q: class %q; want %q (%v)", c.make, failed.Class, c.class, failed)
		}
		if failed.Hint != c.class.hint() {
			t.Errorf("make %q: hint %q; want %q", c.make, failed.Hint, c.class.hint())
		}
	}
}

func TestBuildOtherModules(t *testing.T) {
	t.Parallel()
	k, other := twoKernels(t)
	mk := func(name string, args ...string) string { return strings.Join(append([]string{name}, args...), " ") }
	for _, c := range []struct {
		name, make, text string
		module           Module
	}{
		{"none", "true", "make did not produce hello.ko; it produced no module at all", module("hello")},
		{"elsewhere", "mkdir a && cp hello.ko.in a/hello.ko && cp hello.ko.in b.ko", "did not produce hello.ko; it produced a/hello.ko, b.ko", module("hello")},
		{"location", copyHello, "did not produce src/hello.ko; it produced hello.ko", Module{Built: "hello", BuiltDir: "src/", Dest: "hello"}},
		{"misnamed", "cp hello.ko.in other.ko", `other.ko: calls itself "hello"`, module("other")},
		{"directory", "mkdir hello.ko", "did not produce hello.ko", module("hello")},
		{"pipe", "mkfifo hello.ko", "did not produce hello.ko", module("hello")},
		{"text", "echo text >hello.ko", "hello.ko", module("hello")},
		{"empty", ": >hello.ko", "hello.ko", module("hello")},
		{"dangling", "ln -s nowhere hello.ko", "did not produce hello.ko", module("hello")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := quick(t, k, "", mk(c.make), c.module)
			failed := b.bad(t, dkms.ModuleNotProduced, PhaseVerify, c.text)
			if failed.Class != OtherModules {
				t.Errorf("class is %q; want %q", failed.Class, OtherModules)
			}
		})
	}
	// A module that lies in the source since somebody built there for another
	// kernel is not this build's.
	t.Run("stale", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, k, "", module("hello"))
		if err := system.CopyFile(built(t, other).hello, filepath.Join(b.Source, "hello.ko"), 0o644); err != nil {
			t.Fatal(err)
		}
		b.Recipe.Make = "true"
		b.bad(t, dkms.ModuleNotProduced, PhaseVerify, "was built for "+other.Release+", wanted "+k.Release)
	})
}

func TestBuildCanceled(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := quick(t, k, "", "echo started; sleep 60", module("hello"))
	ctx, cancel := context.WithCancel(context.Background())
	b.Progress = func(string) { cancel() }
	start := time.Now()
	_, err := b.runContext(ctx, t)
	var failed *BuildError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &failed) || failed.Class != Interrupted {
		t.Errorf("Build = %v; want an interrupted *BuildError", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v to end", took)
	}
}

// Links, odd names and modes of the source come through, and what leads out
// of it is not written to.
func TestBuildOddSource(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := quick(t, k, "-- a b/-c --\nblank\n-- sub/x --\n1\n-- run.sh --\n#!/bin/sh\necho ran\n", "", module("hello"))
	outside := filepath.Join(b.dir, "outside")
	write(t, filepath.Join(outside, "file"), "untouched", 0o644)
	for link, target := range map[string]string{"out": outside, "dangling": "nowhere", "in": "sub/x", "own": b.Source + "/sub", "übermut\n": "sub"} {
		if err := os.Symlink(target, filepath.Join(b.Source, link)); err != nil {
			t.Fatal(err)
		}
	}
	mkdir(t, filepath.Join(b.Source, "empty"))
	if err := os.Chmod(filepath.Join(b.Source, "sub", "x"), 0o400); err != nil {
		t.Fatal(err)
	}
	// own/ is an absolute path to the source, over which the copy stands.
	b.Recipe.Make = `set -e; test -L out; test -L dangling; test -d empty; grep -q blank 'a b/-c'; ./run.sh; echo new >own/y; cat sub/y; ` + copyHello
	b.good(t)
	if !slices.Contains(b.lines.text, "new") {
		t.Errorf("writing by the source's own path did not reach the copy: %q", b.lines.text)
	}
}

func TestBuildSpecialFiles(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := quick(t, k, "", copyHello, module("hello"))
	if err := syscall.Mkfifo(filepath.Join(b.Source, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.bad(t, dkms.Unknown, PhaseCopy, "pipe: is neither file, directory nor link")
}

func TestBuildNoScratch(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := quick(t, k, "", copyHello, module("hello"))
	b.Scratch = filepath.Join(b.dir, "no")
	if _, err := b.run(t); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("Build without a scratch directory = %v", err)
	}
	b.Scratch = "/proc/self"
	if _, err := b.run(t); err == nil {
		t.Error("Build in a read-only scratch directory gave no error")
	}
}
