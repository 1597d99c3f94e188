package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func TestSPDXExpression(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"MIT":                                 "MIT",
		"GPL-2.0":                             "GPL-2.0-only",
		"GPL-2.0+":                            "GPL-2.0-or-later",
		"GPL-2.0-or-later":                    "GPL-2.0-or-later",
		"(GPL-2.0 or mit)":                    "(GPL-2.0-only OR mit)",
		"GPL-2.0 WITH Linux-syscall-note":     "GPL-2.0-only WITH Linux-syscall-note",
		"MIT AND (BSD-2-Clause OR Zlib)":      "MIT AND (BSD-2-Clause OR Zlib)",
		"((GPL-2.0 WITH x) AND BSD-2-Clause)": "((GPL-2.0-only WITH x) AND BSD-2-Clause)",
		"LicenseRef-x":                        "LicenseRef-x",
		"DocumentRef-a:LicenseRef-b":          "DocumentRef-a:LicenseRef-b",
		"":                                    "",
		"GPL v2":                              "",
		"MIT OR":                              "",
		"OR MIT":                              "",
		"(MIT":                                "",
		"MIT)":                                "",
		"MIT, BSD":                            "",
		"MIT/BSD":                             "",
		"a\nb":                                "",
		strings.Repeat("(", 100) + "MIT":      "",
	} {
		got, ok := spdxExpression(in)
		if ok != (want != "") || ok && got != want {
			t.Errorf("spdxExpression(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestModuleLicense(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		later bool
		want  string
	}{
		{"GPL", false, "GPL-2.0-only"},
		{"GPL", true, "GPL-2.0-or-later"},
		{"GPL v2", false, "GPL-2.0-only"},
		{"GPL v2", true, "GPL-2.0-or-later"},
		{"Dual BSD/GPL", false, "GPL-2.0-only OR BSD-3-Clause"},
		{"Dual MIT/GPL", true, "GPL-2.0-or-later OR MIT"},
		{"Proprietary", false, "LicenseRef-Proprietary"},
		{"whatever", false, ""},
	} {
		if got := moduleLicense(tt.in, tt.later); got != tt.want {
			t.Errorf("moduleLicense(%q, %v) = %q; want %q", tt.in, tt.later, got, tt.want)
		}
		if _, ok := spdxExpression(tt.want); !ok && tt.want != "" {
			t.Errorf("%q is no expression", tt.want)
		}
	}
}

func TestAllOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   []string
		want string
	}{
		{[]string{"MIT", "MIT"}, "MIT"},
		{[]string{"MIT OR ISC", "MIT OR ISC"}, "MIT OR ISC"},
		{[]string{"MIT OR ISC", "GPL-2.0-only"}, "GPL-2.0-only AND (MIT OR ISC)"},
		{[]string{"(MIT OR ISC)", "GPL-2.0-only"}, "(MIT OR ISC) AND GPL-2.0-only"},
		{[]string{"(A WITH x) OR MIT", "GPL-2.0-only"}, "((A WITH x) OR MIT) AND GPL-2.0-only"},
		{[]string{"MIT OR (A WITH x)", "GPL-2.0-only"}, "GPL-2.0-only AND (MIT OR (A WITH x))"},
		{[]string{"(A OR B) AND (C OR D)", "MIT"}, "((A OR B) AND (C OR D)) AND MIT"},
	} {
		if got := allOf(tt.in); got != tt.want {
			t.Errorf("allOf(%q) = %q; want %q", tt.in, got, tt.want)
		}
	}
}

// TestKnownLicence tries the texts that every Debian has.
func TestKnownLicence(t *testing.T) {
	t.Parallel()
	const dir = "/usr/share/common-licenses"
	for name, want := range map[string]string{
		"GPL-2": "GPL-2.0-only", "GPL-3": "GPL-3.0-only", "LGPL-2": "LGPL-2.0-only", "LGPL-2.1": "LGPL-2.1-only", "LGPL-3": "LGPL-3.0-only",
		"Apache-2.0": "Apache-2.0", "MPL-1.1": "MPL-1.1", "MPL-2.0": "MPL-2.0", "Artistic": "", "GFDL-1.3": "",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Logf("%s is not here", name)
			continue
		}
		if got := knownLicence(string(text), false); got != want {
			t.Errorf("%s is %q; want %q", name, got, want)
		}
	}
	for text, want := range map[string]string{
		"The MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining\n a copy of … THE SOFTWARE IS PROVIDED \"AS IS\"": "MIT",
		"Redistribution and use in source\nand binary forms … Neither the name of":                                                                  "BSD-3-Clause",
		" * Redistribution and use in source\n * and binary forms …":                                                                                "BSD-2-Clause",
		"GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991":                                                                                       "GPL-2.0-or-later",
		"The kernel is under:\n\n\tSPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note\n":                                                      "GPL-2.0-only WITH Linux-syscall-note",
		"All rights reserved.": "",
	} {
		if got := knownLicence(text, true); got != want {
			t.Errorf("%.40q is %q; want %q", text, got, want)
		}
	}
}

