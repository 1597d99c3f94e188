package tree

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// benchTree is a tree of 220 packages, installed for 5 kernels each, as a
// machine has it that nothing is wrong with.
func benchTree(b *testing.B) Tree {
	b.Helper()
	tr := newTree(b)
	for i := range 220 {
		p := dkms.Package{Name: fmt.Sprintf("pack%03d", i), Version: "1.0"}
		write(b, filepath.Join(tr.Source(p), "dkms.conf"), "")
		symlink(b, tr.Source(p), tr.SourceLink(p))
		for j := range 5 {
			r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: fmt.Sprintf("6.1.0-%d-amd64", j), Arch: arch}}
			write(b, filepath.Join(tr.ModuleDir(r), p.Name+".ko"), p.Name)
			write(b, filepath.Join(tr.RefDir(r), "log/make.log"), "")
			write(b, tr.manifestPath(r), string(Manifest{Ref: r}.encode()))
			symlink(b, activeTarget(r), tr.ActiveLink(p.Name, r.KernelID))
		}
	}
	return tr
}

func BenchmarkScan(b *testing.B) {
	tr := benchTree(b)
	for b.Loop() {
		if _, err := tr.Scan(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRef looks every ref of a large tree up, as a plan does.
func BenchmarkRef(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		var s Snapshot
		for i := range n {
			p := PackageState{Package: dkms.Package{Name: fmt.Sprintf("pack%04d", i), Version: "1.0"}}
			for j := range 5 {
				p.Refs = append(p.Refs, RefState{Ref: dkms.Ref{Package: p.Package, KernelID: dkms.KernelID{Release: fmt.Sprint(j), Arch: arch}}, State: dkms.Built})
			}
			s.Packages = append(s.Packages, p)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				for _, r := range s.Refs() {
					if s.Ref(r.Ref).State != dkms.Built {
						b.Fatal(r.Ref)
					}
				}
			}
		})
	}
}

func BenchmarkSweep(b *testing.B) {
	tr := benchTree(b)
	for b.Loop() {
		if _, err := tr.Sweep(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
