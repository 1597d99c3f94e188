package tree

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// TestScan builds states by hand, as dkms leaves them.
func TestScan(t *testing.T) {
	t.Parallel()
	pa := dkms.Package{Name: "pa", Version: "1.0"}
	module := func(t *testing.T, tr Tree, version, rel string) {
		write(t, filepath.Join(tr.Dir, "pa", version, rel, arch, "module/alpha.ko"), "x")
	}
	tests := []struct {
		name  string
		setUp func(t *testing.T, tr Tree)
		want  []string // status lines
		odd   []string // paths of problems, below the tree
	}{
		{"no tree", func(t *testing.T, tr Tree) { remove(t, tr.Dir) }, nil, nil},
		{"empty tree", func(*testing.T, Tree) {}, nil, nil},
		{"added", func(t *testing.T, tr Tree) { add(t, tr, pa) }, []string{"pa/1.0: added"}, nil},
		{"source gone", func(t *testing.T, tr Tree) { add(t, tr, pa); remove(t, tr.Source(pa)) }, []string{"pa/1.0: broken"}, nil},
		{"link gone", func(t *testing.T, tr Tree) { add(t, tr, pa); remove(t, tr.SourceLink(pa)) }, []string{"pa/1.0: broken"}, nil},
		{"link and source gone", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			remove(t, tr.SourceLink(pa))
			remove(t, tr.Source(pa))
		}, nil, nil},
		{"built without link and source", func(t *testing.T, tr Tree) { module(t, tr, "1.0", release) }, nil, []string{"pa/1.0"}},
		{"source is a directory", func(t *testing.T, tr Tree) { write(t, tr.SourceLink(pa)+"/dkms.conf", "") }, []string{"pa/1.0: added"}, nil},
		{"source is a file", func(t *testing.T, tr Tree) { write(t, tr.SourceLink(pa), "") }, nil, nil},
		{"built", func(t *testing.T, tr Tree) { add(t, tr, pa); module(t, tr, "1.0", release) },
			[]string{"pa/1.0, " + release + ", x86_64: built"}, nil},
		{"installed", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			symlink(t, "1.0/"+release+"/x86_64", tr.ActiveLink("pa", kernel))
		}, []string{"pa/1.0, " + release + ", x86_64: installed"}, nil},
		{"installed by an absolute link", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			symlink(t, tr.RefDir(ref("pa", "1.0")), tr.ActiveLink("pa", kernel))
		}, []string{"pa/1.0, " + release + ", x86_64: installed"}, nil},
		{"link of another kernel", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			symlink(t, "1.0/"+release+"/x86_64", filepath.Join(tr.Dir, "pa/kernel-other-x86_64"))
		}, []string{"pa/1.0, " + release + ", x86_64: built"}, nil},
		{"link to another version", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			symlink(t, "7.0/"+release+"/x86_64", tr.ActiveLink("pa", kernel))
		}, []string{"pa/1.0, " + release + ", x86_64: built"}, []string{"pa/7.0/" + release + "/x86_64"}},
		{"originals", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			write(t, tr.OriginalDir("pa", kernel)+"/alpha.ko", "")
		}, []string{"pa/1.0, " + release + ", x86_64: built (Original modules exist)"}, nil},
		{"originals of another kernel", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			write(t, tr.OriginalDir("pa", dkms.KernelID{Release: "other", Arch: arch})+"/alpha.ko", "")
		}, []string{"pa/1.0, " + release + ", x86_64: built"}, nil},
		{"half-written build", func(t *testing.T, tr Tree) { add(t, tr, pa); write(t, tr.RefDir(ref("pa", "1.0"))+"/log/make.log", "") },
			[]string{"pa/1.0: added"}, nil},
		{"dot-files of ours", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			write(t, tr.LogPath(ref("pa", "1.0")), "")
			write(t, tr.own("lock"), "")
			write(t, filepath.Join(tr.PackageDir(pa), ".scratch/x/build/module/a"), "")
			write(t, filepath.Join(tr.Dir, "pa/.x/source/y"), "")
		}, []string{"pa/1.0: added"}, nil},
		{"foreign entries", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			write(t, filepath.Join(tr.Dir, "mok.key"), "")
			write(t, filepath.Join(tr.Dir, "pa/file"), "")
			write(t, filepath.Join(tr.PackageDir(pa), "file"), "")
			write(t, filepath.Join(tr.PackageDir(pa), "junk/file"), "")
			write(t, filepath.Join(tr.PackageDir(pa), "tarball/module/x"), "")
			write(t, filepath.Join(tr.PackageDir(pa), "build/x86_64/module/x"), "")
			write(t, filepath.Join(tr.Dir, "other/9/junk"), "")
			symlink(t, "/nowhere", filepath.Join(tr.Dir, "dangling"))
			symlink(t, "/nowhere", filepath.Join(tr.PackageDir(pa), "dangling"))
			symlink(t, "loop", filepath.Join(tr.Dir, "pa/loop"))
		}, []string{"pa/1.0: added"}, nil},
		{"a version moved elsewhere", func(t *testing.T, tr Tree) {
			add(t, tr, pa)
			module(t, tr, "1.0", release)
			away := filepath.Join(filepath.Dir(tr.Dir), "disk2")
			must(t, os.Rename(tr.PackageDir(pa), away))
			symlink(t, away, tr.PackageDir(pa))
		}, []string{"pa/1.0, " + release + ", x86_64: built"}, nil},
		{"order", func(t *testing.T, tr Tree) {
			for _, p := range []dkms.Package{{Name: "pb", Version: "1"}, {Name: "pa", Version: "2"}, {Name: "pa", Version: "10"}, {Name: "pa-x", Version: "1"}} {
				add(t, tr, p)
			}
		}, []string{"pa/10: added", "pa/2: added", "pa-x/1: added", "pb/1: added"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			tt.setUp(t, tr)
			before := treetest.Snapshot(t, filepath.Dir(tr.Dir))
			if d := cmp.Diff(tt.want, statuses(t, tr, CompareOptions{Dirs: []string{"/nowhere"}}), ignoreDiffers); d != "" {
				t.Errorf("status (-want +got):\n%s", d)
			}
			s, err := tr.Scan(t.Context())
			must(t, err)
			var odd []string
			for _, p := range s.Problems {
				rel, _ := filepath.Rel(tr.Dir, p.Path)
				odd = append(odd, rel)
			}
			if d := cmp.Diff(tt.odd, odd); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
			same(t, before, treetest.Snapshot(t, filepath.Dir(tr.Dir)))
		})
	}
}

