package tree

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// modules lists what lies below the kernel's directory, and what is in it.
func modules(t testing.TB, tr Tree) map[string]string {
	t.Helper()
	dir := tr.KernelDir(release)
	out := map[string]string{}
	for path := range treetest.Snapshot(t, dir) {
		info, err := os.Lstat(path)
		must(t, err)
		rel, _ := filepath.Rel(dir, path)
		switch {
		case rel == "kernel/drivers/misc/stock.ko" || info.IsDir():
		case info.Mode()&os.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			out[rel] = "-> " + strings.TrimPrefix(target, tr.Dir)
		default:
			out[rel] = read(t, path)
		}
	}
	return out
}

// TestOriginals: which module is set aside, as dkms 3.2.2 was watched doing,
// and that an uninstall puts it back.
func TestOriginals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		have []string // files of the kernel before
		kept []string // of those, what is set aside
		// replaced is installed over one of have
	}{
		{"at its destination", []string{"kernel/drivers/misc/alpha.ko"}, []string{"kernel/drivers/misc/alpha.ko"}},
		{"compressed", []string{"kernel/drivers/misc/alpha.ko.xz"}, []string{"kernel/drivers/misc/alpha.ko.xz"}},
		{"extra before updates before kernel", []string{"updates/alpha.ko", "extra/alpha.ko", "kernel/drivers/misc/alpha.ko", "kernel/net/alpha.ko"}, []string{"extra/alpha.ko"}},
		{"updates before kernel", []string{"updates/alpha.ko", "kernel/drivers/misc/alpha.ko"}, []string{"updates/alpha.ko"}},
		{"destination before others", []string{"kernel/a/alpha.ko", "kernel/drivers/misc/alpha.ko"}, []string{"kernel/drivers/misc/alpha.ko"}},
		{"anywhere", []string{"weird/alpha.ko", "kernel/drivers/misc/beta.ko.gz"}, []string{"weird/alpha.ko", "kernel/drivers/misc/beta.ko.gz"}},
		{"below extra", []string{"extra/sub/alpha.ko", "kernel/net/alpha.ko"}, []string{"extra/sub/alpha.ko"}},
		{"in the very place", []string{"updates/dkms/alpha.ko"}, []string{"updates/dkms/alpha.ko"}},
		{"in the place, compressed", []string{"updates/dkms/alpha.ko.xz"}, []string{"updates/dkms/alpha.ko.xz"}},
		{"another module", []string{"kernel/drivers/misc/alphabet.ko"}, nil},
		{"none", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			for _, f := range tt.have {
				write(t, filepath.Join(tr.KernelDir(release), f), "original "+f)
			}
			before := treetest.Snapshot(t, tr.InstallDir)
			r := ref("pa", "1.0")
			install(t, tr, r, "alpha.ko", "beta.ko")

			want := map[string]string{"updates/dkms/alpha.ko": "pa 1.0 alpha.ko", "updates/dkms/beta.ko": "pa 1.0 beta.ko"}
			for _, f := range tt.have {
				if _, over := want[f]; !over {
					want[f] = "original " + f
				}
			}
			for _, f := range tt.kept {
				if !strings.HasPrefix(want[f], "pa") {
					delete(want, f)
				}
				kept := filepath.Join(tr.OriginalDir("pa", kernel), filepath.Base(f))
				if got := read(t, kept); got != "original "+f {
					t.Errorf("%s holds %q; want the original", kept, got)
				}
				if got, want := read(t, kept+".origin"), filepath.Join(tr.KernelDir(release), f)+"\n"; got != want {
					t.Errorf("origin = %q; want %q", got, want)
				}
			}
			if d := cmp.Diff(want, modules(t, tr)); d != "" {
				t.Errorf("installed (-want +got):\n%s", d)
			}
			tx, err := tr.Uninstall(r, nil)
			must(t, err)
			must(t, tx.Commit())
			same(t, before, treetest.Snapshot(t, tr.InstallDir))
			if _, err := os.Lstat(filepath.Join(tr.Dir, "pa/original_module")); err == nil {
				t.Error("original_module is still there")
			}
		})
	}
}

