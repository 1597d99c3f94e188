package want_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/internal/want"
)

var (
	withHeaders = dkms.KernelID{Release: "6.1", Arch: "x86_64"}
	without     = dkms.KernelID{Release: "6.2", Arch: "x86_64"}
)

// open returns a machine with two kernels and the packages whose dkms.conf confs
// hold, by NAME/VERSION.
func open(t *testing.T, confs map[string]string) (*machine.Machine, tree.Snapshot, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	var said strings.Builder
	m, err := machine.Open(t.Context(), machine.Options{DKMSTree: dir + "/dkms", SourceTree: dir + "/src", InstallTree: dir + "/modules", Declarative: true}, &report.Console{W: &said})
	if err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, m.Tree.KernelDir(withHeaders.Release)+"/build/include/config/auto.conf", "CONFIG_MODULES=y\n")
	treetest.Write(t, m.Tree.KernelDir(without.Release)+"/kernel/x.ko", "")
	for name, conf := range confs {
		p := pkg(name)
		treetest.Write(t, m.Tree.Source(p)+"/dkms.conf", "PACKAGE_NAME="+p.Name+"\nPACKAGE_VERSION="+p.Version+"\nBUILT_MODULE_NAME="+p.Name+"\nDEST_MODULE_LOCATION=/extra\n"+conf)
		if err := m.Tree.Register(p, m.Tree.Source(p)); err != nil {
			t.Fatal(err)
		}
	}
	have, err := m.Tree.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m, have, &said
}

func pkg(name string) dkms.Package {
	name, version, _ := strings.Cut(name, "/")
	return dkms.Package{Name: name, Version: version}
}

func maker(t *testing.T, m *machine.Machine, o want.Options) *want.Maker {
	t.Helper()
	o.Named = func() bool { return true }
	return want.New(m, &report.Console{W: t.Output()}, o)
}

func lines(targets []plan.Target) []string {
	var out []string
	for _, t := range targets {
		line := t.Ref.String() + " " + t.Goal.String()
		if t.NotReady != nil {
			line += ": " + string(t.NotReady.Reason)
		}
		out = append(out, line)
	}
	return out
}

func TestAll(t *testing.T) {
	t.Parallel()
	m, have, _ := open(t, map[string]string{
		"auto/1":     "AUTOINSTALL=yes\n",
		"auto/2":     "AUTOINSTALL=yes\n",
		"byhand/1":   "",
		"excluded/1": "AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL=^5\n",
		"invalid/1":  "AUTOINSTALL=yes\nDEST_MODULE_LOCATION=/etc\n",
	})
	ids := []dkms.KernelID{withHeaders, without}
	k := maker(t, m, want.Options{Declarative: true})
	if diff := cmp.Diff([]string{
		"auto/2/6.1/x86_64 installed",
		"auto/2/6.2/x86_64 installed: " + string(plan.PendingHeaders),
		"excluded/1/6.1/x86_64 installed: " + string(plan.ExcludedByRule),
		"excluded/1/6.2/x86_64 installed: " + string(plan.ExcludedByRule),
		"invalid/1/6.1/x86_64 installed: " + string(plan.InvalidConf),
		"invalid/1/6.2/x86_64 installed: " + string(plan.InvalidConf),
	}, lines(k.All(t.Context(), have, ids, "test"))); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
	kinds := map[string]dkms.Kind{}
	for ref, err := range k.Faults {
		kinds[ref.String()] = dkms.KindOf(err)
	}
	if diff := cmp.Diff(map[string]dkms.Kind{
		"auto/2/6.2/x86_64": dkms.HeadersMissing, "byhand/1/6.2/x86_64": dkms.HeadersMissing,
		"invalid/1/6.1/x86_64": dkms.ConfInvalid, "invalid/1/6.2/x86_64": dkms.ConfInvalid,
	}, kinds); diff != "" {
		t.Errorf("Faults: an exclusion is none (-want +got):\n%s", diff)
	}
	k = maker(t, m, want.Options{Declarative: true})
	k.Only = "excluded"
	if got := lines(k.All(t.Context(), have, ids[:1], "test")); len(got) != 1 || !strings.HasPrefix(got[0], "excluded/1/6.1") {
		t.Errorf("All() with Only = %q", got)
	}
}

