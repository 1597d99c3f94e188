package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

func pkg(text string) dkms.Package {
	name, version, _ := strings.Cut(text, "/")
	return dkms.Package{Name: name, Version: version}
}

func on(release string) dkms.KernelID { return dkms.KernelID{Release: release, Arch: "x86_64"} }

// The order was watched: DKMS 3.0.10 lists a tree that holds these like this.
func TestStatus(t *testing.T) {
	t.Parallel()
	rows := []report.Row{
		{Package: pkg("a/1"), State: dkms.Added},
		{Package: pkg("a/1.10"), State: dkms.Added},
		{Package: pkg("a/1.9"), State: dkms.Broken, Further: []report.Further{{State: report.BrokenSource}}},
		{Package: pkg("a-b/1"), State: dkms.Added},
		{Package: pkg("a.b/1"), State: dkms.Added},
		{Package: pkg("B/1"), State: dkms.Added},
		{Package: pkg("_z/1"), State: dkms.Added},
		{Package: pkg("b/9"), Kernel: on("6.1.0-9-amd64"), State: dkms.Installed, Originals: true, Differs: true},
		{Package: pkg("b/9"), Kernel: dkms.KernelID{Release: "6.1.0-9-amd64", Arch: "i686"}, State: dkms.Built},
		{Package: pkg("b/9"), Kernel: on("6.1.0-10-amd64"), State: dkms.Installed},
		{Package: pkg("b/9"), Kernel: on("6.1.0"), State: dkms.Built, Missing: true},
		{Package: pkg("b/9"), Kernel: on("6.1.0.1"), State: dkms.Built, Originals: true, Missing: true, Differs: true},
		{Package: pkg("b/9"), Kernel: on("6.1.0-9-cloud"), State: dkms.Installed, WeakFrom: "6.1.0-9-amd64"},
		{Package: pkg("b/9"), Kernel: on("6.2"), State: dkms.Added, Further: []report.Further{{State: report.Excluded}}},
		{Package: pkg("b/9a"), State: dkms.Added},
		{Package: pkg("b/10"), Kernel: on("6.1.0-9-amd64"), State: dkms.Built},
	}
	const want = `B/1: added
_z/1: added
a-b/1: added
a.b/1: added
a/1: added
a/1.10: added
a/1.9: broken
b/10, 6.1.0-9-amd64, x86_64: built
b/9, 6.1.0-10-amd64, x86_64: installed
b/9, 6.1.0-9-amd64, i686: built
b/9, 6.1.0-9-amd64, x86_64: installed (Original modules exist) (Differences between built and installed modules)
b, 9, 6.1.0-9-cloud, x86_64: installed-weak from 6.1.0-9-amd64
b/9, 6.1.0.1, x86_64: built (Original modules exist) (Built modules are missing in the kernel modules folder) (Differences between built and installed modules)
b/9, 6.1.0, x86_64: built (Built modules are missing in the kernel modules folder)
b/9a: added
`
	given := slices.Clone(rows)
	var b strings.Builder
	if err := report.Status(&b, rows); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(given, rows); diff != "" {
		t.Errorf("Status changed its argument:\n%s", diff)
	}
}

func TestStatusTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	rows := []report.Row{{Package: pkg("a/1"), State: dkms.Added, Further: []report.Further{{State: report.Stale}}}}
	for name, f := range map[string]func() error{
		"Status":        func() error { return report.Status(full{}, rows) },
		"StatusFurther": func() error { return report.StatusFurther(full{}, rows) },
		"StatusJSON":    func() error { return report.StatusJSON(full{}, rows) },
	} {
		if err := f(); !errors.Is(err, errFull) {
			t.Errorf("%s on a full disk = %v; want %v", name, err, errFull)
		}
	}
}

var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var moment = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func TestStatusFurther(t *testing.T) {
	t.Parallel()
	rows := []report.Row{
		{Package: pkg("it87/eol"), Kernel: on("6.1"), State: dkms.Installed, Further: []report.Further{
			{State: report.Stale, Reason: "the compiler changed"},
			{State: report.BuildFailed, Reason: "missing header: a.c:1: b.h", Log: "/tree/make.log", Since: moment},
		}},
		{Package: pkg("a/1"), State: dkms.Broken, Further: []report.Further{{State: report.BrokenSource, Reason: "its source link dangles"}}},
		{Package: pkg("a/2"), Kernel: on("6.1"), State: dkms.Added, Further: []report.Further{{State: report.PendingHeaders}}},
		{Package: pkg("a/3"), Kernel: on("6.1"), State: dkms.Added, Further: []report.Further{{State: report.PendingDepends, Reason: "b"}}},
		{Package: pkg("b/1"), State: dkms.Added},
	}
	const want = `a/1: broken: its source link dangles
a/2 for 6.1: waits for headers
a/3 for 6.1: waits for dependency: b
it87/eol for 6.1: stale: the compiler changed
it87/eol for 6.1: failed: missing header: a.c:1: b.h, since 2026-02-03 04:05
  log: /tree/make.log
`
	var b strings.Builder
	if err := report.StatusFurther(&b, rows); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("StatusFurther (-want +got):\n%s", diff)
	}
}

