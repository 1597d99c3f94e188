package registry_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/registry"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

var kernel = dkms.KernelID{Release: "6.1", Arch: "x86_64"}

func open(t *testing.T) (*registry.Registry, *machine.Machine, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	var said strings.Builder
	console := &report.Console{W: &said}
	m, err := machine.Open(t.Context(), machine.Options{DKMSTree: dir + "/dkms", SourceTree: dir + "/src", InstallTree: dir + "/modules"}, console)
	if err != nil {
		t.Fatal(err)
	}
	return registry.New(m, console, true), m, &said
}

// state is a package that is installed for kernel; marks are "retired" and "broken".
func state(name, version string, marks ...string) tree.PackageState {
	p := tree.PackageState{Package: dkms.Package{Name: name, Version: version}, State: dkms.Added}
	for _, mark := range marks {
		switch mark {
		case "retired":
			p.Retired = &tree.Retirement{}
		case "broken":
			p.State = dkms.Broken
		case "built":
			p.Refs = []tree.RefState{{Ref: dkms.Ref{Package: p.Package, KernelID: kernel}, State: dkms.Built}}
		case "installed":
			p.Refs = []tree.RefState{{Ref: dkms.Ref{Package: p.Package, KernelID: kernel}, State: dkms.Installed}}
		}
	}
	return p
}

func lines(targets []plan.Target) []string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Ref.String()+" "+t.Goal.String()+": "+t.Why)
	}
	return out
}

