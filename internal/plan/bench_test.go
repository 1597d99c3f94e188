package plan_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// BenchmarkDiff plans 200 packages for 5 kernels, in chains of ten that depend
// on each other, half of it built.
func BenchmarkDiff(b *testing.B) {
	var want plan.Want
	var have plan.Have
	for i := range 200 {
		p := dkms.Package{Name: fmt.Sprintf("p%03d", i), Version: "1.0"}
		have.Packages = append(have.Packages, plan.HavePackage{Package: p})
		for k := range 5 {
			r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: fmt.Sprintf("6.%d.0-amd64", k), Arch: "x86_64"}}
			t := plan.Target{Ref: r, Goal: dkms.Installed, DependsRebuild: true, Why: "asked for"}
			if i%10 > 0 {
				t.Depends = []string{fmt.Sprintf("p%03d", i-1)}
			}
			want.Targets = append(want.Targets, t)
			if i%2 == 0 {
				have.Refs = append(have.Refs, plan.HaveRef{Ref: r, State: dkms.Installed})
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		p := plan.Diff(want, have)
		if len(p.Steps) < 1000 {
			b.Fatalf("%d steps", len(p.Steps))
		}
	}
}

func TestFormatTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	p := plan.Diff(plan.Want{}, plan.Have{})
	if err := p.Format(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("Format on a full disk = %v; want %v", err, errFull)
	}
	if err := p.Format(io.Discard); err != nil {
		t.Errorf("Format = %v; want nil", err)
	}
}

var errFull = errors.New("no space left on device")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
