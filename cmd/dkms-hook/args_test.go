package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

var testActions = []*cli.Command{{Name: "build"}, {Name: "remove"}, {Name: "hook"}}

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
		got, err := normalise(tt.in, testActions, flags())
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("normalise(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
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
		_, err := normalise(tt.in, testActions, flags())
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != tt.kind || err.Error() != tt.text {
			t.Errorf("normalise(%q) = %v; want kind %v, %q", tt.in, err, tt.kind, tt.text)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add("build", "-k", "6.1")
	f.Add("--", "--all", "=")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		out, err := normalise([]string{a, b, c}, testActions, flags())
		if err == nil && len(out) == 0 {
			t.Errorf("normalise(%q, %q, %q) is empty", a, b, c)
		}
	})
}
