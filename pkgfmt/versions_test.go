package pkgfmt

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// versions are those that people gave to modules, and what becomes of them; an
// empty deb is a refusal, and an empty rpm the same as deb.
var versions = []struct{ in, deb, rpm string }{
	{"0.12.7", "0.12.7", ""},
	{"v1.2", "1.2", ""},
	{"V1.2", "1.2", ""},
	{"1.0-rc1", "1.0~rc1", ""},
	{"1.0rc1", "1.0~rc1", ""},
	{"1.0-RC.1", "1.0~rc1", ""},
	{"1.0_beta2", "1.0~beta2", ""},
	{"1.0.0-alpha.1", "1.0.0~alpha1", ""},
	{"1.0~rc1", "1.0~rc1", ""},
	{"1.0~~rc1", "1.0~~rc1", ""},
	{"1.0-rc0", "1.0~rc", ""},
	{"1.0-rc0.1", "1.0~rc0.1", ""},
	{"2.9.11~20110321", "2.9.11~20110321", "2.9.11~~20110321"},
	{"1.0-2", "1.0.2", ""},
	{"1.0_2", "1.0.2", ""},
	{"0.7+5.3", "0.7.5.3", ""},
	{"1.0^2", "1.0.2", ""},
	{"1..0-", "1.0", ""},
	{"1.0a", "1.0+a", ""},
	{"1.0+dfsg", "1.0+dfsg", ""},
	{"1.0+git20240101", "1.0+git20240101", ""},
	{"1.0+git20240101.abc", "1.0+git20240101abc", ""},
	{"9.013.02-NAPI", "9.013.02+NAPI", ""},
	{"4.4.4-rtl8812au_24109.20200421", "4.4.4+rtl8812au24109.20200421", ""},
	{"v5.13.6-23-g1234abc-dirty", "5.13.6.23+g1234abcdirty", ""},
	{"1.0-rc1-5-gabc1", "1.0~rc1.5+gabc1", ""},
	{"1.0-foo-bar", "1.0+foobar", ""},
	{"1.0-foo-rc1", "1.0+foo~rc1", ""},
	{"r124", "0+r124", ""},
	{"beta2", "0~beta2", ""},
	{"20240101", "20240101", ""},
	{"535.183.01", "535.183.01", ""},
	{"1:2.0", "1:2.0", ""},
	{"0:2.0", "2.0", ""},
	{"2147483647:v2", "2147483647:2", ""},
	{"", "", ""}, {"v", "", ""}, {"master", "", ""}, {"~1", "", ""}, {"1~", "", ""}, {"-~-1", "", ""}, {"1.0~-", "", ""},
	{"1 0", "", ""}, {"1/2", "", ""}, {"#MODULE_VERSION#", "", ""}, {"1.0é", "", ""}, {"1\n", "", ""}, {"1.0(2)", "", ""},
	{":1", "", ""}, {"a:1", "", ""}, {"1:2:3", "", ""}, {"1:", "", ""}, {"2147483648:1", "", ""}, {"-1:1", "", ""}, {"99999999999999999999:1", "", ""},
	{strings.Repeat("1", 129), "", ""},
}

func TestMapVersion(t *testing.T) {
	t.Parallel()
	for _, tt := range versions {
		if tt.rpm == "" {
			tt.rpm = tt.deb
		}
		for f, want := range map[Format]string{Deb: tt.deb, RPM: tt.rpm, SourceRPM: tt.rpm} {
			got, err := MapVersion(f, tt.in)
			if got.String() != want || (err == nil) != (want != "") {
				t.Errorf("MapVersion(%s, %q) = %q, %v; want %q", f, tt.in, got, err, want)
			}
			if err != nil {
				checkRefusal(t, err)
			}
		}
	}
}

// drawVersion draws strings of what versions are made of.
func drawVersion(t *rapid.T) string {
	piece := rapid.SampledFrom([]string{"0", "00", "1", "2", "10", "09", "a", "b", "rc", "RC", "beta", "pre", "view", "git", "g", "Z",
		".", ".", "-", "_", "+", "~", "~", "~~", "^", "v", "..", "-~"})
	return rapid.SampledFrom([]string{"1", "1.0", "v0", "0", "a1", ""}).Draw(t, "head") + strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
}

