package hooks

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		given call.Call
		want  dkms.Kind // Unknown: nothing is wrong
	}{
		{"plain", call.Call{Action: "build"}, dkms.Unknown},
		{"kernel and all", call.Call{Action: "remove", All: true, Kernels: []string{"6.1"}}, dkms.Usage},
		{"arch and all", call.Call{Action: "remove", All: true, Arches: []string{"x86_64"}}, dkms.NotInTree},
		{"all of install", call.Call{Action: "install", All: true}, dkms.AllNotAllowed},
		{"all of unbuild", call.Call{Action: "unbuild", All: true}, dkms.Unknown},
		{"all of status", call.Call{Action: "status", All: true}, dkms.Unknown},
		{"two kernels for match", call.Call{Action: "match", TemplateKernel: "1", Kernels: []string{"2", "3"}}, dkms.OneActionOnly},
		{"no kernel for kernel_prerm", call.Call{Action: "kernel_prerm"}, dkms.OneActionOnly},
		{"two kernels for kernel_prerm", call.Call{Action: "kernel_prerm", Kernels: []string{"2", "3"}}, dkms.OneActionOnly},
		{"two kernels for autoinstall", call.Call{Action: "autoinstall", Kernels: []string{"2", "3"}}, dkms.OneActionOnly},
		{"no template", call.Call{Action: "match"}, dkms.Incomplete},
		{"template is target", call.Call{Action: "match", TemplateKernel: "2", Kernels: []string{"2"}}, dkms.Usage},
		{"fewer arches", call.Call{Action: "build", Kernels: []string{"1", "2", "3"}, Arches: []string{"a", "b"}}, dkms.Incomplete},
		{"more arches", call.Call{Action: "build", Kernels: []string{"1"}, Arches: []string{"a", "b"}}, dkms.Incomplete},
		{"one arch for all", call.Call{Action: "build", Kernels: []string{"1", "2"}, Arches: []string{"a"}}, dkms.Unknown},
		{"JSON of status", call.Call{Action: "status", JSON: true}, dkms.Unknown},
		{"JSON of sync", call.Call{Action: "sync", JSON: true}, dkms.Usage},
		{"JSON of build", call.Call{Action: "build", JSON: true}, dkms.Usage},
		{"JSON of dkms's build", call.Call{Action: "build", JSON: true, Compatible: true}, dkms.Unknown},
		{"page of report", call.Call{Action: "report", HTML: "f"}, dkms.Unknown},
		{"page of status", call.Call{Action: "status", HTML: "f"}, dkms.Usage},
		{"page of dkms's status", call.Call{Action: "status", HTML: "f", Compatible: true}, dkms.Unknown},
		{"JSON and page", call.Call{Action: "report", JSON: true, HTML: "f"}, dkms.Usage},
		{"both onlys", call.Call{Action: "mktarball", SourceOnly: true, BinariesOnly: true}, dkms.ConfInvalid},
	} {
		a, ok := find(tt.given.Action)
		if !ok {
			t.Fatalf("%s: no action %q", tt.name, tt.given.Action)
		}
		err := a.check(tt.given)
		if got := dkms.KindOf(err); got != tt.want || (err != nil) != (tt.want != dkms.Unknown) {
			t.Errorf("%s: check() = %v (kind %d); want kind %d", tt.name, err, got, tt.want)
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