// TestOriginalOvertaken: a kernel upgrade of the same release brought a newer
// module; the old one must not come back over it.
func TestOriginalOvertaken(t *testing.T) {
	t.Parallel()
	for _, newer := range []string{"alpha.ko", "alpha.ko.zst"} {
		t.Run(newer, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			misc := filepath.Join(tr.KernelDir(release), "kernel/drivers/misc")
			write(t, misc+"/alpha.ko", "original")
			r := ref("pa", "1.0")
			install(t, tr, r, "alpha.ko")
			write(t, filepath.Join(misc, newer), "newer")
			must(t, commit(tr.Uninstall(r, nil)))
			if d := cmp.Diff(map[string]string{"kernel/drivers/misc/" + newer: "newer"}, modules(t, tr)); d != "" {
				t.Errorf("after uninstall (-want +got):\n%s", d)
			}
		})
	}
}

// TestUpgrade: another version leaves nothing of the former one behind, and the
// original stays the kernel's.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, stock := range []bool{false, true} {
		tr := newTree(t)
		one, two := ref("pa", "1.0"), ref("pa", "2.0")
		write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/alpha.ko"), "original")
		install(t, tr, one, "alpha.ko", "beta.ko")
		if stock {
			asDKMS(t, tr, one)
		}
		write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/gamma.ko"), "the kernel's")
		install(t, tr, two, "alpha.ko", "gamma.ko")
		want := map[string]string{"updates/dkms/alpha.ko": "pa 2.0 alpha.ko", "updates/dkms/gamma.ko": "pa 2.0 gamma.ko",
			"kernel/drivers/misc/gamma.ko": "the kernel's"}
		if d := cmp.Diff(want, modules(t, tr)); d != "" {
			t.Errorf("stock %v: after the upgrade (-want +got):\n%s", stock, d)
		}
		lines := []string{"pa/1.0, " + release + ", x86_64: built (Original modules exist)", "pa/2.0, " + release + ", x86_64: installed (Original modules exist)"}
		if d := cmp.Diff(lines, statuses(t, tr, CompareOptions{})); d != "" {
			t.Errorf("stock %v: status (-want +got):\n%s", stock, d)
		}
		must(t, commit(tr.Uninstall(two, nil)))
		want = map[string]string{"kernel/drivers/misc/alpha.ko": "original", "kernel/drivers/misc/gamma.ko": "the kernel's"}
		if d := cmp.Diff(want, modules(t, tr)); d != "" {
			t.Errorf("stock %v: after uninstall (-want +got):\n%s", stock, d)
		}
	}
}

// TestSuffixChange: the kernel's modules are compressed now.
func TestSuffixChange(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	install(t, tr, ref("pa", "1.0"), "alpha.ko")
	install(t, tr, ref("pa", "2.0"), "alpha.ko.xz")
	if d := cmp.Diff(map[string]string{"updates/dkms/alpha.ko.xz": "pa 2.0 alpha.ko.xz"}, modules(t, tr)); d != "" {
		t.Errorf("installed (-want +got):\n%s", d)
	}
}

func TestSymlinkModules(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	build(t, tr, r, "alpha.ko")
	before := treetest.Snapshot(t, tr.InstallDir)
	must(t, commit(tr.Install(r, places(tr, r, "alpha.ko"), InstallOptions{Symlink: true})))
	want := map[string]string{"updates/dkms/alpha.ko": "-> /pa/1.0/" + release + "/x86_64/module/alpha.ko"}
	if d := cmp.Diff(want, modules(t, tr)); d != "" {
		t.Errorf("installed (-want +got):\n%s", d)
	}
	if got := statuses(t, tr, CompareOptions{})[0]; strings.Contains(got, "(") {
		t.Errorf("status = %q; want plain", got)
	}
	asDKMS(t, tr, r)
	must(t, commit(tr.Uninstall(r, nil)))
	same(t, before, treetest.Snapshot(t, tr.InstallDir))
}

