package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadLog(t *testing.T) {
	t.Parallel()
	got := readLog(`# Changelog

* not a change

## Unreleased

### Added

* **Fast**: it is ` + "`dkms-hook sync`" + ` that
  does it, see [the manual](docs/x.md).
* Another.

A remark,
  indented.

## [0.1.0] - 2026-01-02

* The first.
`)
	want := []section{
		{version: "Unreleased", changes: []string{"Fast: it is dkms-hook sync that does it, see the manual.", "Another."}},
		{version: "0.1.0", changes: []string{"The first."}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(section{})); diff != "" {
		t.Errorf("readLog (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if own := readLog(string(text)); len(own) == 0 || len(own[0].changes) == 0 {
		t.Errorf("readLog of ours = %v; want changes", own)
	}
}

func TestLegal(t *testing.T) {
	t.Parallel()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if modules, err := linkedModules(self); err != nil || !slices.Contains(modules, "github.com/klauspost/compress") {
		t.Errorf("linkedModules of this test = %q, %v; want klauspost/compress among them", modules, err)
	}
	text, err := legal("..", "dkms-hook", []string{"github.com/klauspost/compress", "golang.org/x/sys", "mvdan.cc/sh/v3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Apache License, Version 2.0", "\nmvdan.cc/sh/v3\n", "Daniel Martí", "\ngolang.org/x/sys\n", "The Go Authors", "\ngithub.com/klauspost/compress\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the copyright file does not say %q", want)
		}
	}
	if strings.Contains(string(text), "TERMS AND CONDITIONS FOR USE") {
		t.Error("the copyright file holds the Apache License as a whole, which is there already")
	}
	if _, err := legal("..", "dkms-hook", []string{"example.com/nobody"}); err == nil {
		t.Error("the licence of an unknown module was found")
	}
}
