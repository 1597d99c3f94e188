package kbuild

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Two modules in two directories, renamed, one not stripped, signed and
// compressed as the kernel's are.
func TestBuildManyModules(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	k.Suffix = ".ko.zst"
	pair := ko.KeyPair{Key: filepath.Join(t.TempDir(), "key"), Cert: filepath.Join(t.TempDir(), "cert")}
	if _, err := ko.Ensure(pair, true); err != nil {
		t.Fatal(err)
	}
	b := quick(t, k, "", "mkdir -p sub/dir && cp hello.ko.in sub/dir/hello.ko && "+copyHello,
		Module{Built: "hello", Dest: "first", Strip: true}, Module{Built: "hello", BuiltDir: "sub//dir/", Dest: "second"})
	b.Signer = &ko.Signer{Keys: pair, Hash: "sha256"}
	result := b.good(t)
	if diff := cmp.Diff([]string{"log/make.log", "module/first.ko.zst", "module/second.ko.zst"}, below(t, result.Stage)); diff != "" {
		t.Errorf("stage (-want +got):\n%s", diff)
	}
	size := map[string]int{}
	for _, m := range result.Modules {
		path := filepath.Join(result.Stage, "module", m.File)
		module, err := ko.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if !module.Signed {
			t.Errorf("%s is not signed", m.File)
		}
		data, err := ko.Content(path)
		if err != nil {
			t.Fatal(err)
		}
		size[m.Dest] = len(data)
	}
	if size["first"] >= size["second"] {
		t.Errorf("sizes %v; want the stripped first below the second", size)
	}
	if got := phaseNames(result); !strings.Contains(got, PhaseStrip) {
		t.Errorf("phases are %s; want strip among them", got)
	}
}

func phaseNames(r Result) string {
	var names []string
	for _, p := range r.Phases {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

func TestBuildSigningFails(t *testing.T) {
	t.Parallel()
	b := quick(t, realKernels(t)[0], "", copyHello, module("hello"))
	b.Signer = &ko.Signer{Keys: ko.KeyPair{Key: filepath.Join(b.dir, "no"), Cert: filepath.Join(b.dir, "no")}, Hash: "sha256"}
	b.bad(t, dkms.SigningFailed, PhaseSign, "")
}

// Module.symvers of all directories that were built in become one; one that
// was shipped with the source is of nobody knows which kernel.
func TestBuildSymvers(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	const shipped = "0xdeadbeef\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
	b := quick(t, k, "-- Module.symvers --\n"+shipped, copyHello, module("hello"))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(b.Source, "Module.symvers"), old, old); err != nil {
		t.Fatal(err)
	}
	if files := below(t, filepath.Join(b.good(t).Stage, "module")); !cmp.Equal(files, []string{"hello.ko"}) {
		t.Errorf("staged %q; want no Module.symvers", files)
	}

	const one, two = "0x00000001\\tone\\ta\\tEXPORT_SYMBOL\\t\\n", "0x00000002\\ttwo\\tb\\tEXPORT_SYMBOL\\t\\n"
	b = quick(t, k, "", "mkdir x y && printf '"+two+one+"' >x/Module.symvers && printf '"+two+"' >y/Module.symvers && "+copyHello, module("hello"))
	got := read(t, filepath.Join(b.good(t).Stage, "module", "Module.symvers"))
	if want := strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(one + two); got != want {
		t.Errorf("Module.symvers = %q; want %q", got, want)
	}

	b = quick(t, k, "", "echo rubbish >Module.symvers; "+copyHello, module("hello"))
	b.bad(t, dkms.Unknown, PhaseVerify, "Module.symvers:1:")
}

// Headers that are of another release than the directory says: the module is
// what they make it, and the warning says so.
func TestBuildWithOtherHeaders(t *testing.T) {
	t.Parallel()
	k, other := twoKernels(t)
	mixed := k
	mixed.Source = other.Source
	b := quick(t, other, "", copyHello, module("hello"))
	b.Kernel, b.Recipe.Release = mixed, mixed.Release
	result := b.good(t)
	want := []string{other.Source + " holds the headers of " + other.Release}
	if diff := cmp.Diff(want, result.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// POST_BUILD may write, but not take modules away.
func TestBuildPostBuildRemovesModule(t *testing.T) {
	t.Parallel()
	b := quick(t, realKernels(t)[0], "-- post.sh --\n#!/bin/sh\nrm -r \"$1\"/module/hello.ko \"$1\"/log\n", copyHello, module("hello"))
	b.Recipe.PostBuild = "post.sh " + b.Stage
	b.bad(t, dkms.ModuleNotProduced, PhaseSync, "POST_BUILD took hello.ko away")
}

// A package without modules builds, if it wants to.
func TestBuildNoModules(t *testing.T) {
	t.Parallel()
	b := newBench(t, realKernels(t)[0], "", nil...)
	b.Recipe.Make = "echo nothing to do"
	b.Verbose = true
	result := b.good(t)
	if diff := cmp.Diff([]string{"log/make.log"}, below(t, result.Stage)); diff != "" || len(result.Modules) != 0 {
		t.Errorf("stage (-want +got):\n%s", diff)
	}
	if !strings.Contains(b.logText(t), "KVER="+b.Kernel.Release) {
		t.Error("a verbose log lacks the environment")
	}
}

// A compiler's last words do not fit on a full disk, and yet it is known that it was
// full.
func TestLogWithoutRoom(t *testing.T) {
	t.Parallel()
	l, err := newBuildLog("/dev/full", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	if n, err := l.Write([]byte("No space left\n")); n != 14 || err != nil || !l.full {
		t.Errorf("Write = %d, %v, full: %v; want 14, nil, true", n, err, l.full)
	}
	b := &builder{phase: PhaseMake, log: l, job: Job{Scratch: t.TempDir()}}
	if got := b.failed(errors.New("exit status 2")); got.Class != DiskFull || got.Hint == "" {
		t.Errorf("failed = %q, %v; want %s and a hint", got.Class, got, DiskFull)
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	var lines []string
	l, err := newBuildLog(path, func(line string) { lines = append(lines, line) })
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	for _, chunk := range []string{"on", "e\ntwo\r\n\nthr", "ee"} {
		if n, err := l.Write([]byte(chunk)); n != len(chunk) || err != nil {
			t.Errorf("Write(%q) = %d, %v", chunk, n, err)
		}
	}
	l.note("end")
	if diff := cmp.Diff([]string{"one", "two", ""}, lines); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if got, want := read(t, path), "one\ntwo\r\n\nthree\n# end\n"; got != want {
		t.Errorf("log = %q; want %q", got, want)
	}
	l.size = maxLog - 3
	for range 3 {
		_, _ = l.Write([]byte("abcdef"))
	}
	if got, want := read(t, path), "# end\nabc\n# more output was dropped\n"; !strings.HasSuffix(got, want) {
		t.Errorf("log ends %q; want %q", got, want)
	}
}