func TestUndo(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios()[:6] {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			sc.setUp(t, tr)
			before := look(t, tr)
			tx := sc.open(t, tr)
			must(t, tx.Undo())
			must(t, tx.Undo())
			must(t, tx.Commit())
			same(t, before, look(t, tr))
			noRemnants(t, tr)
		})
	}
}

// open makes the scenario's change and returns it open.
func (sc scenario) open(t *testing.T, tr Tree) *Transaction {
	t.Helper()
	var tx *Transaction
	// Stopped by an error at Commit's journal, the change stays open: what a
	// caller whose depmod failed has in hand.
	journals := 0
	tr.step = func(name string) error {
		if strings.HasSuffix(name, " journal") {
			journals++
		}
		if journals == 2 {
			return os.ErrDeadlineExceeded
		}
		return nil
	}
	if err := sc.act(tr); err == nil {
		t.Fatal("was not stopped")
	}
	tr.step = nil
	paths, _ := filepath.Glob(tr.journalDir() + "/*.json")
	if len(paths) != 1 {
		t.Fatalf("%d journals; want 1", len(paths))
	}
	tx, err := tr.readJournal(paths[0])
	must(t, err)
	return tx
}

func TestInstallRefused(t *testing.T) {
	t.Parallel()
	r := ref("pa", "1.0")
	tests := []struct {
		name  string
		setUp func(t *testing.T, tr Tree)
		r     dkms.Ref
		list  func(tr Tree) []Placement
		kind  dkms.Kind
		text  string
	}{
		{"not built", func(t *testing.T, tr Tree) { add(t, tr, r.Package) }, r, func(tr Tree) []Placement { return places(tr, r, "alpha.ko") }, dkms.NotInTree, "is not built"},
		{"nothing", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko") }, r, func(Tree) []Placement { return nil }, dkms.NothingInstalled, "no module"},
		{"no kernel", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko"); remove(t, tr.KernelDir(release)) }, r, func(tr Tree) []Placement { return places(tr, r, "alpha.ko") }, dkms.NoModuleDir, "does not exist"},
		{"outside", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko") }, r, func(tr Tree) []Placement {
			return []Placement{{From: "alpha.ko", To: tr.KernelDir(release) + "/../alpha.ko"}}
		}, dkms.NothingInstalled, "outside"},
		{"from outside", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko") }, r, func(tr Tree) []Placement {
			return []Placement{{From: "../alpha.ko", To: inUpdates(tr, "alpha.ko")}}
		}, dkms.NothingInstalled, "outside"},
		{"twice", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko") }, r, func(tr Tree) []Placement { return places(tr, r, "alpha.ko", "alpha.ko") }, dkms.NothingInstalled, "two modules"},
		{"no such module", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko") }, r, func(tr Tree) []Placement { return places(tr, r, "beta.ko") }, dkms.ModuleNotProduced, "no module beta.ko"},
		{"a directory in the way", func(t *testing.T, tr Tree) {
			build(t, tr, r, "alpha.ko")
			must(t, os.MkdirAll(inUpdates(tr, "alpha.ko"), 0o755))
		}, r, func(tr Tree) []Placement { return places(tr, r, "alpha.ko") }, dkms.NothingInstalled, "is a directory"},
		{"a file in the way", func(t *testing.T, tr Tree) {
			build(t, tr, r, "alpha.ko")
			write(t, filepath.Dir(inUpdates(tr, "")), "")
		}, r, func(tr Tree) []Placement { return places(tr, r, "alpha.ko") }, dkms.Unknown, "install cannot be done"},
		{"unsafe name", func(*testing.T, Tree) {}, ref("../x", "1"), func(tr Tree) []Placement { return places(tr, r, "alpha.ko") }, dkms.Incomplete, "would leave"},
		{"unsafe release", func(*testing.T, Tree) {}, dkms.Ref{Package: r.Package, KernelID: dkms.KernelID{Release: "a b", Arch: arch}}, func(tr Tree) []Placement { return nil }, dkms.Incomplete, "kernel release"},
		{"reserved release", func(*testing.T, Tree) {}, dkms.Ref{Package: r.Package, KernelID: dkms.KernelID{Release: "source", Arch: arch}}, func(tr Tree) []Placement { return nil }, dkms.Incomplete, "for itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			tt.setUp(t, tr)
			before := look(t, tr)
			tx, err := tr.Install(tt.r, tt.list(tr), InstallOptions{})
			if tx != nil {
				t.Error("a transaction came with the error")
			}
			wantError(t, err, tt.kind, tt.text)
			same(t, before, look(t, tr))
		})
	}
}

// TestUninstall: what is removed, by whom it was installed, and what is there
// by then.
func TestUninstall(t *testing.T) {
	t.Parallel()
	r := ref("pa", "1.0")
	tests := []struct {
		name   string
		change func(t *testing.T, tr Tree)
		known  func(tr Tree) []Placement
		want   map[string]string
	}{
		{"as installed", func(*testing.T, Tree) {}, nil, map[string]string{}},
		{"altered by a person", func(t *testing.T, tr Tree) { write(t, inUpdates(tr, "alpha.ko"), "signed") }, nil, map[string]string{}},
		{"gone already", func(t *testing.T, tr Tree) { remove(t, inUpdates(tr, "alpha.ko")) }, nil, map[string]string{}},
		{"headers and source gone", func(t *testing.T, tr Tree) { remove(t, tr.Source(r.Package)) }, nil, map[string]string{}},
		{"kernel gone", func(t *testing.T, tr Tree) { remove(t, tr.KernelDir(release)) }, nil, map[string]string{}},
		{"somebody else's beside", func(t *testing.T, tr Tree) { write(t, inUpdates(tr, "other.ko"), "x") }, nil, map[string]string{"updates/dkms/other.ko": "x"}},
		{"dkms installed it", func(t *testing.T, tr Tree) { asDKMS(t, tr, r) }, nil, map[string]string{}},
		{"dkms installed it, altered", func(t *testing.T, tr Tree) { asDKMS(t, tr, r); write(t, inUpdates(tr, "alpha.ko"), "signed") }, nil, map[string]string{}},
		{"dkms installed it elsewhere", func(t *testing.T, tr Tree) {
			asDKMS(t, tr, r)
			must(t, os.Rename(inUpdates(tr, "alpha.ko"), filepath.Join(tr.KernelDir(release), "kernel/alpha.ko")))
		}, nil, map[string]string{}},
		{"dkms installed it, another of that name in kernel/", func(t *testing.T, tr Tree) {
			asDKMS(t, tr, r)
			write(t, filepath.Join(tr.KernelDir(release), "kernel/alpha.ko"), "the kernel's")
		}, nil, map[string]string{"kernel/alpha.ko": "the kernel's"}},
		{"dkms installed it, the place is known", func(t *testing.T, tr Tree) {
			asDKMS(t, tr, r)
			must(t, os.Rename(inUpdates(tr, "alpha.ko"), filepath.Join(tr.KernelDir(release), "odd.ko")))
		}, func(tr Tree) []Placement {
			return []Placement{{From: "alpha.ko", To: filepath.Join(tr.KernelDir(release), "odd.ko")}}
		}, map[string]string{}},
		{"manifest is garbage", func(t *testing.T, tr Tree) { write(t, tr.manifestPath(r), "{") }, nil, map[string]string{}},
		{"manifest leads out", func(t *testing.T, tr Tree) {
			write(t, tr.manifestPath(r), strings.ReplaceAll(read(t, tr.manifestPath(r)), inUpdates(tr, "alpha.ko"), "/etc/passwd"))
		}, nil, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			install(t, tr, r, "alpha.ko")
			tt.change(t, tr)
			var known []Placement
			if tt.known != nil {
				known = tt.known(tr)
			}
			must(t, commit(tr.Uninstall(r, known)))
			if d := cmp.Diff(tt.want, modules(t, tr)); d != "" {
				t.Errorf("after uninstall (-want +got):\n%s", d)
			}
			if _, err := os.Lstat(tr.ActiveLink("pa", kernel)); err == nil {
				t.Error("active link is still there")
			}
			if len(tt.want) == 0 && !strings.Contains(tt.name, "place") && !strings.Contains(tt.name, "elsewhere") {
				if _, err := os.Lstat(filepath.Join(tr.KernelDir(release), "updates")); err == nil {
					t.Error("emptied directories are still there")
				}
			}
			if _, err := os.Lstat(tr.ModuleDir(r)); err != nil {
				t.Errorf("built modules are gone: %v", err)
			}
			noRemnants(t, tr)
		})
	}
}

