package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadMacros(t *testing.T) {
	t.Parallel()
	dir := plant(t, `
-- a.c --
// SPDX-License-Identifier: GPL-2.0
#include "version.h"
MODULE_VERSION(THE_VERSION);
MODULE_DESCRIPTION("First");
MODULE_AUTHOR("A <a@example.org>");
-- b.c --
// SPDX-License-Identifier: GPL-2.0 OR MIT
MODULE_VERSION("1.5");
MODULE_DESCRIPTION("Second");
MODULE_AUTHOR("A <a@example.org>");
MODULE_AUTHOR("B <b@example.org>");
-- version.h --
#define THE_VERSION "1.5"
-- tests/t.c --
// SPDX-License-Identifier: Apache-2.0
MODULE_VERSION("7");
-- built.mod.c --
MODULE_VERSION("8");
-- README --
MODULE_VERSION("9");
`)
	got, err := ReadMacros(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Macros{
		Version: "1.5", Description: "First", Authors: []string{"A <a@example.org>", "B <b@example.org>"},
		License: "GPL-2.0-only AND (GPL-2.0-only OR MIT)",
		Files: []FileMacros{
			{Path: "a.c", Version: "1.5", Description: "First", Authors: []string{"A <a@example.org>"}, SPDX: "GPL-2.0-only"},
			{Path: "b.c", Version: "1.5", Description: "Second", Authors: []string{"A <a@example.org>", "B <b@example.org>"}, SPDX: "GPL-2.0-only OR MIT"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadMacros: -want +got\n%s", diff)
	}
	link(t, "/x", dir+"/bad")
	if got, err := ReadMacros(dir); err == nil {
		t.Errorf("ReadMacros of a hostile tree = %v", got)
	}
	if got, err := ReadMacros(dir + "/none"); err == nil {
		t.Errorf("ReadMacros of nothing = %v", got)
	}
}

func TestMacroFacts(t *testing.T) {
	t.Parallel()
	files := []FileMacros{
		{Path: "bar_main.c", Version: "2", Description: "Bar."},
		{Path: "foo.c", Version: "1", Description: "Foo"},
		{Path: "sub/my-mod.c", Version: "3", Description: "Mine", Authors: []string{"x, Y Z <y@example.org>"}},
		{Path: "lib.c", Authors: []string{"nobody"}},
	}
	for _, tt := range []struct {
		modules []string
		name    string
		want    facts
	}{
		{[]string{"foo"}, "x", facts{Version: "1", Summary: "Foo", Maintainer: "Y Z <y@example.org>"}},
		{[]string{"bar", "foo"}, "x", facts{Maintainer: "Y Z <y@example.org>"}},
		{[]string{"bar", "foo"}, "bar", facts{Summary: "Bar", Maintainer: "Y Z <y@example.org>"}},
		{[]string{"my_mod"}, "x", facts{Version: "3", Summary: "Mine", Maintainer: "Y Z <y@example.org>"}},
		{[]string{"none"}, "x", facts{Maintainer: "Y Z <y@example.org>"}},
	} {
		if diff := cmp.Diff(tt.want, macroFacts(files, tt.modules, tt.name)); diff != "" {
			t.Errorf("macroFacts(%v, %s): -want +got\n%s", tt.modules, tt.name, diff)
		}
	}
}

func TestPersonOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"A B <a@example.org>":                      "A B <a@example.org>",
		"A B, C D <c@example.org>,E <e@x.org>":     "C D <c@example.org>",
		"A B and C D <c@example.org>":              "C D <c@example.org>",
		`"A. B." <a@example.org>`:                  "A. B. <a@example.org>",
		"Ünal <a@example.org>":                     "Ünal <a@example.org>",
		"A <a at example.org>":                     "",
		"A <a@example.org":                         "",
		"<a@example.org>":                          "",
		"a@example.org":                            "",
		"":                                         "",
		"A\n -- B <b@example.org>  Thu":            "A -- B <b@example.org>",
		"A <a@example.org>, B <b@example.org> etc": "A <a@example.org>",
	} {
		if got := personOf(in); got != want {
			t.Errorf("personOf(%q) = %q; want %q", in, got, want)
		}
	}
}
