package report_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

func TestConsoleProblem(t *testing.T) {
	t.Parallel()
	headers := &dkms.Error{Kind: dkms.HeadersMissing, Object: "6.1.0-56-amd64", Problem: "headers are not installed", Hint: "apt install linux-headers-6.1.0-56-amd64"}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"plain", errors.New("disk full"), "error: disk full\n"},
		{"with a hint", headers, "error: 6.1.0-56-amd64: headers are not installed\n  hint: apt install linux-headers-6.1.0-56-amd64\n"},
		{"hints of all layers, each once",
			&dkms.Error{Object: "it87/eol", Problem: "not built", Hint: "look", Err: fmt.Errorf("first: %w", &dkms.Error{Object: "x", Problem: "y", Hint: "look", Err: headers})},
			"error: it87/eol: not built: first: x: y: 6.1.0-56-amd64: headers are not installed\n" +
				"  hint: look\n  hint: apt install linux-headers-6.1.0-56-amd64\n"},
		{"joined", errors.Join(errors.New("a"), errors.Join(headers, errors.New("b"))),
			"error: a\nerror: 6.1.0-56-amd64: headers are not installed\n  hint: apt install linux-headers-6.1.0-56-amd64\nerror: b\n"},
		{"joined below words of its own", fmt.Errorf("both: %w and %w", errors.New("a"), errors.New("b")), "error: both: a and b\n"},
		{"several lines", errors.New("it87: invalid: a.conf:1: x\r\na.conf:2: y\n\n"), "error: it87: invalid: a.conf:1: x\n    a.conf:2: y\n"},
		{"control characters", errors.New("name \"\x1b[31m\u009b\ttab\xff\": no"), "error: name \"?[31m? tab?\": no\n"},
	} {
		var b strings.Builder
		report.Console{W: &b, Quiet: true}.Problem(tt.err)
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%s: Problem (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestConsoleQuietAndColour(t *testing.T) {
	t.Parallel()
	say := func(c report.Console) string {
		var b strings.Builder
		c.W = &b
		c.Warn("odd")
		c.WarnOf(&dkms.Error{Object: "it", Problem: "odd", Hint: "mend it"})
		c.Notice("so it is")
		c.Problem(&dkms.Error{Problem: "bad", Hint: "do better"})
		return b.String()
	}
	for _, tt := range []struct {
		c    report.Console
		want string
	}{
		{report.Console{}, "warning: odd\nwarning: it: odd\n  hint: mend it\nso it is\nerror: bad\n  hint: do better\n"},
		{report.Console{Quiet: true}, "error: bad\n  hint: do better\n"},
		{report.Console{Colour: true, Quiet: true}, "\x1b[1;31merror:\x1b[0m bad\n  \x1b[1mhint:\x1b[0m do better\n"},
	} {
		if diff := cmp.Diff(tt.want, say(tt.c)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.c, diff)
		}
	}
}

func TestNoColoursOffATerminal(t *testing.T) {
	t.Parallel()
	f, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if report.Terminal(f) || report.Colours(f) || report.Colours(&strings.Builder{}) {
		t.Error("a file is taken for a terminal")
	}
	report.Console{W: f, Colour: report.Colours(f)}.Problem(errors.New("bad"))
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != "error: bad\n" {
		t.Errorf("Problem wrote %q, %v", got, err)
	}
}