// TestMapVersionTwice proves that what was mapped is mapped to itself, and is
// what the formats allow.
func TestMapVersionTwice(t *testing.T) {
	t.Parallel()
	deb, rpm := regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`), regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`)
	rapid.Check(t, func(t *rapid.T) {
		in := drawVersion(t)
		d, errDeb := MapVersion(Deb, in)
		r, errRPM := MapVersion(RPM, in)
		if (errDeb == nil) != (errRPM == nil) {
			t.Fatalf("MapVersion(%q): deb: %v, rpm: %v; want the same", in, errDeb, errRPM)
		}
		if errDeb != nil {
			return
		}
		if !deb.MatchString(d.Upstream) || !rpm.MatchString(r.Upstream) || strings.Contains(d.Upstream+r.Upstream, "..") {
			t.Errorf("MapVersion(%q) = %q, %q", in, d.Upstream, r.Upstream)
		}
		if again, err := MapVersion(Deb, d.Upstream); err != nil || again != d {
			t.Errorf("MapVersion(deb, %q) = %q, %v; want it as it is", d.Upstream, again, err)
		}
	})
}

// TestMapVersionOrder proves that dpkg and rpm order mapped versions the same
// way, whatever they were.
func TestMapVersionOrder(t *testing.T) {
	t.Parallel()
	pkgtest.Needs(t, "dpkg", "rpm")
	n := 1000
	if testing.Short() {
		n = 300
	}
	var debs, rpms, ins []string
	mapped := func(in string) (string, string, bool) {
		d, err := MapVersion(Deb, in)
		if err != nil {
			return "", "", false
		}
		r, err := MapVersion(RPM, in)
		return d.Upstream, r.Upstream, err == nil
	}
	add := func(a, b string) {
		da, ra, ok := mapped(a)
		db, rb, ok2 := mapped(b)
		if ok && ok2 && a != b {
			debs, rpms, ins = append(debs, da+" "+db), append(rpms, ra+" "+rb), append(ins, fmt.Sprintf("%q, %q", a, b))
		}
	}
	for _, a := range versions {
		for _, b := range versions {
			if a.in < b.in && !strings.Contains(a.in+b.in, ":") {
				add(a.in, b.in)
			}
		}
	}
	one := rapid.Custom(drawVersion)
	for i := range n {
		add(one.Example(2*i), one.Example(2*i+1))
	}
	near := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		a := one.Example(i)
		add(a, mutate(a, near))
	}
	r := rpmOrder(t, rpms)
	d := dpkgOrder(t, debs, r)
	for i := range ins {
		if d[i] != r[i] {
			t.Errorf("%s: dpkg says %q of %q, rpm %q of %q", ins[i], d[i], debs[i], r[i], rpms[i])
		}
	}
	t.Logf("%d pairs", len(ins))
}

// mutate puts something into a version, or takes something out of it.
func mutate(s string, r *rand.Rand) string {
	bits := []string{"", "0", "1", "a", "z", "rc", "~", ".", "+", "-", ".0", "+a", "~1"}
	if s == "" {
		return "1"
	}
	i := r.IntN(len(s) + 1)
	j := min(len(s), i+r.IntN(3))
	return s[:i] + bits[r.IntN(len(bits))] + s[j:]
}

// dpkgOrder asks dpkg of each pair whether it is lt, eq or gt; what is expected
// first, for dpkg says only yes or no.
func dpkgOrder(t *testing.T, pairs, expected []string) []string {
	t.Helper()
	asked := make([]string, len(pairs))
	for i, pair := range pairs {
		asked[i] = pair + " " + expected[i]
	}
	cmd := exec.Command("sh", "-c", `while read a b expected; do
for order in $expected lt eq gt none; do if dpkg --compare-versions "$a" $order "$b"; then break; fi; done; echo $order; done`)
	return answers(t, cmd, asked)
}

// rpmOrder asks rpm.
func rpmOrder(t *testing.T, pairs []string) []string {
	t.Helper()
	cmd := exec.Command("rpm", "--eval", `%{lua: for l in io.stdin:lines() do local a, b = l:match("(%S+) (%S+)"); local c = rpm.vercmp(a, b); print(c < 0 and "lt\n" or c > 0 and "gt\n" or "eq\n") end}`)
	return answers(t, cmd, pairs)
}

func answers(t *testing.T, cmd *exec.Cmd, pairs []string) []string {
	t.Helper()
	cmd.Stdin = strings.NewReader(strings.Join(pairs, "\n") + "\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args[0], err, stderr.Bytes())
	}
	words := strings.Fields(string(out))
	if len(words) != len(pairs) {
		t.Fatalf("%s answered %d of %d\n%s", cmd.Args[0], len(words), len(pairs), stderr.Bytes())
	}
	return words
}