// The example in the documentation is what the program writes.
func TestStatusJSONIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/status-json.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(page)
	if example == nil {
		t.Fatal("docs/status-json.md has no example")
	}
	var b strings.Builder
	err = report.StatusJSON(&b, []report.Row{
		{Package: pkg("it87/eol"), Kernel: on("6.1.0-56-amd64"), State: dkms.Installed, Originals: true},
		{Package: pkg("it87/eol"), Kernel: on("6.12.0-1-amd64"), State: dkms.Added, Further: []report.Further{{
			State: report.BuildFailed, Reason: "kernel API change: it87.c:42: too few arguments",
			Log: "/var/lib/dkms/it87/eol/.log/6.12.0-1-amd64/x86_64/make.log", Since: moment,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(example[1]), b.String()); diff != "" {
		t.Errorf("docs/status-json.md (-page +program):\n%s", diff)
	}
	for _, f := range []report.FurtherState{
		report.PendingHeaders, report.PendingDepends, report.BuildFailed, report.Excluded, report.Stale, report.BrokenSource, report.InvalidConf,
	} {
		if !bytes.Contains(page, []byte("| `"+string(f)+"` |")) {
			t.Errorf("docs/status-json.md: %s is missing", f)
		}
	}
}

func TestStatusJSONPackages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rows []report.Row
		want string
	}{
		{"none", nil, `{"schema":1,"packages":[]}`},
		{"added and broken", []report.Row{
			{Package: pkg("b/1"), State: dkms.Broken, Further: []report.Further{{State: report.BrokenSource, Reason: "its source <link> dangles"}}},
			{Package: pkg("a/1"), State: dkms.Added},
		}, `{"schema":1,"packages":[
			{"name":"a","version":"1","state":"added","further":[],"kernels":[]},
			{"name":"b","version":"1","state":"broken","further":[{"state":"broken","reason":"its source <link> dangles"}],"kernels":[]}]}`},
		{"weak", []report.Row{{Package: pkg("a/1"), Kernel: on("6.2"), State: dkms.Installed, WeakFrom: "6.1"}},
			`{"schema":1,"packages":[{"name":"a","version":"1","state":"added","further":[],"kernels":[
			{"release":"6.2","arch":"x86_64","state":"installed-weak","originals":false,"missing":false,"differs":false,"weak_from":"6.1","further":[]}]}]}`},
		{"no such state", []report.Row{{Package: pkg("a/1"), State: 99}},
			`{"schema":1,"packages":[{"name":"a","version":"1","state":"unknown","further":[],"kernels":[]}]}`},
	} {
		var b bytes.Buffer
		if err := report.StatusJSON(&b, tt.rows); err != nil {
			t.Fatal(err)
		}
		var got, want bytes.Buffer
		if err := errors.Join(json.Compact(&got, b.Bytes()), json.Compact(&want, []byte(tt.want))); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("%s: StatusJSON (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The lines do not depend on the order of the rows, and none is lost.
func TestStatusProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) report.Row {
			word := rapid.StringMatching(`[ab.+_-]{1,3}`)
			return report.Row{
				Package: dkms.Package{Name: word.Draw(t, "name"), Version: word.Draw(t, "version")},
				Kernel:  on(word.Draw(t, "release")),
				State:   rapid.SampledFrom([]dkms.State{dkms.Built, dkms.Installed}).Draw(t, "state"),
			}
		}), 0, 8, func(r report.Row) dkms.Ref { return dkms.Ref{Package: r.Package, KernelID: r.Kernel} }).Draw(t, "rows")
		var a, b strings.Builder
		other := rapid.Permutation(rows).Draw(t, "other order")
		if err := errors.Join(report.Status(&a, rows), report.Status(&b, other)); err != nil {
			t.Fatal(err)
		}
		if a.String() != b.String() || strings.Count(a.String(), "\n") != len(rows) {
			t.Fatalf("one order:\n%sanother:\n%s", &a, &b)
		}
	})
}
