package hooks

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		call Call
		want dkms.Kind // Unknown: nothing is wrong
	}{
		{"plain", Call{Action: "build"}, dkms.Unknown},
		{"kernel and all", Call{Action: "remove", All: true, Kernels: []string{"6.1"}}, dkms.Usage},
		{"arch and all", Call{Action: "remove", All: true, Arches: []string{"x86_64"}}, dkms.NotInTree},
		{"all of install", Call{Action: "install", All: true}, dkms.AllNotAllowed},
		{"all of unbuild", Call{Action: "unbuild", All: true}, dkms.Unknown},
		{"all of status", Call{Action: "status", All: true}, dkms.Unknown},
		{"two kernels for match", Call{Action: "match", TemplateKernel: "1", Kernels: []string{"2", "3"}}, dkms.OneActionOnly},
		{"no kernel for kernel_prerm", Call{Action: "kernel_prerm"}, dkms.OneActionOnly},
		{"two kernels for kernel_prerm", Call{Action: "kernel_prerm", Kernels: []string{"2", "3"}}, dkms.OneActionOnly},
		{"two kernels for autoinstall", Call{Action: "autoinstall", Kernels: []string{"2", "3"}}, dkms.OneActionOnly},
		{"no template", Call{Action: "match"}, dkms.Incomplete},
		{"template is target", Call{Action: "match", TemplateKernel: "2", Kernels: []string{"2"}}, dkms.Usage},
		{"fewer arches", Call{Action: "build", Kernels: []string{"1", "2", "3"}, Arches: []string{"a", "b"}}, dkms.Incomplete},
		{"more arches", Call{Action: "build", Kernels: []string{"1"}, Arches: []string{"a", "b"}}, dkms.Incomplete},
		{"one arch for all", Call{Action: "build", Kernels: []string{"1", "2"}, Arches: []string{"a"}}, dkms.Unknown},
		{"both onlys", Call{Action: "mktarball", SourceOnly: true, BinariesOnly: true}, dkms.ConfInvalid},
	} {
		a, ok := find(tt.call.Action)
		if !ok {
			t.Fatalf("%s: no action %q", tt.name, tt.call.Action)
		}
		err := tt.call.check(a)
		if got := dkms.KindOf(err); got != tt.want || (err != nil) != (tt.want != dkms.Unknown) {
			t.Errorf("%s: check() = %v (kind %d); want kind %d", tt.name, err, got, tt.want)
		}
	}
}

func TestSpelled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		call Call
		want dkms.Package
	}{
		{Call{Module: "it87", Version: "eol"}, dkms.Package{Name: "it87", Version: "eol"}},
		{Call{Module: "it87/eol"}, dkms.Package{Name: "it87", Version: "eol"}},
		{Call{Operands: []string{"it87/eol"}}, dkms.Package{Name: "it87", Version: "eol"}},
		{Call{Operands: []string{"it87"}, Version: "eol"}, dkms.Package{Name: "it87", Version: "eol"}},
		{Call{Module: "it87/old", Version: "eol"}, dkms.Package{Name: "it87", Version: "eol"}},
		{Call{Operands: []string{"it87"}}, dkms.Package{Name: "it87"}},
		{Call{}, dkms.Package{}},
	} {
		got, err := tt.call.spelled()
		if err != nil || got != tt.want {
			t.Errorf("%+v: spelled() = %v, %v; want %v", tt.call, got, err, tt.want)
		}
	}
	for _, word := range []string{"../x/1", "a/b/c", "x/..", "x/\x01", "-x/1"} {
		c := Call{Operands: []string{word}}
		if got, err := c.spelled(); dkms.KindOf(err) != dkms.Incomplete {
			t.Errorf("spelled(%q) = %v, %v; want it refused", word, got, err)
		}
	}
	c := Call{Action: "remove", Operands: []string{"it87"}}
	if _, err := c.exactly(); dkms.KindOf(err) != dkms.Incomplete {
		t.Errorf("exactly() of a name without version = %v; want it refused", err)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	c := Call{Kernels: []string{"6.1", "6.2/i686", "6.1"}, Arches: []string{"x86_64"}}
	got, err := c.targets()
	want := []dkms.KernelID{{Release: "6.1", Arch: "x86_64"}, {Release: "6.2", Arch: "i686"}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("targets() = %v, %v; want %v", got, err, want)
	}
	for _, word := range []string{"../..", "", "6.1/../x", "6 1"} {
		c := Call{Kernels: []string{word}}
		var e *dkms.Error
		if got, err := c.targets(); !errors.As(err, &e) {
			t.Errorf("targets() of -k %q = %v, %v; want it refused", word, got, err)
		}
	}
}

func TestWantsKernel(t *testing.T) {
	t.Parallel()
	id := dkms.KernelID{Release: "6.1", Arch: "x86_64"}
	for _, tt := range []struct {
		call Call
		want bool
	}{
		{Call{}, true},
		{Call{Kernels: []string{"6.1"}}, true},
		{Call{Kernels: []string{"6.2"}}, false},
		{Call{Kernels: []string{"6.2", "6.1/x86_64"}}, true},
		{Call{Kernels: []string{"6.1/i686"}}, false},
		{Call{Arches: []string{"i686"}}, false},
		{Call{Arches: []string{"x86_64"}}, true},
	} {
		if got := tt.call.wantsKernel(id); got != tt.want {
			t.Errorf("%+v: wantsKernel(%v) = %v; want %v", tt.call, id, got, tt.want)
		}
	}
}

// The page that people read lists the events that the program knows.
func TestEventsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1)
	var documented, known []string
	for _, row := range rows {
		documented = append(documented, row[1])
	}
	for _, e := range Events() {
		known = append(known, e.Name)
	}
	if !slices.Equal(documented, known) {
		t.Errorf("docs/events.md lists %q; want %q", documented, known)
	}
}
