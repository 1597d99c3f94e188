package dkms_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestCompareRefs(t *testing.T) {
	t.Parallel()
	ref := func(name, version, release, arch string) dkms.Ref {
		return dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: dkms.KernelID{Release: release, Arch: arch}}
	}
	want := []dkms.Ref{
		ref("a", "1.09", "6.1.0-9", "x86_64"),
		ref("a", "1.9", "6.1.0-9", "x86_64"),
		ref("a", "1.9", "6.1.0-56", "i686"),
		ref("a", "1.9", "6.1.0-56", "x86_64"),
		ref("a", "1.10", "5.10.0", "x86_64"),
		ref("b", "1", "5.10.0", "x86_64"),
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, dkms.CompareRefs)
	if !slices.Equal(got, want) {
		t.Errorf("SortFunc(…, CompareRefs) = %v; want %v", got, want)
	}
}

// A sort needs a total order: nothing equal but equals, and no circles.
func TestComparePackagesIsAnOrder(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[0-2ab.]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		p := func(label string) dkms.Package { return dkms.Package{Name: "n", Version: word.Draw(t, label)} }
		a, b, c := p("a"), p("b"), p("c")
		if (dkms.ComparePackages(a, b) == 0) != (a == b) {
			t.Fatalf("ComparePackages(%q, %q) = %d", a, b, dkms.ComparePackages(a, b))
		}
		if dkms.ComparePackages(a, b) < 0 && dkms.ComparePackages(b, c) < 0 && dkms.ComparePackages(a, c) >= 0 {
			t.Fatalf("%q < %q < %q, but not %q < %q", a, b, c, a, c)
		}
	})
}
