package pkgfmt

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// TestDocs proves that the tables of docs/mkpkg-names.md are true.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/mkpkg-names.md")
	if err != nil {
		t.Fatal(err)
	}
	names, versions, found := strings.Cut(string(text), "## Versions")
	if !found {
		t.Fatal("no section Versions")
	}
	version := func(f Format) func(string) (string, error) {
		return func(s string) (string, error) {
			v, err := MapVersion(f, s)
			return v.String(), err
		}
	}
	checkTable(t, names, 7, DebName, RPMName)
	checkTable(t, versions, 18, version(Deb), version(RPM))
}

// checkTable compares each row with what the mappings return.
func checkTable(t *testing.T, text string, rows int, deb, rpm func(string) (string, error)) {
	t.Helper()
	for line := range strings.Lines(text) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || !strings.HasPrefix(line, "| `") {
			continue
		}
		rows--
		in := strings.Trim(cells[0], "|` ")
		for i, mapping := range []func(string) (string, error){deb, rpm} {
			got, err := mapping(in)
			if err != nil {
				got = "refused"
			}
			if want := strings.Trim(cells[i+1], "` "); got != want {
				t.Errorf("%q is %q, %v; the table says %q", in, got, err, want)
			}
		}
	}
	if rows != 0 {
		t.Errorf("%d rows are missing", rows)
	}
}

// TestMapVersionSense proves that what people mean by versions comes through.
func TestMapVersionSense(t *testing.T) {
	t.Parallel()
	pkgtest.Needs(t, "dpkg", "rpm")
	for _, rising := range []string{
		"0.9 1.0-alpha 1.0-alpha.1 1.0-beta2 1.0RC1 1.0-rc2 1.0 1.0-5-gabc1 1.0.10 v1.1-pre1 1.1",
		"1.0~git2024 1.0 1.0+git2024 1.0.1",
		"r9 r124 0.1 1.0a 1.0b 1.1",
		"20240101 20240102-1 20240102-2 1:1.0",
	} {
		var pairs []string
		in := strings.Fields(rising)
		for i := range in[1:] {
			a, errA := MapVersion(Deb, in[i])
			b, errB := MapVersion(Deb, in[i+1])
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			pairs = append(pairs, a.String()+" "+b.String())
		}
		for i, answer := range dpkgOrder(t, pairs, slices.Repeat([]string{"lt"}, len(pairs))) {
			if answer != "lt" {
				t.Errorf("%s, %s: %s is %s", in[i], in[i+1], pairs[i], answer)
			}
		}
	}
}
