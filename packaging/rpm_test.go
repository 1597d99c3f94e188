package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/cavaliergopher/rpm"
	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// readRPM returns the header of the sample's RPM, and its payload.
func readRPM(t *testing.T, o product) (*rpm.Package, io.Reader) {
	t.Helper()
	all, err := made()
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(all[which{o.name, pkgfmt.RPM}])
	p, err := rpm.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := xz.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	return p, payload
}

func relations(list []rpm.Dependency) []string {
	var out []string
	for _, d := range list {
		s := d.Name()
		if d.Version() != "" {
			s += " " + map[int]string{rpm.DepFlagEqual: "=", rpm.DepFlagLesserOrEqual: "<="}[d.Flags()&0xe] + " " + d.Version()
			if d.Release() != "" {
				s += "-" + d.Release()
			}
		}
		out = append(out, s)
	}
	return out
}

func TestRPMRelations(t *testing.T) {
	t.Parallel()
	p, _ := readRPM(t, hook)
	if got, want := p.String(), "dkms-hook-1.2.3~git4.abc-1.x86_64"; got != want {
		t.Errorf("the package is %s; want %s", got, want)
	}
	if diff := cmp.Diff([]string{"dkms = 3.4.3", "/sbin/dkms", "dkms-hook = 1.2.3~git4.abc-1"}, relations(p.Provides())); diff != "" {
		t.Errorf("provides (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dkms"}, relations(p.Conflicts())); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	if len(p.Obsoletes()) > 0 {
		t.Errorf("obsoletes %v: nobody could go back to dkms", p.Obsoletes())
	}
	required := relations(p.Requires())
	for _, want := range []string{
		"kmod", "make", "gcc", "patch", "/bin/sh",
		"(kernel-devel-matched if kernel-core)", "(kernel-debug-devel-matched if kernel-debug-core)",
		"rpmlib(PayloadFilesHavePrefix) <= 4.0-1", "rpmlib(RichDependencies) <= 4.12.0-1", "rpmlib(PayloadIsXz) <= 5.2-1",
	} {
		if !slices.Contains(required, want) {
			t.Errorf("does not require %s, but %q", want, required)
		}
	}
}

// ownDirectories are those that only hold what a product brings; RPM has to be
// told of them, to remove them.
var ownDirectories = map[string][]string{
	"dkms-hook": {
		"40755 /usr/lib/dkms", "40755 /usr/share/doc/dkms-hook", "40755 /usr/share/doc/dkms-hook/examples", "40755 /usr/share/licenses/dkms-hook",
	},
	"dkms-mkpkg": {"40755 /usr/share/doc/dkms-mkpkg", "40755 /usr/share/licenses/dkms-mkpkg"},
}

func TestRPMFiles(t *testing.T) {
	t.Parallel()
	for _, o := range products {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			testRPMFiles(t, o)
		})
	}
}

func testRPMFiles(t *testing.T, o product) {
	t.Helper()
	p, payload := readRPM(t, o)
	want := slices.Clone(ownDirectories[o.name])
	types := map[pkgfmt.FileKind]fs.FileMode{pkgfmt.Directory: 0o040000, pkgfmt.Link: 0o120000}
	for _, f := range filesOf(t, o, pkgfmt.RPM) {
		kind := types[f.Kind]
		if kind == 0 {
			kind = 0o100000
		}
		want = append(want, fmt.Sprintf("%o %s", uint(kind|f.Mode), f.Path))
	}
	byPath := func(a, b string) int { return strings.Compare(strings.Fields(a)[1], strings.Fields(b)[1]) }
	slices.SortFunc(want, byPath)
	var got []string
	modes := p.Header.GetTag(1030).Int64Slice()
	for i, f := range p.Files() {
		if f.Owner() != "root" || f.Group() != "root" || !f.ModTime().Equal(sample().time) {
			t.Errorf("%s: belongs to %s:%s, of %v", f.Name(), f.Owner(), f.Group(), f.ModTime())
		}
		got = append(got, fmt.Sprintf("%o %s", uint16(modes[i]), f.Name()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of the RPM (-want +got):\n%s", diff)
	}
	r := cpio.NewReader(payload)
	for i := 0; ; i++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if i != len(want) {
				t.Errorf("%d files in the payload; want %d", i, len(want))
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		// Who unpacks it by hand must not write over the machine.
		if name := "." + p.Files()[i].Name(); h.Name != name {
			t.Errorf("the payload has %s; want %s", h.Name, name)
		}
	}
}

// Tags of transaction file triggers, rpmtag.h.
const (
	triggerScripts    = 5076
	triggerPrograms   = 5077
	triggerPrefixes   = 5079
	triggerIndex      = 5080
	triggerFlags      = 5082
	triggerPriorities = 5085
)

// TestRPMFileTriggers: once at the end of a transaction that has brought or
// taken kernels, headers or sources.
func TestRPMFileTriggers(t *testing.T) {
	t.Parallel()
	p, _ := readRPM(t, hook)
	prefixes := []string{"/usr/src", "/lib/modules", "/usr/lib/modules"}
	tag := func(n int) []string { return p.Header.GetTag(n).StringSlice() }
	if diff := cmp.Diff(slices.Concat(prefixes, prefixes), tag(triggerPrefixes)); diff != "" {
		t.Errorf("prefixes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/bin/sh", "/bin/sh"}, tag(triggerPrograms)); diff != "" {
		t.Errorf("interpreters (-want +got):\n%s", diff)
	}
	for _, got := range tag(triggerScripts) {
		if !strings.Contains(got, "dkms-hook hook -- rpm-trigger") {
			t.Errorf("script: %s", got)
		}
	}
	const in, postun = 1 << 16, 1 << 18
	for n, want := range map[int][]int64{
		triggerIndex:      {0, 0, 0, 1, 1, 1},
		triggerFlags:      {in, in, in, postun, postun, postun},
		triggerPriorities: {1000000, 1000000},
	} {
		if diff := cmp.Diff(want, p.Header.GetTag(n).Int64Slice()); diff != "" {
			t.Errorf("tag %d (-want +got):\n%s", n, diff)
		}
	}
}