func TestLicenceFiles(t *testing.T) {
	t.Parallel()
	var files []pkgfmt.File
	for _, name := range []string{"COPYING", "COPYING.LIB", "LICENCE", "LICENSE", "LICENSE.md", "LICENSES/GPL-2.0.txt", "LICENSES/x/y", "NOTICE", "copying.c", "gpl-2.0.txt",
		"license.h", "licensed.c", "sub/COPYING", "mit.c", "README"} {
		files = append(files, pkgfmt.File{Path: name})
	}
	files = append(files, pkgfmt.File{Path: "LICENSE.link", Kind: pkgfmt.Link})
	want := []string{"COPYING", "COPYING.LIB", "LICENCE", "LICENSE", "LICENSE.md", "LICENSES/GPL-2.0.txt", "NOTICE", "gpl-2.0.txt"}
	if diff := cmp.Diff(want, licenceFiles(files)); diff != "" {
		t.Errorf("licenceFiles: -want +got\n%s", diff)
	}
}

// TestCommonLicense: no file's licence is that of the others.
func TestCommonLicense(t *testing.T) {
	t.Parallel()
	const (
		gplLater = "/* GNU General Public License, version 2 or\n * any later version. */\n"
		gplOnly  = "/* under the GNU GENERAL\n * PUBLIC LICENSE version 2 */\n"
		module   = "MODULE_LICENSE(\"GPL\");\n"
	)
	for _, tt := range []struct {
		files []string
		want  string
	}{
		{[]string{module}, "GPL-2.0-only"},
		{[]string{gplLater + module, gplOnly + module}, "GPL-2.0-only AND GPL-2.0-or-later"},
		{[]string{module, gplLater}, "GPL-2.0-or-later"},
		{[]string{module, gplLater, gplOnly}, "GPL-2.0-only"},
		{[]string{module, gplLater, "// SPDX-License-Identifier: GPL-2.0 OR MIT\n" + gplOnly}, "(GPL-2.0-only OR MIT) AND GPL-2.0-or-later"},
		{[]string{"// SPDX-License-Identifier: GPL-2.0+ OR BSD-2-Clause\n" + module, gplLater + module}, "GPL-2.0-or-later AND (GPL-2.0-or-later OR BSD-2-Clause)"},
		{[]string{gplOnly + "MODULE_LICENSE(\"Dual MIT/GPL\");", gplLater}, "GPL-2.0-only OR MIT"},
		{[]string{gplLater, "int x;"}, ""},
	} {
		var files []FileMacros
		for _, text := range tt.files {
			files = append(files, fileMacros(text, func(string) string { return "" }))
		}
		if got := commonLicense(files); got != tt.want {
			t.Errorf("commonLicense(%q) = %q; want %q", tt.files, got, tt.want)
		}
	}
}

// TestLicenseOrder proves who is believed about the licence.
func TestLicenseOrder(t *testing.T) {
	t.Parallel()
	const gpl = "\n-- COPYING --\nGNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"
	for _, tt := range []struct{ name, files, want string }{
		{"nobody", "", ""},
		{"a text", gpl, "GPL-3.0-only"},
		{"the modules", gpl + "-- a.c --\nMODULE_LICENSE(\"Dual MIT/GPL\");\n", "GPL-2.0-only OR MIT"},
		{"the modules, with a notice", gpl + "-- a.c --\n/* or any later version */\nMODULE_LICENSE(\"GPL\");\n", "GPL-2.0-or-later"},
		{"tags", gpl + "-- a.c --\n// SPDX-License-Identifier: ISC\nMODULE_LICENSE(\"GPL\");\n", "ISC"},
		{"dkms-mkpkg.yaml", gpl + "-- a.c --\n// SPDX-License-Identifier: ISC\n-- dkms-mkpkg.yaml --\nlicense: GPL-2.0\n", "GPL-2.0-only"},
		{"debian", "-- debian/copyright --\nFormat: x\n\nFiles: *\nLicense: GPL-2+ or Expat\n text\n", "GPL-2.0-or-later OR MIT"},
		{"a spec", "-- foo.spec --\nLicense: GPL-2.0-only\n", "GPL-2.0-only"},
	} {
		if d := read(t, plant(t, plain+tt.files), Options{}); d.License != tt.want {
			t.Errorf("%s: License = %q; want %q", tt.name, d.License, tt.want)
		}
	}
}
