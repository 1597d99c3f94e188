package tree

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

func TestMarkStale(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	if why, ok := tr.MarkedStale(r); ok || why != "" {
		t.Errorf("MarkedStale() without a mark = %q, %v", why, ok)
	}
	write(t, tr.ModuleDir(r)+"/pa.ko", "")
	must(t, tr.MarkStale(r, "the kernel was replaced"))
	if why, ok := tr.MarkedStale(r); !ok || why != "the kernel was replaced" {
		t.Errorf("MarkedStale() = %q, %v", why, ok)
	}
	must(t, tr.Unbuild(r))
	if why, ok := tr.MarkedStale(r); ok {
		t.Errorf("MarkedStale() after Unbuild = %q; want the mark to go with what was built", why)
	}
}

func TestBuiltWith(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pb", "1.0")
	if with := tr.BuiltWith(r); with != nil {
		t.Errorf("BuiltWith() of nothing = %v", with)
	}
	write(t, tr.ModuleDir(r)+"/pb.ko", "")
	must(t, WriteDepends(tr.RefDir(r), []dkms.Package{{Name: "pa", Version: "1.0"}, {Name: "pc", Version: "2~1"}}))
	if diff := cmp.Diff(map[string]string{"pa": "1.0", "pc": "2~1"}, tr.BuiltWith(r)); diff != "" {
		t.Errorf("BuiltWith() (-want +got):\n%s", diff)
	}
	if got := read(t, tr.RefDir(r)+"/.dep_pa"); got != "1.0\n" {
		t.Errorf(".dep_pa = %q; want what dkms writes", got)
	}
}

func TestMarkRemoved(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, tr.MarkRemoved(release))
	if !tr.WasRemoved(release) || tr.WasRemoved("6.2") || !system.Exists(tr.Dir+"/.dkms-hook/removed/"+release) {
		t.Error("MarkRemoved left no mark, or one for all")
	}
	tr.MarkBack(release)
	tr.MarkBack(release)
	if tr.WasRemoved(release) {
		t.Error("WasRemoved() after MarkBack = true")
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	for release, w := range map[string]Waiting{
		"6.1": {Brings: "linux-headers-6.1", Names: "pa/1.0\npb/2"},
		"6.2": {Names: "pa/1.0"},
	} {
		must(t, tr.MarkWaiting(release, w))
		if got, ok := tr.Waiting(release); !ok || got != w {
			t.Errorf("Waiting(%s) = %+v, %v; want %+v", release, got, ok, w)
		}
	}
	if got := read(t, filepath.Join(tr.Dir, ".dkms-hook/waiting/6.1")); got != "linux-headers-6.1\npa/1.0\npb/2\n" {
		t.Errorf("the record = %q", got)
	}
	tr.ForgetWaiting("6.1")
	if diff := cmp.Diff([]string{"6.2"}, tr.WaitingReleases()); diff != "" {
		t.Errorf("WaitingReleases() (-want +got):\n%s", diff)
	}
	if got, ok := tr.Waiting("6.1"); ok {
		t.Errorf("Waiting() of what is forgotten = %+v", got)
	}
}

func TestTakeUpgrade(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	p := dkms.Package{Name: "pa", Version: "1.0"}
	must(t, tr.MarkUpgrade(p, "17 4711"))
	if got, ok := tr.TakeUpgrade(p); !ok || got != "17 4711" {
		t.Errorf("TakeUpgrade() = %q, %v", got, ok)
	}
	if got, ok := tr.TakeUpgrade(p); ok {
		t.Errorf("TakeUpgrade() twice = %q; want it taken once", got)
	}
}

func TestNewest(t *testing.T) {
	t.Parallel()
	state := func(name, version string) PackageState {
		return PackageState{Package: dkms.Package{Name: name, Version: version}, State: dkms.Added}
	}
	broken, retired := state("pa", "3"), state("pa", "4")
	broken.State, retired.Retired = dkms.Broken, &Retirement{}
	s := Snapshot{Packages: []PackageState{state("pa", "1.10"), state("pa", "1.9"), broken, retired, state("pb", "1")}}
	var got []string
	for _, p := range s.Newest() {
		got = append(got, p.String())
	}
	if diff := cmp.Diff([]string{"pa/1.10", "pb/1"}, got); diff != "" {
		t.Errorf("Newest() (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"pa": "1.10", "pb": "1", "pc": ""} {
		if p, ok := s.NewestOf(name); p.Version != want || ok != (want != "") {
			t.Errorf("NewestOf(%s) = %s, %v; want %q", name, p.Version, ok, want)
		}
	}
}
