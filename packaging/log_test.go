package main

import (
	"os"
	"path/filepath"
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

// TestDebianLog: what Debian's own program reads of it.
func TestDebianLog(t *testing.T) {
	t.Parallel()
	lacks(t, "dpkg-parsechangelog")
	r := sample()
	r.log = []section{{version: "Unreleased"}, {version: "1", changes: []string{strings.Repeat("word ", 30), "Another."}}}
	text := debianLog(r)
	path := filepath.Join(t.TempDir(), "changelog")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := output(t, "dpkg-parsechangelog", "-l", path)
	for _, want := range []string{"Source: dkms-hook\n", "Version: 1.2.3~git4.abc\n", "Maintainer: " + maintainer + "\n", "Timestamp: 1700000000\n", "   * Another.\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("dpkg-parsechangelog has no %q:\n%s", want, got)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 81 && !strings.HasPrefix(line, " -- ") {
			t.Errorf("too long: %s", line)
		}
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
	text, err := legal("..", []string{"github.com/klauspost/compress", "golang.org/x/sys", "mvdan.cc/sh/v3"})
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
	if _, err := legal("..", []string{"example.com/nobody"}); err == nil {
		t.Error("the licence of an unknown module was found")
	}
}
