package cmdline

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

var hookGrammar = Grammar{
	Actions:  []*cli.Command{{Name: "build"}, {Name: "remove"}, {Name: "hook"}},
	Flags:    testFlags,
	Anywhere: true,
	Verbatim: "hook",
}

var testFlags = []cli.Flag{
	&cli.StringFlag{Name: "module", Aliases: []string{"m"}},
	&cli.StringSliceFlag{Name: "kernelver", Aliases: []string{"k"}},
	&cli.StringSliceFlag{Name: "directive"},
	&cli.BoolFlag{Name: "all"},
	&cli.IntFlag{Name: "j"},
	&cli.StringFlag{Name: "root"},
	&cli.BoolFlag{Name: "version", Aliases: []string{"V"}},
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want []string
	}{
		{[]string{"remove", "it87/eol", "--all"}, []string{"remove", "--all", "--", "it87/eol"}},
		{[]string{"--all", "remove", "it87/eol"}, []string{"remove", "--all", "--", "it87/eol"}},
		{[]string{"build", "-k", "6.1", "it87/eol"}, []string{"build", "-k", "6.1", "--", "it87/eol"}},
		{[]string{"-k", "6.1", "-k", "6.2", "build"}, []string{"build", "-k", "6.1", "-k", "6.2", "--"}},
		{[]string{"build", "--kernelver=6.1"}, []string{"build", "--kernelver", "6.1", "--"}},
		{[]string{"build", "--directive=MAKE=make -k"}, []string{"build", "--directive", "MAKE=make -k", "--"}},
		{[]string{"build", "--directive="}, []string{"build", "--directive", "", "--"}},
		{[]string{"build", "--", "-odd", "remove"}, []string{"build", "--", "-odd", "remove"}},
		{[]string{"-m", "build", "remove"}, []string{"remove", "-m", "build", "--"}},
		{[]string{"--version"}, []string{"--version", "--"}},
		{[]string{"build", "-j", "0"}, []string{"build", "-j", "0", "--"}},
		{[]string{"--root", "/x", "hook", "kernel-install", "remove", "6.1", "-k"}, []string{"hook", "--root", "/x", "--", "kernel-install", "remove", "6.1", "-k"}},
		{[]string{"hook", "--", "boot"}, []string{"hook", "--", "boot"}},
		{nil, []string{"--"}},
	} {
		got, err := hookGrammar.Normalise(tt.in)
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("Normalise(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestNormaliseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   []string
		kind dkms.Kind
		text string
	}{
		{[]string{"build", "--bogus"}, dkms.Usage, "--bogus: unknown option"},
		{[]string{"build", "-k=6.1"}, dkms.Usage, "-k=6.1: unknown option"},
		{[]string{"build", "-k"}, dkms.Usage, "-k: needs a value"},
		{[]string{"build", "--all=yes"}, dkms.Usage, "--all: takes no value"},
		{[]string{"build", "it87/eol", "remove"}, dkms.OneActionOnly, "build and remove: only one action can be done at a time"},
	} {
		_, err := hookGrammar.Normalise(tt.in)
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != tt.kind || err.Error() != tt.text {
			t.Errorf("Normalise(%q) = %v; want kind %v, %q", tt.in, err, tt.kind, tt.text)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add("build", "-k", "6.1")
	f.Add("--", "--all", "=")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		out, err := hookGrammar.Normalise([]string{a, b, c})
		if err == nil && len(out) == 0 {
			t.Errorf("Normalise(%q, %q, %q) is empty", a, b, c)
		}
	})
}

// Where only the first word is an action, files may have the names of actions.
func TestNormaliseFirstWord(t *testing.T) {
	t.Parallel()
	g := Grammar{Actions: hookGrammar.Actions, Flags: testFlags}
	for _, tt := range []struct {
		in, want []string
	}{
		{[]string{"--all", "build", "remove"}, []string{"build", "--all", "--", "remove"}},
		{[]string{"build", "build", "--root", "x"}, []string{"build", "--root", "x", "--", "build"}},
		{[]string{"other", "build"}, []string{"--", "other", "build"}},
		{[]string{"hook", "-k", "6.1", "x"}, []string{"hook", "-k", "6.1", "--", "x"}},
	} {
		got, err := g.Normalise(tt.in)
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("Normalise(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestFlagLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   cli.Flag
		want string
	}{
		{&cli.StringFlag{Name: "root", Usage: "work inside `DIR`"}, "--root DIR\twork inside DIR"},
		{&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print errors only"}, "--quiet, -q\tprint errors only"},
		{&cli.StringFlag{Name: "x", Usage: "something"}, "-x VALUE\tsomething"},
	} {
		if got := FlagLine(tt.in); got != tt.want {
			t.Errorf("FlagLine(%v) = %q; want %q", tt.in.Names(), got, tt.want)
		}
	}
}
