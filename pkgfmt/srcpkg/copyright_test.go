package srcpkg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

func TestTerms(t *testing.T) {
	t.Parallel()
	for spdx, want := range map[string]string{
		"":                                   "unknown|unknown",
		"GPL-2.0-only":                       "GPL-2|GPL-2",
		"GPL-2.0-or-later":                   "GPL-2+|GPL-2+",
		"GPL-2.0":                            "GPL-2|GPL-2",
		"GPL-2.0+":                           "GPL-2+|GPL-2+",
		"MIT OR GPL-2.0-only":                "Expat or GPL-2|Expat,GPL-2",
		"(GPL-2.0-only OR BSD-3-Clause)":     "GPL-2 or BSD-3-clause|GPL-2,BSD-3-clause",
		"GPL-2.0-only AND GPL-2.0-only":      "GPL-2 and GPL-2|GPL-2",
		"GPL-2.0 WITH Linux-syscall-note":    "GPL-2 with Linux-syscall-note exception|GPL-2 with Linux-syscall-note exception",
		"LicenseRef-NVIDIA AND GPL-2.0-only": "LicenseRef-NVIDIA and GPL-2|LicenseRef-NVIDIA,GPL-2",
		"GPL-2.0 WITH":                       "GPL-2 WITH|GPL-2,WITH",
	} {
		expression, all := terms(spdx)
		var names []string
		for _, s := range all {
			names = append(names, s.name)
		}
		if got := expression + "|" + strings.Join(names, ","); got != want {
			t.Errorf("terms(%q) = %s; want %s", spdx, got, want)
		}
	}
}

func TestIndented(t *testing.T) {
	t.Parallel()
	if got, want := indented("\n\ta\r\n\n  b \n\f\nc"), " a\n .\n   b\n .\n c\n"; got != want {
		t.Errorf("indented = %q; want %q", got, want)
	}
}

func TestHolders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		text string
		want []string
	}{
		{"a.c", "/* Copyright (C) 2010, 2012 A <a@b> */\n", []string{"2010, 2012 A <a@b>"}},
		{"a.h", " * copyright (c) 2010-2012 A Person.\n * Copyright (C) 2010-2012 A Person.\n * © 2013 B\n", []string{"2010-2012 A Person.", "2013 B"}},
		{"Makefile", "# (c) 2001 by X #\n", []string{"2001 by X"}},
		{"src/Kbuild", "# Copyright by Y Inc\n", []string{"Y Inc"}},
		{"a.c", "// copyright notices must stay\nMODULE_AUTHOR(\"A B <c@d>\");\n  MODULE_AUTHOR ( \"E\" );\n", []string{"A B <c@d>", "E"}},
		{"a.c", "int x;\n", []string{"the authors of foo"}},
		{"COPYING", "Copyright (C) 1989 Free Software Foundation\n", []string{"the authors of foo"}},
		{"a.c", "/* Copyright 2020 \xff\xfe */", []string{"2020 ?"}},
		{"a.c", strings.Repeat(" ", maxNotices) + "Copyright 2020 Too Late", []string{"the authors of foo"}},
	} {
		d := &source.Description{DKMS: dkms.Package{Name: "foo", Version: "1"}, Files: []pkgfmt.File{{Path: c.name, Data: []byte(c.text)}}}
		got, err := holders(d)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("holders of %s %.60q: %v (-want +got):\n%s", c.name, c.text, err, diff)
		}
	}
}

// TestHoldersBounded: a tree of a million notices is looked at in part.
func TestHoldersBounded(t *testing.T) {
	t.Parallel()
	d := &source.Description{}
	for i := range 200 {
		d.Files = append(d.Files, pkgfmt.File{Path: "a.c", Data: []byte(strings.Repeat("Copyright 2020 A"+strings.Repeat("x", i)+"\n", 5))})
	}
	if got, err := holders(d); len(got) != maxHolders || err != nil {
		t.Errorf("holders: %d, %v; want %d", len(got), err, maxHolders)
	}
}

func TestCopyrightOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.c")
	if err := os.WriteFile(path, []byte("/* Copyright 2021 Z */"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := bare()
	d.Files = append(d.Files, pkgfmt.File{Path: "x.c", Source: path, Size: 22})
	text, err := copyright(d)
	if err != nil || !strings.Contains(string(text), "Copyright: 2021 Z\nLicense: unknown\n") {
		t.Errorf("copyright = %s, %v", text, err)
	}
	d.Files[1].Source = filepath.Join(dir, "gone.c")
	if _, err := Compose(d, pkgfmt.Deb); err == nil {
		t.Error("Compose of a source that has gone succeeds")
	}
}
