package srcpkg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// call is how a script is called, and what it does then.
type call struct {
	script string
	args   []string
	want   []string // calls of the engine
	status int      // where the engine does all that it is asked for
	failed int      // where what it is asked for fails
	said   string
}

const (
	registered = "dkms-hook [hook] [--] [package-postinst] [foo] [1.0]"
	retired    = "dkms-hook [retire] [-m] [foo] [-v] [1.0]"
	removed    = "dkms-hook [remove] [-m] [foo] [-v] [1.0] [--all]"
)

// ourCalls are all ways in which package managers call scripts, where dkms-hook
// is installed. A script that registers tells of failures; one that removes does
// so where a package manager can do something about it.
var ourCalls = map[pkgfmt.Format][]call{
	pkgfmt.Deb: {
		{script: "postinst", args: []string{"configure", ""}, want: []string{registered + " [] [] []"}, failed: 9},
		{script: "postinst", args: []string{"configure", "0.9-1"}, want: []string{registered + " [] [] [0.9-1]"}, failed: 9},
		{script: "postinst", args: []string{"abort-upgrade", "1.1"}, want: []string{registered}, failed: 9},
		{script: "postinst", args: []string{"abort-remove"}, want: []string{registered}, failed: 9},
		{script: "postinst", args: []string{"abort-remove", "in-favour", "bar", "1"}, want: []string{registered}, failed: 9},
		{script: "postinst", args: []string{"abort-deconfigure", "in-favour", "bar", "1", "removing", "baz", "2"}, want: []string{registered}, failed: 9},
		{script: "postinst", args: []string{"triggered", "some"}},
		{script: "prerm", args: []string{"upgrade", "1.1"}, want: []string{retired}},
		{script: "prerm", args: []string{"remove"}, want: []string{removed}, failed: 9},
		{script: "prerm", args: []string{"remove", "in-favour", "bar", "1"}, want: []string{removed}, failed: 9},
		{script: "prerm", args: []string{"deconfigure", "in-favour", "bar", "1"}, want: []string{removed}, failed: 9},
		{script: "prerm", args: []string{"failed-upgrade", "0.9", "1.0"}},
	},
	pkgfmt.RPM: {
		{script: "pre", args: []string{"1"}},
		{script: "pre", args: []string{"2"}},
		{script: "post", args: []string{"1"}, want: []string{"dkms-hook [register] [-m] [foo] [-v] [1.0]"}, failed: 9},
		{script: "post", args: []string{"2"}, want: []string{"dkms-hook [register] [-m] [foo] [-v] [1.0]"}, failed: 9},
		{script: "preun", args: []string{"1"}, want: []string{retired}},
		{script: "preun", args: []string{"2"}, want: []string{retired}},
		{script: "preun", args: []string{"0"}, want: []string{removed}},
		{script: "posttrans", args: []string{"1"}},
		{script: "posttrans", args: []string{"2"}},
	},
}

func TestCallsOurs(t *testing.T) {
	t.Parallel()
	for f, calls := range ourCalls {
		m := newMachine(t, f, "dkms-hook")
		p := m.packed("1.0", "", "", "")
		for _, fails := range []bool{false, true} {
			for _, c := range calls {
				want := c.status
				if fails {
					want = c.failed
				}
				status, said := m.run(p.Package, c.script, c.args...)
				if diff := cmp.Diff(c.want, m.calls()); diff != "" || status != want || said != "" {
					t.Errorf("%s %s %q, failing: %v: status %d, says %q; want %d, nothing; calls (-want +got):\n%s", f, c.script, c.args, fails, status, said, want, diff)
				}
			}
			m.write("fails", "", 0o644)
		}
	}
}

// TestCallsUnknown: what is not registered is neither retired nor removed.
func TestCallsUnknown(t *testing.T) {
	t.Parallel()
	for f, calls := range ourCalls {
		m := newMachine(t, f, "dkms-hook")
		m.write("unknown", "", 0o644)
		p := m.packed("1.0", "", "", "")
		for _, c := range calls {
			if !strings.HasPrefix(c.script, "pre") {
				continue
			}
			if status, said := m.run(p.Package, c.script, c.args...); status != 0 || said != "" || m.calls() != nil {
				t.Errorf("%s %s %q of what is not registered: status %d, says %q; want nothing", f, c.script, c.args, status, said)
			}
		}
	}
}

