package pkgmgr

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// life has dpkg run every kind of maintainer script there is, each of which
// runs body with its own name and arguments, and returns what the helper
// logged.
func life(t *testing.T, r dpkgRoot, body string) []callerLogged {
	t.Helper()
	script := func(name, before string) string {
		return before + strings.NewReplacer("HELPER", r.in("/helper"), "LOG", r.in("/log"), "NAME", name).Replace(body)
	}
	foo := func(version, prermBefore string) string {
		scripts := map[string]string{"prerm": script("prerm", prermBefore)}
		for _, name := range []string{"preinst", "postinst", "postrm"} {
			scripts[name] = script(name, "")
		}
		return deb{name: "foo-dkms", version: version, scripts: scripts}.build(t)
	}
	env := []string{helperEnv + "=caller"}
	bar := deb{name: "bar", version: "1", control: "Breaks: foo-dkms (<< 9)\n"}.build(t)
	for _, step := range [][]string{
		{"-i", foo("1", "")},
		{"-i", foo("2", "[ \"$1\" != upgrade ] || exit 1\n")},
		{"-i", foo("3", "")},
		{"--auto-deconfigure", "--unpack", bar},
		{"--remove", "bar"},
		{"--configure", "foo-dkms"},
		{"--remove", "foo-dkms"},
		{"--purge", "foo-dkms"},
	} {
		if !r.dpkg(t, env, step...) {
			t.Fatalf("dpkg %v failed", step)
		}
	}
	return logged(t, filepath.Join(r.dir, "log"))
}

func logged(t *testing.T, path string) (all []callerLogged) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var one callerLogged
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// checkKinds makes sure that the life was a full one: a verb that never came
// would be a test that cannot fail.
func checkKinds(t *testing.T, all []callerLogged) {
	t.Helper()
	var kinds []string
	for _, one := range all {
		if len(one.Truth) > 1 {
			kinds = append(kinds, one.Truth[0]+" "+one.Truth[1])
		}
	}
	slices.Sort(kinds)
	want := []string{
		"postinst configure", "postrm purge", "postrm remove", "postrm upgrade", "preinst install", "preinst upgrade",
		"prerm deconfigure", "prerm failed-upgrade", "prerm remove", "prerm upgrade",
	}
	if diff := cmp.Diff(want, slices.Compact(kinds)); diff != "" {
		t.Fatalf("scripts that dpkg ran (-want +got):\n%s", diff)
	}
}

// truth is what Caller should have returned, knowing all.
func truth(args []string) Script {
	s := Script{Manager: Dpkg, Package: "foo-dkms", Name: args[0], Verb: args[1]}
	if s.Args = args[2:]; len(s.Args) == 0 {
		s.Args = nil
	}
	return s
}

func isReplacing(args []string) bool {
	return args[0] == "prerm" && args[1] != "remove"
}

func TestCallerDpkg(t *testing.T) {
	t.Parallel()
	// Between us and the script stand other programs, as in life.
	for name, body := range map[string]string{
		"called":  "HELPER LOG NAME \"$@\"\n:\n",
		"below":   "/bin/sh -c '/bin/sh -c \"\\\"\\$@\\\"; :\" - \"$@\"; :' - HELPER LOG NAME \"$@\"\n:\n",
		"a child": "(HELPER LOG NAME \"$@\"; :) & wait\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := life(t, newDpkgRoot(t, false), body)
			checkKinds(t, all)
			for _, one := range all {
				if len(one.Script.Args) == 0 {
					one.Script.Args = nil
				}
				if diff := cmp.Diff(truth(one.Truth), one.Script); diff != "" {
					t.Errorf("Caller in %q (-want +got):\n%s", one.Truth, diff)
				}
				if one.Replacing != isReplacing(one.Truth) {
					t.Errorf("Replacing in %q = %v", one.Truth, one.Replacing)
				}
			}
		})
	}
}

