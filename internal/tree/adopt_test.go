package tree

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// stockTree is a tree in which dkms has installed pa/1.0: alpha over an
// original, gamma in extra/.
func stockTree(t *testing.T) (tr Tree, r dkms.Ref, known []Placement) {
	t.Helper()
	tr, r = newTree(t), ref("pa", "1.0")
	write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/alpha.ko"), "original")
	build(t, tr, r, "alpha.ko", "gamma.ko")
	known = places(tr, r, "alpha.ko")
	known = append(known, Placement{From: "gamma.ko", To: filepath.Join(tr.KernelDir(release), "extra/gamma.ko")})
	must(t, commit(tr.Install(r, known, InstallOptions{})))
	asDKMS(t, tr, r)
	return tr, r, known
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		knows  bool
		change func(t *testing.T, tr Tree, r dkms.Ref)
		want   []string // installed, below the kernel's directory; + for one with stamps
	}{
		{"known", true, nil, []string{"+updates/dkms/alpha.ko", "+extra/gamma.ko"}},
		{"by name", false, nil, []string{"+updates/dkms/alpha.ko", "+extra/gamma.ko"}},
		{"signed since", true, func(t *testing.T, tr Tree, _ dkms.Ref) { write(t, inUpdates(tr, "alpha.ko"), "signed") },
			[]string{"updates/dkms/alpha.ko", "+extra/gamma.ko"}},
		{"lost since", true, func(t *testing.T, tr Tree, _ dkms.Ref) { remove(t, inUpdates(tr, "alpha.ko")) },
			[]string{"+extra/gamma.ko"}},
		{"a link", true, func(t *testing.T, tr Tree, r dkms.Ref) {
			remove(t, inUpdates(tr, "alpha.ko"))
			symlink(t, filepath.Join(tr.ModuleDir(r), "alpha.ko"), inUpdates(tr, "alpha.ko"))
		}, []string{"+updates/dkms/alpha.ko", "+extra/gamma.ko"}},
		{"built only", true, func(t *testing.T, tr Tree, r dkms.Ref) { remove(t, tr.ActiveLink(r.Name, r.KernelID)) }, nil},
		{"another version is active", true, func(t *testing.T, tr Tree, r dkms.Ref) { install(t, tr, ref("pa", "2.0"), "alpha.ko") }, nil},
		{"a damaged manifest", true, func(t *testing.T, tr Tree, r dkms.Ref) { write(t, tr.manifestPath(r), "{") },
			[]string{"+updates/dkms/alpha.ko", "+extra/gamma.ko"}},
		{"the kernel is gone", true, func(t *testing.T, tr Tree, r dkms.Ref) { remove(t, tr.KernelDir(release)) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr, r, known := stockTree(t)
			if tt.change != nil {
				tt.change(t, tr, r)
			}
			if !tt.knows {
				known = nil
			}
			dirs := CompareOptions{Dirs: []string{"/updates/dkms", "/extra"}}
			before, lines := look(t, tr), statuses(t, tr, dirs)
			conf := filepath.Join(tr.Source(r.Package), "dkms.conf")
			b := Built{Modules: []Module{{"alpha", "/updates/dkms"}, {"gamma", "/extra"}}, ConfFiles: []string{conf}, Fingerprint: "now"}
			must(t, tr.Adopt(r, b, known))

			delete(before, tr.manifestPath(r))
			after := look(t, tr)
			delete(after, tr.manifestPath(r))
			same(t, before, after)
			if d := cmp.Diff(lines, statuses(t, tr, dirs)); d != "" {
				t.Errorf("status (-before +after):\n%s", d)
			}
			m, err := tr.Manifest(r)
			must(t, err)
			if m.Fingerprint != "now" || len(m.Modules) != 2 || len(m.Conf) != 1 {
				t.Errorf("manifest = %+v; want what Built says", m)
			}
			if d := cmp.Diff(tt.want, installedOf(t, tr, m)); d != "" {
				t.Errorf("installed (-want +got):\n%s", d)
			}
		})
	}
}

// installedOf lists what a manifest says is installed, and checks it.
func installedOf(t *testing.T, tr Tree, m Manifest) []string {
	t.Helper()
	var got []string
	for _, f := range m.Installed {
		rel, err := filepath.Rel(tr.KernelDir(m.Release), f.Path)
		must(t, err)
		if f.Here != (Stamp{}) && f.Tree != (Stamp{}) {
			rel = "+" + rel
		}
		got = append(got, rel)
		if len(f.SHA256) != 64 || f.Link != isLink(f.Path) {
			t.Errorf("installed file = %+v; want a hash, and whether it is a link", f)
		}
	}
	return got
}

// TestAdoptEnds: what was adopted is removed by the manifest alone, and the
// original comes back.
func TestAdoptEnds(t *testing.T) {
	t.Parallel()
	tr, r, known := stockTree(t)
	must(t, tr.Adopt(r, Built{Fingerprint: "now"}, known))
	remove(t, tr.Source(r.Package))
	must(t, commit(tr.Uninstall(r, nil)))
	want := map[string]string{"kernel/drivers/misc/alpha.ko": "original"}
	if d := cmp.Diff(want, modules(t, tr)); d != "" {
		t.Errorf("/lib/modules (-want +got):\n%s", d)
	}
}

// TestAdoptKeepsInstalled: where a manifest knows what was installed, it is not
// asked of the disk.
func TestAdoptKeepsInstalled(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	before, err := tr.Manifest(r)
	must(t, err)
	must(t, tr.Adopt(r, Built{Modules: before.Modules, Fingerprint: "now"}, nil))
	after, err := tr.Manifest(r)
	must(t, err)
	if d := cmp.Diff(before.Installed, after.Installed); d != "" || after.Fingerprint != "now" {
		t.Errorf("fingerprint %q, installed (-before +after):\n%s", after.Fingerprint, d)
	}
}

// TestAdoptStampsHold: a change right after is seen, however fast.
func TestAdoptStampsHold(t *testing.T) {
	t.Parallel()
	tr, r, known := stockTree(t)
	modules := []Module{{"alpha", "/updates/dkms"}, {"gamma", "/extra"}}
	conf := []string{filepath.Join(tr.Source(r.Package), "dkms.conf")}
	must(t, tr.Adopt(r, Built{Modules: modules, ConfFiles: conf}, known))
	write(t, inUpdates(tr, "alpha.ko"), strings.ToUpper("pa 1.0 alpha.ko"))
	if got := statuses(t, tr, CompareOptions{})[0]; !strings.Contains(got, "Differences") {
		t.Errorf("status = %q; want it to differ", got)
	}
}

func TestAdoptNothing(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	add(t, tr, r.Package)
	before := treetest.Snapshot(t, tr.Dir)
	wantError(t, tr.Adopt(r, Built{}, nil), dkms.NotInTree, "pa/1.0/"+release+"/x86_64: is not built")
	same(t, before, treetest.Snapshot(t, tr.Dir))
}