// TestNeither: without an engine a package is not installed without a word, and
// it can be removed.
func TestNeither(t *testing.T) {
	t.Parallel()
	const (
		none  = "foo 1.0: neither dkms-hook nor dkms is installed: no module is built\n"
		stays = "foo 1.0: neither dkms-hook nor dkms is installed: modules that were built stay\n"
	)
	for f, calls := range map[pkgfmt.Format][]call{
		pkgfmt.Deb: {
			{script: "postinst", args: []string{"configure", ""}, status: 1, said: none},
			{script: "postinst", args: []string{"configure", "0.9"}, status: 1, said: none},
			{script: "postinst", args: []string{"abort-upgrade", "1.1"}},
			{script: "prerm", args: []string{"upgrade", "1.1"}},
			{script: "prerm", args: []string{"remove"}, said: stays},
			{script: "prerm", args: []string{"deconfigure", "in-favour", "bar", "1"}, said: stays},
		},
		pkgfmt.RPM: {
			{script: "pre", args: []string{"1"}},
			{script: "pre", args: []string{"2"}},
			{script: "post", args: []string{"1"}, status: 1, said: none},
			{script: "post", args: []string{"2"}, status: 1, said: none},
			{script: "preun", args: []string{"1"}},
			{script: "preun", args: []string{"0"}, said: stays},
			{script: "posttrans", args: []string{"1"}},
		},
	} {
		m := newMachine(t, f, "none")
		p := m.packed("1.0", "", "", "")
		for _, c := range calls {
			if status, said := m.run(p.Package, c.script, c.args...); status != c.status || said != c.said {
				t.Errorf("%s %s %q: status %d, says %q; want %d, %q", f, c.script, c.args, status, said, c.status, c.said)
			}
		}
	}
}

// TestOddWords: the words of a dkms.conf are words in scripts, too.
func TestOddWords(t *testing.T) {
	t.Parallel()
	words, _ := odd()
	for f, script := range map[pkgfmt.Format][]string{pkgfmt.Deb: {"postinst", "configure", ""}, pkgfmt.RPM: {"post", "1"}} {
		m := newMachine(t, f, "dkms-hook")
		d := sample()
		d.DKMS.Name, d.DKMS.Version = words[0], words[1]
		status, said := m.run(composed(t, d, f), script[0], script[1:]...)
		got := strings.Join(m.calls(), "\n")
		if status != 0 || said != "" || !strings.Contains(got, "["+words[0]+"]") || !strings.Contains(got, "["+words[1]+"]") {
			t.Errorf("%s: status %d, says %q, calls %s", f, status, said, got)
		}
	}
}

// TestKeptRetired: what dkms has kept of an upgrade that went wrong goes with
// the rest when dkms-hook is here since.
func TestKeptRetired(t *testing.T) {
	t.Parallel()
	for f, c := range map[pkgfmt.Format]map[string][]string{
		pkgfmt.Deb: {"retire": {"prerm", "upgrade", "1.1"}, "remove": {"prerm", "remove"}},
		pkgfmt.RPM: {"retire": {"preun", "1"}, "remove": {"preun", "0"}},
	} {
		m := newMachine(t, f, "dkms-hook")
		m.write("var/lib/dkms/foo/0.9/.source/dkms.conf", "", 0o644)
		tree := filepath.Join(m.root, "var/lib/dkms/foo/0.9")
		if err := os.Symlink(tree+"/.source", tree+"/source"); err != nil {
			t.Fatal(err)
		}
		m.write("var/lib/dkms/foo/0.8/.source/dkms.conf", "", 0o644) // a rest, of no meaning
		p := m.packed("1.0", "", "", "")
		for verb, args := range c {
			m.run(p.Package, args[0], args[1:]...)
			got := strings.Join(m.calls(), "\n")
			if strings.Count(got, verb) != 2 || !strings.Contains(got, "["+verb+"] [-m] [foo] [-v] [0.9]") {
				t.Errorf("%s %q calls\n%s\nwant both versions to go", f, args, got)
			}
		}
	}
}