// TestFailedBefore: what would fail again is not tried, unless somebody says so.
func TestFailedBefore(t *testing.T) {
	t.Parallel()
	m, have, _ := open(t, map[string]string{"auto/1": "AUTOINSTALL=yes\n"})
	ref := dkms.Ref{Package: pkg("auto/1"), KernelID: withHeaders}
	ids := []dkms.KernelID{withHeaders}
	maker(t, m, want.Options{}).All(t.Context(), have, ids, "test") // reads its dkms.conf
	inputs := m.InputsNow(t.Context(), ref)
	if inputs == "" {
		t.Fatal("InputsNow() is empty")
	}
	if err := m.Tree.RecordFailure(tree.Failure{Ref: ref, Step: "build", Problem: "make failed", Fingerprint: inputs}); err != nil {
		t.Fatal(err)
	}
	have, err := m.Tree.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		o      want.Options
		again  bool
		stops  bool
		faults int
	}{
		{"autoinstall", want.Options{}, false, false, 0},
		{"sync", want.Options{Declarative: true}, false, true, 1},
		{"an event", want.Options{Declarative: true, Tolerant: true}, false, true, 0},
		{"retry", want.Options{Declarative: true}, true, false, 0},
	} {
		k := maker(t, m, tt.o)
		k.Again = tt.again
		all := k.All(t.Context(), have, ids, "test")
		if len(all) != 1 || (all[0].NotReady != nil) != tt.stops || len(k.Faults) != tt.faults {
			t.Errorf("%s: All() = %q, faults %v; want it stopped: %v, %d faults", tt.name, lines(all), k.Faults, tt.stops, tt.faults)
		}
	}
}

func TestRequireDepends(t *testing.T) {
	t.Parallel()
	m, have, _ := open(t, nil)
	ref := dkms.Ref{Package: pkg("pb/1"), KernelID: withHeaders}
	there := have
	there.Packages = []tree.PackageState{{Package: pkg("pa/1"), Refs: []tree.RefState{{Ref: dkms.Ref{Package: pkg("pa/1"), KernelID: withHeaders}, State: dkms.Installed}}}}
	for _, tt := range []struct {
		name  string
		have  tree.Snapshot
		force bool
		stops bool
	}{
		{"missing", have, false, true},
		{"forced", have, true, false},
		{"there", there, false, false},
	} {
		k := maker(t, m, want.Options{})
		target := plan.Target{Ref: ref, Goal: dkms.Built, Depends: []string{"pa"}, Force: tt.force}
		k.RequireDepends(&target, tt.have)
		if (dkms.KindOf(k.Faults[ref]) == dkms.DependsMissing) != tt.stops || (target.NotReady != nil) != tt.stops {
			t.Errorf("%s: RequireDepends: %+v, faults %v; want it stopped: %v", tt.name, target.NotReady, k.Faults, tt.stops)
		}
	}
}

// TestDependents: what was built with another version is built again, without
// the --force that was said of that.
func TestDependents(t *testing.T) {
	t.Parallel()
	m, _, _ := open(t, map[string]string{"pa/2": "", "pb/1": "BUILD_DEPENDS=pa\nBUILD_DEPENDS_REBUILD=yes\n", "pc/1": ""})
	for _, name := range []string{"pb/1", "pc/1"} {
		r := dkms.Ref{Package: pkg(name), KernelID: withHeaders}
		treetest.Write(t, m.Tree.ModuleDir(r)+"/"+r.Name+".ko", "")
		if err := os.Symlink(filepath.Join(r.Version, r.Release, r.Arch), m.Tree.ActiveLink(r.Name, r.KernelID)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tree.WriteDepends(m.Tree.RefDir(dkms.Ref{Package: pkg("pb/1"), KernelID: withHeaders}), []dkms.Package{pkg("pa/1")}); err != nil {
		t.Fatal(err)
	}
	have, err := m.Tree.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := maker(t, m, want.Options{Force: true})
	targets := []plan.Target{{Ref: dkms.Ref{Package: pkg("pa/2"), KernelID: withHeaders}, Goal: dkms.Installed}}
	got := k.Dependents(t.Context(), targets, have)
	if len(got) != 1 || got[0].Ref.Package != pkg("pb/1") || got[0].Force || got[0].Why != "it was built with another pa" {
		t.Errorf("Dependents() = %+v; want pb/1, not forced", got)
	}
	targets[0].NotReady = &plan.Note{}
	if got := k.Dependents(t.Context(), targets, have); len(got) != 0 {
		t.Errorf("Dependents() of what will not come = %q", lines(got))
	}
}