func TestUnwanted(t *testing.T) {
	t.Parallel()
	g, _, _ := open(t)
	for _, tt := range []struct {
		name string
		have []tree.PackageState
		gone []string
		want []string
	}{
		{"registered", []tree.PackageState{state("pa", "1", "installed")}, nil, nil},
		{"its kernel is gone", []tree.PackageState{state("pa", "1", "installed")}, []string{"6.1"}, []string{"pa/1/6.1/x86_64 added: kernel 6.1 is gone"}},
		{"retired, and nothing came", []tree.PackageState{state("pa", "1", "retired", "installed")}, nil,
			[]string{"pa/1/6.1/x86_64 added: its package has left it behind", "pa/1 absent: its package has left it behind"}},
		{"retired, and its successor is not installed yet", []tree.PackageState{state("pa", "1", "retired", "installed"), state("pa", "2")}, nil, nil},
		{"retired, and replaced", []tree.PackageState{state("pa", "1", "retired", "built"), state("pa", "2", "installed")}, nil,
			[]string{"pa/1/6.1/x86_64 added: another version took its place", "pa/1 absent: another version took its place"}},
		{"broken, and the newest", []tree.PackageState{state("pa", "2", "broken", "built"), state("pa", "1")}, nil, nil},
		{"broken, and a newer one is there", []tree.PackageState{state("pa", "1", "broken", "built"), state("pa", "2")}, nil,
			[]string{"pa/1/6.1/x86_64 added: another version took its place", "pa/1 absent: another version took its place"}},
	} {
		got := lines(g.Unwanted(t.Context(), tree.Snapshot{Packages: tt.have}, tt.gone))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Unwanted (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestLeftBehind(t *testing.T) {
	t.Parallel()
	g, _, _ := open(t)
	p := dkms.Package{Name: "pa", Version: "2"}
	have := tree.Snapshot{Packages: []tree.PackageState{state("pa", "1", "retired"), state("pa", "2"), state("pb", "1", "retired")}}
	if diff := cmp.Diff([]string{"pa/1 absent: pa/2 is being removed"}, lines(g.LeftBehind(have, p))); diff != "" {
		t.Errorf("LeftBehind (-want +got):\n%s", diff)
	}
	have.Packages = slices.Insert(have.Packages, 2, state("pa", "3"))
	if got := lines(g.LeftBehind(have, p)); got != nil {
		t.Errorf("LeftBehind with another version = %q; want it kept for that", got)
	}
}

// TestRevive takes a package that was retired for nothing back, on disk only
// when the run writes.
func TestRevive(t *testing.T) {
	t.Parallel()
	g, m, _ := open(t)
	p := dkms.Package{Name: "pa", Version: "1"}
	if err := os.MkdirAll(m.Tree.Source(p), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{m.Tree.Register(p, m.Tree.Source(p)), m.Tree.Retire(p, tree.Retirement{Why: "test"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ writing, stays bool }{{false, true}, {true, false}} {
		have, err := m.Tree.Scan(t.Context())
		if err == nil {
			err = g.Revive(t.Context(), &have, tt.writing)
		}
		if s, _ := have.Find(p); err != nil || s.Retired != nil {
			t.Errorf("Revive(writing %v) = %v, %+v; want it to count", tt.writing, err, s)
		}
		have, err = m.Tree.Scan(t.Context())
		if s, _ := have.Find(p); err != nil || (s.Retired != nil) != tt.stays {
			t.Errorf("after Revive(writing %v) the tree has %+v, %v; want retired: %v", tt.writing, s.Retired, err, tt.stays)
		}
	}
	have := tree.Snapshot{Packages: []tree.PackageState{state("pa", "1", "retired"), state("pa", "2"), state("pb", "1", "retired", "broken")}}
	if err := g.Revive(t.Context(), &have, false); err != nil || have.Packages[0].Retired == nil || have.Packages[2].Retired == nil {
		t.Errorf("Revive() = %v, %+v; want what is replaced, or has no source, to stay retired", err, have.Packages)
	}
}

// TestBack: who names a retired package has it built anew.
func TestBack(t *testing.T) {
	t.Parallel()
	g, m, _ := open(t)
	p := state("pa", "1", "installed")
	if err := os.MkdirAll(m.Tree.ModuleDir(p.Refs[0].Ref), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Tree.Retire(p.Package, tree.Retirement{}); err != nil {
		t.Fatal(err)
	}
	if err := g.Back(p); err != nil {
		t.Fatal(err)
	}
	if why, ok := m.Tree.MarkedStale(p.Refs[0].Ref); !ok || !strings.Contains(why, "added again") {
		t.Errorf("MarkedStale() = %q, %v; want what is built not to count", why, ok)
	}
	if left, _ := filepath.Glob(m.Tree.PackageDir(p.Package) + "/.retired*"); len(left) > 0 {
		t.Errorf("Back() left %q", left)
	}
}

func TestUpgraded(t *testing.T) {
	t.Parallel()
	g, m, _ := open(t)
	p := dkms.Package{Name: "pa", Version: "1"}
	if g.Upgraded(p) {
		t.Error("Upgraded() without a note = true")
	}
	if err := g.NoteUpgrade(p); err != nil {
		t.Fatal(err)
	}
	if !g.Upgraded(p) || g.Upgraded(p) {
		t.Error("Upgraded() in the same transaction is not true, once")
	}
	if err := m.Tree.MarkUpgrade(p, "1 0"); err != nil {
		t.Fatal(err)
	}
	if g.Upgraded(p) {
		t.Error("Upgraded() after another transaction's note = true")
	}
}

// TestRecordWaiting says what is new, and forgets what waits no more.
func TestRecordWaiting(t *testing.T) {
	t.Parallel()
	g, m, said := open(t)
	if err := os.MkdirAll(m.Tree.KernelDir("6.1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.Tree.KernelDir("6.1")+"/vmlinuz", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	waiting := map[dkms.KernelID][]string{kernel: {"pa/1", "pb/1"}}
	if err := m.Tree.MarkWaiting("6.1", tree.Waiting{Brings: "headers-6.1", Names: "pa/1"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ event, want string }{
		{"dpkg-triggered", "6.1: no kernel headers, so not built yet: pa/1, pb/1; they come with the package headers-6.1\n"},
		{"dpkg-triggered", ""}, // has been said
		{"boot", ""},
		{"", "6.1: no kernel headers, so not built yet: pa/1, pb/1; they come with the package headers-6.1\n"}, // a person asks
	} {
		said.Reset()
		g.RecordWaiting(t.Context(), waiting, tt.event)
		if got := said.String(); got != tt.want {
			t.Errorf("RecordWaiting(%q) said %q; want %q", tt.event, got, tt.want)
		}
	}
	if got := g.HeadersPackage(t.Context(), "6.1"); got != "headers-6.1" {
		t.Errorf("HeadersPackage() = %q; want what is recorded", got)
	}
	if err := os.RemoveAll(m.Tree.KernelDir("6.1")); err != nil {
		t.Fatal(err)
	}
	g, m2 := registryOf(t, m)
	g.RecordWaiting(t.Context(), nil, "boot")
	if w, ok := m2.Tree.Waiting("6.1"); ok {
		t.Errorf("Waiting() of a kernel that is gone = %+v", w)
	}
}

// registryOf is another run on the tree of m.
func registryOf(t *testing.T, m *machine.Machine) (*registry.Registry, *machine.Machine) {
	t.Helper()
	console := &report.Console{W: t.Output()}
	again, err := machine.Open(t.Context(), machine.Options{DKMSTree: m.Tree.Dir, SourceTree: m.Tree.SourceDir, InstallTree: m.Tree.InstallDir}, console)
	if err != nil {
		t.Fatal(err)
	}
	return registry.New(again, console, true), again
}
