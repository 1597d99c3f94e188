package srcpkg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// odd is a source whose words are as odd as a dkms.conf may have them, with
// scripts of its own.
func odd() (d2 []string, scripts map[pkgfmt.Format]map[string]string) {
	return []string{"a+b.c_d~e@f%g=h,i:j", "1.0+x~rc1:2,3=4%5@6_7"}, map[pkgfmt.Format]map[string]string{
		pkgfmt.Deb: {"postinst": "#!/bin/sh\nset -e\necho theirs \"$1\"\n", "postrm": "echo gone\n"},
		pkgfmt.RPM: {"post": "echo theirs \"$1\"\n", "pretrans": "echo before\n"},
	}
}

// allScripts are those of some packages, by a name of their own.
func allScripts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	strange := sample()
	words, scripts := odd()
	strange.DKMS, strange.Scripts = dkms.Package{Name: words[0], Version: words[1]}, scripts
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for name, text := range composed(t, sample(), f).Scripts {
			all["sample/"+string(f)+"/"+name] = text
		}
		for name, text := range composed(t, strange, f).Scripts {
			all["strange/"+string(f)+"/"+name] = text
		}
	}
	return all
}

func TestScriptsParse(t *testing.T) {
	t.Parallel()
	for name, text := range allScripts(t) {
		for _, shell := range []string{"sh", "bash"} {
			path := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
				t.Errorf("%s -n %s: %v: %s", shell, name, err, out)
			}
		}
		if strings.Contains(name, "/deb/") != strings.HasPrefix(text, "#!/bin/sh\nset -e\n") {
			t.Errorf("%s begins with %.20q: dpkg wants an interpreter, RPM has one", name, text)
		}
		if strings.Contains(text, "# @") {
			t.Errorf("%s: something is not included", name)
		}
	}
}

func TestShellcheck(t *testing.T) {
	t.Parallel()
	pkgtest.Needs(t, "shellcheck")
	for name, text := range allScripts(t) {
		cmd := exec.Command("shellcheck", "-s", "sh", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for _, name := range []string{"dkms", "common.postinst", "dkms-hook"} {
		if out, err := exec.Command("shellcheck", "-e", "SC2015", "testdata/"+name).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestTheirs: the source's own scripts come after ours, with the same arguments.
func TestTheirs(t *testing.T) {
	t.Parallel()
	d := sample()
	_, d.Scripts = odd()
	for f, want := range map[pkgfmt.Format][]string{
		pkgfmt.Deb: {"postinst", "prerm", "postrm"}, pkgfmt.RPM: {"pretrans", "pre", "post", "preun", "posttrans"},
	} {
		got := composed(t, d, f).Scripts
		for _, name := range want {
			if got[name] == "" {
				t.Errorf("%s: no %s", f, name)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d scripts; want %v", f, len(got), want)
		}
	}
	deb := composed(t, d, pkgfmt.Deb).Scripts
	if text := deb["postinst"]; !strings.HasSuffix(text, "esac\n\nset -e\necho theirs \"$1\"\n") {
		t.Errorf("postinst ends with %q", text[len(text)-60:])
	}
	if got, want := deb["postrm"], "#!/bin/sh\nset -e\n\necho gone\n"; got != want {
		t.Errorf("postrm = %q; want %q", got, want)
	}
	m := newMachine(t, pkgfmt.RPM, "dkms-hook")
	if _, said := m.run(composed(t, d, pkgfmt.RPM), "post", "2"); !strings.HasSuffix(said, "theirs 2\n") {
		t.Errorf("post says %q", said)
	}
}

func TestTheirsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format     pkgfmt.Format
		name, text string
		want       string
	}{
		{pkgfmt.Deb, "post", "true", "script post: is none of a .deb"},
		{pkgfmt.RPM, "postinst", "true", "script postinst: is none of a .rpm"},
		{pkgfmt.RPM, "post", "#!/usr/bin/perl -w\n1;", "script post: is not for /bin/sh, but for /usr/bin/perl -w"},
		{pkgfmt.Deb, "prerm", "#!\n", "script prerm: is not for /bin/sh, but for "},
	} {
		d := sample()
		d.Scripts = map[pkgfmt.Format]map[string]string{c.format: {c.name: c.text}}
		_, err := Compose(d, c.format)
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != dkms.Usage || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Compose with %s %q = %v; want %s", c.name, c.text, err, c.want)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"foo", "", "a b", "it's", "''", "$(reboot)", "`reboot`", "a\\b\"c", "é\n"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quoted(s)).Output()
		if string(out) != s || err != nil {
			t.Errorf("quoted(%q) = %s; sh reads %q, %v", s, quoted(s), out, err)
		}
	}
}