var ignoreDiffers = cmp.Transformer("", func(s []string) []string {
	s = slices.Clone(s)
	for i := range s {
		s[i] = strings.ReplaceAll(s[i], " (Differences between built and installed modules)", "")
	}
	return s
})

func TestScanUnreadable(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	add(t, tr, dkms.Package{Name: "pb", Version: "1.0"})
	// Even root cannot read this.
	symlink(t, strings.Repeat("x/", 10)+"y", filepath.Join(tr.Dir, "pa/1.0/source"))
	lines := statuses(t, tr, CompareOptions{})
	if d := cmp.Diff([]string{"pa/1.0: broken", "pb/1.0: added"}, lines); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
	remove(t, tr.Dir)
	write(t, tr.Dir, "a file")
	_, err := tr.Scan(t.Context())
	wantError(t, err, dkms.Unknown, tr.Dir+": cannot be read")
}

func TestSnapshotLookups(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	one, two := ref("pa", "1.0"), ref("pa", "2.0")
	install(t, tr, one, "alpha.ko")
	build(t, tr, two, "alpha.ko")
	s, err := tr.Scan(t.Context())
	must(t, err)
	if v, ok := s.Active("pa", kernel); v != "1.0" || !ok {
		t.Errorf("Active(pa) = %q, %v; want 1.0, true", v, ok)
	}
	if v, ok := s.Active("pb", kernel); ok {
		t.Errorf("Active(pb) = %q, %v; want none", v, ok)
	}
	for r, want := range map[dkms.Ref]dkms.State{one: dkms.Installed, two: dkms.Built, ref("pa", "3.0"): dkms.Absent} {
		if got := s.Ref(r); got.State != want || got.Ref != r {
			t.Errorf("Ref(%s) = %v; want %v", r, got, want)
		}
	}
	if p, ok := s.Find(one.Package); !ok || p.Source != tr.Source(one.Package) {
		t.Errorf("Find(%s) = %+v, %v; want its source", one.Package, p, ok)
	}
}

// TestWeak: weak-modules(8) links modules of one kernel into another's
// weak-updates.
func TestWeak(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	install(t, tr, ref("pa", "1.0"), "alpha.ko", "beta.ko")
	borrowed := filepath.Join(tr.InstallDir, "6.1.0-57-amd64/weak-updates")
	symlink(t, inUpdates(tr, "alpha.ko"), borrowed+"/updates/dkms/alpha.ko")
	symlink(t, inUpdates(tr, "beta.ko"), borrowed+"/updates/dkms/beta.ko")
	symlink(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/stock.ko"), borrowed+"/stock.ko")
	symlink(t, "/nowhere", borrowed+"/gamma.ko")
	want := []string{
		"pa/1.0, " + release + ", x86_64: installed",
		"pa, 1.0, 6.1.0-57-amd64, x86_64: installed-weak from " + release,
	}
	if d := cmp.Diff(want, statuses(t, tr, CompareOptions{})); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
}
