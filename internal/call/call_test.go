package call

import (
	"errors"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

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
		got, err := tt.call.Spelled()
		if err != nil || got != tt.want {
			t.Errorf("%+v: Spelled() = %v, %v; want %v", tt.call, got, err, tt.want)
		}
	}
	for _, word := range []string{"../x/1", "a/b/c", "x/..", "x/\x01", "-x/1"} {
		c := Call{Operands: []string{word}}
		if got, err := c.Spelled(); dkms.KindOf(err) != dkms.Incomplete {
			t.Errorf("Spelled(%q) = %v, %v; want it refused", word, got, err)
		}
	}
	c := Call{Action: "remove", Operands: []string{"it87"}}
	if _, err := c.Exactly(); dkms.KindOf(err) != dkms.Incomplete {
		t.Errorf("Exactly() of a name without version = %v; want it refused", err)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	c := Call{Kernels: []string{"6.1", "6.2/i686", "6.1"}, Arches: []string{"x86_64"}}
	got, err := c.Targets()
	want := []dkms.KernelID{{Release: "6.1", Arch: "x86_64"}, {Release: "6.2", Arch: "i686"}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("Targets() = %v, %v; want %v", got, err, want)
	}
	for _, word := range []string{"../..", "", "6.1/../x", "6 1"} {
		c := Call{Kernels: []string{word}}
		var e *dkms.Error
		if got, err := c.Targets(); !errors.As(err, &e) {
			t.Errorf("Targets() of -k %q = %v, %v; want it refused", word, got, err)
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
		if got := tt.call.WantsKernel(id); got != tt.want {
			t.Errorf("%+v: WantsKernel(%v) = %v; want %v", tt.call, id, got, tt.want)
		}
	}
}