// TestUninstallKernelUpgrade: below kernel/ a file that is no longer ours
// belongs to the kernel package, which has brought it since.
func TestUninstallKernelUpgrade(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	build(t, tr, r, "alpha.ko", "beta.ko")
	misc := filepath.Join(tr.KernelDir(release), "kernel/drivers/misc")
	must(t, commit(tr.Install(r, []Placement{{From: "alpha.ko", To: misc + "/alpha.ko"}, {From: "beta.ko", To: misc + "/beta.ko"}}, InstallOptions{})))
	write(t, misc+"/alpha.ko", "the kernel's")
	must(t, commit(tr.Uninstall(r, nil)))
	if d := cmp.Diff(map[string]string{"kernel/drivers/misc/alpha.ko": "the kernel's"}, modules(t, tr)); d != "" {
		t.Errorf("after uninstall (-want +got):\n%s", d)
	}
}

func TestUninstallRefused(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	one, two := ref("pa", "1.0"), ref("pa", "2.0")
	install(t, tr, one, "alpha.ko")
	build(t, tr, two, "alpha.ko")
	before := look(t, tr)
	for _, r := range []dkms.Ref{two, ref("pb", "1.0")} {
		_, err := tr.Uninstall(r, nil)
		wantError(t, err, dkms.NotInTree, "is not installed")
	}
	_, err := tr.Uninstall(ref("pa", ".."), nil)
	wantError(t, err, dkms.Incomplete, "would leave")
	same(t, before, look(t, tr))
}

// TestRenamed: a package of another name takes the place of one that is retired.
func TestRenamed(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	old, renamed := ref("pa", "1.0"), ref("pb", "1.1")
	write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/alpha.ko"), "original")
	install(t, tr, old, "alpha.ko", "gamma.ko")
	must(t, tr.Retire(old.Package, Retirement{Why: "renamed"}))
	install(t, tr, renamed, "alpha.ko", "beta.ko")
	must(t, commit(tr.Uninstall(old, nil)))
	want := map[string]string{"updates/dkms/alpha.ko": "pb 1.1 alpha.ko", "updates/dkms/beta.ko": "pb 1.1 beta.ko", "kernel/drivers/misc/alpha.ko": "original"}
	if d := cmp.Diff(want, modules(t, tr)); d != "" {
		t.Errorf("after the renaming (-want +got):\n%s", d)
	}
	must(t, commit(tr.Uninstall(renamed, nil)))
	if d := cmp.Diff(map[string]string{"kernel/drivers/misc/alpha.ko": "original"}, modules(t, tr)); d != "" {
		t.Errorf("after its removal (-want +got):\n%s", d)
	}
}