// TestCallerByDatabase has no command line to read: in a chroot without /proc,
// and where the script is no more because it exec(2)ed us.
func TestCallerByDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		chroot bool
		body   string
	}{
		"no proc": {true, "HELPER LOG NAME \"$@\"\n:\n"},
		"exec":    {false, "exec HELPER LOG NAME \"$@\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := life(t, newDpkgRoot(t, c.chroot), c.body)
			checkKinds(t, all)
			for _, one := range all {
				want := Script{Manager: Dpkg, Package: "foo-dkms", Name: one.Truth[0]}
				switch {
				case isReplacing(one.Truth):
					want.Verb = "upgrade"
				case want.Name == "prerm":
					want.Verb = "remove"
				}
				if diff := cmp.Diff(want, one.Script); diff != "" {
					t.Errorf("Caller in %q (-want +got):\n%s", one.Truth, diff)
				}
				if one.Replacing != isReplacing(one.Truth) {
					t.Errorf("Replacing in %q = %v", one.Truth, one.Replacing)
				}
			}
		})
	}
}

// callerOf runs argv, which is to run the helper "caller" with the log that is
// added to it, and returns what that found.
func callerOf(t *testing.T, env []string, argv ...string) callerLogged {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(argv[0], append(argv[1:], log)...)
	cmd.Env = append(append(os.Environ(), helperEnv+"=caller"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return logged(t, log)[0]
}

func TestCallerNobody(t *testing.T) {
	t.Parallel()
	leaked := []string{"DPKG_MAINTSCRIPT_PACKAGE=foo-dkms", "DPKG_MAINTSCRIPT_NAME=prerm"}
	dir := t.TempDir()
	other := filepath.Join(dir, "info/other-dkms.prerm")
	treetest.WriteProgram(t, other, "#!/bin/sh\n"+self(t)+" \"$2\"\n:\n")
	for name, c := range map[string]struct {
		env  []string
		argv []string
	}{
		"a person":              {nil, []string{self(t)}},
		"outlived":              {leaked, []string{self(t)}},
		"another's script":      {leaked, []string{other, "upgrade"}},
		"a script by a person":  {nil, []string{strings.Replace(other, "other", "other", 1), "upgrade"}},
		"half an environment":   {leaked[:1], []string{self(t)}},
		"an empty environment":  {[]string{"DPKG_MAINTSCRIPT_PACKAGE=", "DPKG_MAINTSCRIPT_NAME="}, []string{self(t)}},
		"a name that says info": {leaked, []string{"/bin/sh", "-c", `"$2" "$3"; :`, "info/foo-dkms.postinst", "upgrade", self(t)}},
	} {
		if got := callerOf(t, c.env, c.argv...); !cmp.Equal(got.Script, Script{}) {
			t.Errorf("%s: Caller = %+v; want nobody", name, got.Script)
		}
	}
}

func TestCallerRPM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	scriptlet := filepath.Join(dir, "rpm-tmp.Xy12ab")
	treetest.Write(t, scriptlet, self(t)+" \"$2\"\n:\n")
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	dnf := filepath.Join(dir, "dnf")
	if err := os.Symlink(shell, dnf); err != nil {
		t.Fatal(err)
	}
	got := callerOf(t, nil, shell, scriptlet, "1")
	if want := []string{"1"}; got.Script.Manager != RPM || len(got.Script.Args) != 2 || got.Script.Args[0] != want[0] {
		t.Errorf("Caller in a scriptlet = %+v; want %s with arguments that begin with %q", got.Script, RPM, want)
	}
	got = callerOf(t, nil, dnf, "-c", `"$0" "$1"; :`, self(t))
	if want := (Script{Manager: RPM}); !cmp.Equal(got.Script, want) || got.Replacing {
		t.Errorf("Caller below dnf = %+v; want %+v", got.Script, want)
	}
}

func TestReplacing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script Script
		want   bool
	}{
		{Script{}, false},
		{Script{Manager: Dpkg, Name: "prerm", Verb: "upgrade"}, true},
		{Script{Manager: Dpkg, Name: "prerm", Verb: "deconfigure"}, true},
		{Script{Manager: Dpkg, Name: "prerm", Verb: "failed-upgrade"}, true},
		{Script{Manager: Dpkg, Name: "prerm", Verb: "remove"}, false},
		{Script{Manager: Dpkg, Name: "prerm"}, false},
		{Script{Manager: Dpkg, Name: "postrm", Verb: "upgrade"}, false},
		{Script{Manager: RPM, Name: "prerm", Verb: "upgrade"}, false},
	} {
		if got := c.script.Replacing(); got != c.want {
			t.Errorf("%+v.Replacing() = %v; want %v", c.script, got, c.want)
		}
	}
}
