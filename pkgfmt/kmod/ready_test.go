package kmod

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// TestBuildReady: who does not want what is planned is asked before a compiler
// runs, and knows then what the packages will be called and depend on.
func TestBuildReady(t *testing.T) {
	t.Parallel()
	kernels := realKernels(t)
	d := describe(t, sample)
	ran := filepath.Join(t.TempDir(), "ran")
	conf := filepath.Join(d.Dir, "dkms.conf")
	put(t, conf, read(t, conf)+"PRE_BUILD=note\nMAKE=\"touch "+ran+"\"\n")
	put(t, filepath.Join(d.Dir, "note"), "#!/bin/sh\ntouch "+ran+"\n")
	refused := errors.New("not these")
	o := Options{Kernels: kernels, Scratch: t.TempDir()}
	var planned []Built
	o.Ready = func(b []Built) error { planned = b; return refused }
	if built, err := Build(t.Context(), d, o); !errors.Is(err, refused) || len(built) > 0 {
		t.Errorf("Build = %d, %v; want what Ready says", len(built), err)
	}
	if system.Exists(ran) {
		t.Error("the build was begun")
	}
	if len(planned) != len(kernels) {
		t.Fatalf("planned for %d kernels; want %d", len(planned), len(kernels))
	}
	// The sample as it is comes out as it was planned, but for what is in modules.
	_, built := builtSample(t, kernels[0])
	if want, got := shape(t, built), shape(t, planned[0]); !slices.Equal(want, got) {
		t.Errorf("planned %q; want %q", got, want)
	}
}

// shape are the names of packages and of their files.
func shape(t *testing.T, b Built) (lines []string) {
	t.Helper()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		packages, err := Compose(describe(t, sample), []Built{b}, f, Options{Kernels: []string{b.Kernel.Release}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packages {
			lines = append(lines, p.Name+" "+p.Version.String()+" "+p.Arch)
			for _, file := range p.Files {
				lines = append(lines, file.Path)
			}
		}
	}
	return lines
}
