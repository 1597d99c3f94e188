package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// open returns a machine with kernels: 6.1 whole, 6.2 without headers, 6.3 with
// headers only, 6.4 of which only an index is left; and the package pa/1.
func open(t *testing.T, o Options) (*Machine, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	var said strings.Builder
	o.DKMSTree, o.SourceTree, o.InstallTree = dir+"/dkms", dir+"/src", dir+"/modules"
	m, err := Open(t.Context(), o, &report.Console{W: &said})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"6.1/vmlinuz", "6.1/build/include/config/auto.conf", "6.2/vmlinuz", "6.2/modules.dep", "6.3/build/include/config/auto.conf", "6.4/modules.dep"} {
		treetest.Write(t, filepath.Join(o.InstallTree, path), "")
	}
	p := dkms.Package{Name: "pa", Version: "1"}
	treetest.Write(t, m.Tree.Source(p)+"/dkms.conf", "PACKAGE_NAME=pa\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=pa\nDEST_MODULE_LOCATION=/extra\nREMAKE_INITRD=yes\n")
	if err := m.Tree.Register(p, m.Tree.Source(p)); err != nil {
		t.Fatal(err)
	}
	return m, &said
}

func ref(t *testing.T, name, release string) dkms.Ref {
	t.Helper()
	arch, err := kbuild.HostArch()
	if err != nil {
		t.Fatal(err)
	}
	return dkms.Ref{Package: dkms.Package{Name: name, Version: "1"}, KernelID: dkms.KernelID{Release: release, Arch: arch}}
}

func releases(t *testing.T, ids []dkms.KernelID, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, id := range ids {
		out = append(out, id.Release)
	}
	return out
}

func TestKernels(t *testing.T) {
	t.Parallel()
	m, _ := open(t, Options{})
	for _, tt := range []struct {
		name string
		of   func() ([]dkms.KernelID, error)
		want []string
	}{
		{"WantedKernels", m.WantedKernels, []string{"6.1", "6.2", "6.3"}},
		{"Bootable", m.Bootable, []string{"6.1", "6.2"}},
	} {
		ids, err := tt.of()
		if diff := cmp.Diff(tt.want, releases(t, ids, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	m.Framework.AutoinstallAllKernels = false
	ids, err := m.WantedKernels()
	if diff := cmp.Diff([]string{"6.3"}, releases(t, ids, err)); diff != "" {
		t.Errorf("WantedKernels, the newest only (-want +got):\n%s", diff)
	}
	for _, release := range []string{"6.1", "6.2"} {
		if err := m.Tree.MarkRemoved(release); err != nil {
			t.Fatal(err)
		}
	}
	ids, err = m.Bootable()
	if diff := cmp.Diff([]string{"6.3"}, releases(t, ids, err)); diff != "" {
		t.Errorf("Bootable where no image is left (-want +got):\n%s", diff)
	}
}

func TestGoneKernels(t *testing.T) {
	t.Parallel()
	m, _ := open(t, Options{})
	have := tree.Snapshot{Packages: []tree.PackageState{{
		Refs: []tree.RefState{
			{Ref: ref(t, "pa", "6.1"), State: dkms.Installed},
			{Ref: ref(t, "pa", "6.4"), State: dkms.Installed},
			{Ref: ref(t, "pa", "6.9"), State: dkms.Built}, // never was here
		},
		Failures: []tree.Failure{{Ref: ref(t, "pa", "6.4")}},
	}}}
	gone, err := m.GoneKernels(have)
	if diff := cmp.Diff([]string{"6.4"}, gone); err != nil || diff != "" {
		t.Errorf("GoneKernels, %v (-want +got):\n%s", err, diff)
	}
}

// TestRecipe: a dkms.conf is read once for a kernel, and its warnings are said
// once, to those who may mend it.
func TestRecipe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		o          Options
		registered bool
		warns      int
	}{
		{"who adds it", Options{}, false, 1},
		{"who builds it", Options{}, true, 0},
		{"a package's script", Options{Unattended: true}, false, 0},
		{"who wants to know", Options{Unattended: true, Verbose: true}, true, 1},
	} {
		m, said := open(t, tt.o)
		r := ref(t, "pa", "6.1")
		c := m.Candidate(r.Package, m.Tree.Source(r.Package), tt.registered)
		for _, release := range []string{"6.1", "6.3", "6.1"} {
			k, err := m.Kernel(dkms.KernelID{Release: release, Arch: r.Arch})
			if err != nil {
				t.Fatal(err)
			}
			if recipe, err := m.Recipe(t.Context(), c, k); err != nil || recipe.Release != release {
				t.Fatalf("%s: Recipe() = %+v, %v", tt.name, recipe, err)
			}
		}
		if got := strings.Count(said.String(), "REMAKE_INITRD"); got != tt.warns {
			t.Errorf("%s: %d warnings; want %d:\n%s", tt.name, got, tt.warns, said)
		}
		if _, ok := m.Known(r); !ok {
			t.Errorf("%s: Known() = false", tt.name)
		}
	}
}

func TestStaleness(t *testing.T) {
	t.Parallel()
	for _, declarative := range []bool{true, false} {
		m, _ := open(t, Options{Declarative: declarative})
		r := ref(t, "pa", "6.1")
		f, err := m.Fingerprint(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		recipe, _ := m.Known(r)
		stage := t.TempDir() + "/stage"
		treetest.Write(t, stage+"/module/pa.ko", "")
		if err := os.MkdirAll(m.Tree.PackageDir(r.Package), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := m.Tree.Publish(r, stage, m.Built(r, recipe, f)); err != nil {
			t.Fatal(err)
		}
		if why := m.Staleness(t.Context(), tree.RefState{Ref: r}); why != "" {
			t.Errorf("Staleness() of what was just built = %q", why)
		}
		treetest.Write(t, m.Tree.Source(r.Package)+"/pa.c", "int x;\n")
		later, err := Open(t.Context(), Options{
			DKMSTree: m.Tree.Dir, SourceTree: m.Tree.SourceDir, InstallTree: m.Tree.InstallDir, Declarative: declarative,
		}, &report.Console{W: t.Output()})
		if err != nil {
			t.Fatal(err)
		}
		have := scan(t, later)
		if err := later.Tree.Compare(t.Context(), &have, later.Comparison(t.Context())); err != nil {
			t.Fatal(err)
		}
		for _, s := range []tree.RefState{{Ref: r}, have.Ref(r)} {
			if why := later.Staleness(t.Context(), s); (why != "") != declarative {
				t.Errorf("Staleness() after a change, declarative %v, compared %v = %q", declarative, s.Fingerprint != "", why)
			}
		}
		if err := m.Tree.MarkStale(r, "the kernel was replaced"); err != nil {
			t.Fatal(err)
		}
		if why := later.Staleness(t.Context(), tree.RefState{Ref: r}); why != "the kernel was replaced" {
			t.Errorf("Staleness() of what is marked = %q", why)
		}
	}
}
