package kbuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Not parallel: it sets PATH.
func TestDepmod(t *testing.T) {
	if _, err := system.LookPath("depmod", []string{"PATH=" + system.SafePath}); err != nil {
		missing(t, "the program depmod")
	}
	hello := built(t, realKernels(t)[0]).hello
	t.Setenv("PATH", system.SafePath)
	for _, tree := range []string{"lib/modules", "usr/lib/modules", "own tree"} {
		dir := filepath.Join(t.TempDir(), tree)
		k := Kernel{KernelID: dkms.KernelID{Release: release}, ModuleDir: filepath.Join(dir, release)}
		mkdir(t, k.ModuleDir)
		if err := Depmod(context.Background(), k); err != nil {
			t.Errorf("%s: Depmod of a kernel without modules.dep = %v", tree, err)
		}
		if files := below(t, dir); len(files) > 0 {
			t.Errorf("%s: it was not passed over: %q", tree, files)
		}
		write(t, filepath.Join(k.ModuleDir, "modules.dep"), "out of date\n", 0o644)
		if err := system.CopyFile(hello, filepath.Join(k.ModuleDir, "hello.ko"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Depmod(context.Background(), k); err != nil {
			t.Fatalf("%s: Depmod = %v", tree, err)
		}
		if got := read(t, filepath.Join(k.ModuleDir, "modules.dep")); got != "hello.ko:\n" {
			t.Errorf("%s: modules.dep = %q; want hello.ko", tree, got)
		}
	}
}

func TestDepmodFails(t *testing.T) {
	dir := t.TempDir()
	k := Kernel{KernelID: dkms.KernelID{Release: release}, ModuleDir: filepath.Join(dir, release)}
	write(t, filepath.Join(k.ModuleDir, "modules.dep"), "", 0o644)
	bin := filepath.Join(dir, "bin")
	for _, c := range []struct{ program, want string }{
		{"#!/bin/sh\necho depmod: FATAL: disk on fire >&2\nexit 1\n", release + ": depmod failed: depmod: FATAL: disk on fire"},
		{"#!/bin/sh\nexit 3\n", release + ": depmod failed: depmod: exit status 3"},
		{"", release + ": the program depmod is not installed"},
	} {
		mkdir(t, bin)
		if c.program != "" {
			write(t, filepath.Join(bin, "depmod"), c.program, 0o755)
		} else if err := os.Remove(filepath.Join(bin, "depmod")); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin)
		err := Depmod(context.Background(), k)
		var known *dkms.Error
		if !errors.As(err, &known) || known.Kind != dkms.NothingInstalled || err.Error() != c.want {
			t.Errorf("Depmod = %v; want %q", err, c.want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "depmod-*")); len(left) > 0 || err != nil {
		t.Errorf("left %q, %v", left, err)
	}
}

func TestBuildErrorAs(t *testing.T) {
	t.Parallel()
	ref := dkms.Ref{Package: dkms.Package{Name: "a", Version: "1"}, KernelID: dkms.KernelID{Release: "6.1", Arch: "x86_64"}}
	for _, c := range []struct {
		err          *BuildError
		text, hint   string
		kind         dkms.Kind
		status       int
		unwrapsToErr error
	}{
		{err: &BuildError{Ref: ref, Phase: PhaseMake, Class: APIChange, First: "a.c:3: gone", Log: "/l", Hint: "newer", Err: &dkms.Error{Kind: dkms.MakeFailed, Problem: "make failed"}},
			text: "a/1 for 6.1: does not compile (kernel API change): a.c:3: gone", hint: "newer", kind: dkms.MakeFailed},
		{err: &BuildError{Ref: ref, Phase: PhaseMake, Log: "/l", Err: &dkms.Error{Kind: dkms.MakeFailed, Problem: "make failed", Err: os.ErrClosed}},
			text: "a/1 for 6.1: does not compile: make failed: file already closed", kind: dkms.MakeFailed, unwrapsToErr: os.ErrClosed},
		{err: &BuildError{Ref: ref, Phase: PhasePreBuild, Err: &dkms.Error{Kind: dkms.ScriptFailed, Problem: "PRE_BUILD failed", Status: 9}},
			text: "a/1 for 6.1: PRE_BUILD failed", kind: dkms.ScriptFailed, status: 9},
		{err: &BuildError{Ref: ref, Phase: PhaseCopy, Err: os.ErrPermission}, text: "a/1 for 6.1: permission denied", kind: dkms.Unknown, unwrapsToErr: os.ErrPermission},
	} {
		var known *dkms.Error
		if !errors.As(error(c.err), &known) {
			t.Fatalf("no dkms.Error in %v", c.err)
		}
		if c.err.Error() != c.text || known.Error() != c.text || known.Hint != c.hint || known.Log != c.err.Log || known.Kind != c.kind || known.Status != c.status {
			t.Errorf("%q, as dkms.Error %+v; want %q, hint %q, kind %d, status %d", c.err, known, c.text, c.hint, c.kind, c.status)
		}
		if c.unwrapsToErr != nil && !errors.Is(c.err, c.unwrapsToErr) {
			t.Errorf("%v does not unwrap to %v", c.err, c.unwrapsToErr)
		}
		if strings.HasSuffix(c.err.Error(), ".") {
			t.Errorf("%v ends in a full stop", c.err)
		}
	}
}
