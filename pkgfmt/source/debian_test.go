package source

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

const debianTree = plain + `
-- debian/control --
# a comment
Source: foo
Section: contrib/kernel
Maintainer: Ü Maintainer <m@example.org>
Homepage: https://example.org/foo
no field

Package: foo-utils
Description: programs
 For the module.

Package: foo-dkms
Architecture: all
Description: makes foo of bar (DKMS)
 First line,
 and second.
 .
 Next paragraph:
  * one
  * two
-- debian/changelog --
foo (1:1.0-2) unstable; urgency=medium

  * A change
    on two lines.
  * Another.

 -- Ü Maintainer <m@example.org>  Wed, 01 May 2024 12:00:00 +0200

foo (0.9) unstable; urgency=low

  * First.

 -- M <m@example.org>  Tue, 02 Jan 2024 00:00:00 +0000
`

func TestDebianFacts(t *testing.T) {
	t.Parallel()
	d := read(t, plant(t, debianTree), Options{})
	got := facts{Summary: d.Summary, Description: d.Description, Homepage: d.Homepage, Maintainer: d.Maintainer, Section: d.Section, Changes: d.Changes}
	want := facts{
		Summary: "makes foo of bar", Description: "First line, and second.\n\nNext paragraph:\n* one\n* two",
		Homepage: "https://example.org/foo", Maintainer: "Ü Maintainer <m@example.org>", Section: "contrib/kernel",
		Changes: []pkgfmt.Change{
			{Version: pkgfmt.Version{Epoch: 1, Upstream: "1.0", Revision: "2"}, Time: time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC),
				Author: "Ü Maintainer <m@example.org>", Lines: []string{"A change on two lines.", "Another."}},
			{Version: pkgfmt.Version{Upstream: "0.9"}, Time: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), Author: "M <m@example.org>", Lines: []string{"First."}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("debian/: -want +got\n%s", diff)
	}
	for _, f := range paths(d.Files) {
		if f == "debian/control" {
			t.Error("debian/ is packaged")
		}
	}
}

func TestDebianLicense(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later", "GPL-3": "GPL-3.0-only", "LGPL-2.1+": "LGPL-2.1-or-later", "Expat": "MIT",
		"BSD-3-clause": "BSD-3-Clause", "GPL-2+ or Expat": "GPL-2.0-or-later OR MIT", "GPL-2.0-only": "GPL-2.0-only", "GPL-2 and BSD, too": "",
	} {
		if got := debianLicense(paragraphs("Format: x\n\nFiles: *\nLicense: " + in + "\n text\n")); got != want {
			t.Errorf("debianLicense(%q) = %q; want %q", in, got, want)
		}
	}
}

func FuzzPackaging(f *testing.F) {
	f.Add(debianTree)
	f.Add(specText)
	f.Add("foo (1) x; urgency\n\n  * x\n\n -- A <a@b>  Mon\n:\n a\n%description\n%{x}\n%global x %{x}%{x}\nName: %{name}\n")
	f.Fuzz(func(t *testing.T, text string) {
		paragraphs(text)
		for _, c := range debianChanges(text) {
			if !isPerson(c.Author) || len(c.Lines) == 0 || c.Time.IsZero() {
				t.Errorf("a change %+v", c)
			}
		}
		if f := readSpec(text); len(f.Summary) > maxString {
			t.Errorf("a summary of %d bytes", len(f.Summary))
		}
	})
}

const specText = `
%global base foo
%define full %{base}-kmod
%global a %{a}%{a}
Name:     %{full}
Version:  1.0%{?dist}
Version:  2.0
Summary:  Makes %{base} of bar.
License:  GPL-2.0-or-later
URL:      https://example.org/%{base}
Vendor:   Example
Packager: P <p@example.org>

%description
What %{base} is,
at length.

%package devel
Summary: Other
%description devel
Other

%prep
Summary: no
`

func TestReadSpec(t *testing.T) {
	t.Parallel()
	want := facts{Version: "2.0", Summary: "Makes foo of bar", Description: "What foo is, at length.", License: "GPL-2.0-or-later",
		Homepage: "https://example.org/foo", Vendor: "Example", Maintainer: "P <p@example.org>"}
	if diff := cmp.Diff(want, readSpec(specText)); diff != "" {
		t.Errorf("readSpec: -want +got\n%s", diff)
	}
	d := read(t, plant(t, plain+"-- a.spec --\nSummary: A\n-- b.spec --\nSummary: B\n"), Options{})
	if d.Summary != "A" {
		t.Errorf("Summary = %q; want that of the first spec", d.Summary)
	}
	// Not as a text, and not for ever.
	text := "%global a0 xxxxxxxxxx\n"
	for i := range 30 {
		text += "%global a" + string(rune('1'+i)) + " %{a" + string(rune('0'+i)) + "}%{a" + string(rune('0'+i)) + "}\n"
	}
	readSpec(text + "Summary: %{a9}\n")
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2024-05-01": "2024-05-01T00:00:00Z", "2024-05-01T12:00:00+02:00": "2024-05-01T10:00:00Z",
		"yesterday": "", "1969-01-01": "", "": "", "2024-13-01": "",
	} {
		got, err := parseTime(in)
		if (err == nil) != (want != "") || err == nil && got.Format(time.RFC3339) != want {
			t.Errorf("parseTime(%q) = %v, %v; want %q", in, got, err, want)
		}
	}
}
