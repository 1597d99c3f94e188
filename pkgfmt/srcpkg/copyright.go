package srcpkg

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// unknownLicence is what an RPM says where the source does not tell: it must say
// something, and SPDX has a form for what it does not list.
const unknownLicence = "LicenseRef-unknown"

// A shortName is how Debian's machine-readable copyright files 1.0 call a
// licence of SPDX's list, and where each Debian system has its text.
type shortName struct{ name, common string }

var shortNames = map[string]shortName{
	"Apache-2.0":        {"Apache-2.0", "Apache-2.0"},
	"BSD-2-Clause":      {"BSD-2-clause", ""},
	"BSD-3-Clause":      {"BSD-3-clause", ""},
	"CC0-1.0":           {"CC0-1.0", "CC0-1.0"},
	"GPL-1.0-only":      {"GPL-1", "GPL-1"},
	"GPL-1.0-or-later":  {"GPL-1+", "GPL-1"},
	"GPL-2.0":           {"GPL-2", "GPL-2"},
	"GPL-2.0+":          {"GPL-2+", "GPL-2"},
	"GPL-2.0-only":      {"GPL-2", "GPL-2"},
	"GPL-2.0-or-later":  {"GPL-2+", "GPL-2"},
	"GPL-3.0":           {"GPL-3", "GPL-3"},
	"GPL-3.0+":          {"GPL-3+", "GPL-3"},
	"GPL-3.0-only":      {"GPL-3", "GPL-3"},
	"GPL-3.0-or-later":  {"GPL-3+", "GPL-3"},
	"LGPL-2.0-only":     {"LGPL-2", "LGPL-2"},
	"LGPL-2.0-or-later": {"LGPL-2+", "LGPL-2"},
	"LGPL-2.1-only":     {"LGPL-2.1", "LGPL-2.1"},
	"LGPL-2.1-or-later": {"LGPL-2.1+", "LGPL-2.1"},
	"LGPL-3.0-only":     {"LGPL-3", "LGPL-3"},
	"LGPL-3.0-or-later": {"LGPL-3+", "LGPL-3"},
	"MIT":               {"Expat", ""},
	"MPL-1.1":           {"MPL-1.1", "MPL-1.1"},
	"MPL-2.0":           {"MPL-2.0", "MPL-2.0"},
}

// copyright is the file of that name, in the form of
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/.
func copyright(d *source.Description) ([]byte, error) {
	holders, err := holders(d)
	if err != nil {
		return nil, err
	}
	text, err := licenceTexts(d)
	if err != nil {
		return nil, err
	}
	expression, terms := terms(d.License)
	var b bytes.Buffer
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n")
	fmt.Fprintf(&b, "Upstream-Name: %s\n", d.DKMS.Name)
	if d.Homepage != "" {
		fmt.Fprintf(&b, "Source: %s\n", d.Homepage)
	}
	fmt.Fprintf(&b, "\nFiles: *\nCopyright: %s\nLicense: %s\n", strings.Join(holders, "\n           "), expression)
	for _, t := range terms {
		fmt.Fprintf(&b, "\nLicense: %s\n%s", t.name, indented(t.text(text)))
	}
	return b.Bytes(), nil
}

// terms returns an SPDX expression as a copyright file has it, and the licences
// in it, each once.
func terms(spdx string) (string, []shortName) {
	var words []string
	var all []shortName
	tokens := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(spdx))
	for i := 0; i < len(tokens); i++ {
		if tokens[i] == "OR" || tokens[i] == "AND" {
			words = append(words, strings.ToLower(tokens[i]))
			continue
		}
		s, ok := shortNames[tokens[i]]
		if !ok {
			s = shortName{name: tokens[i]}
		}
		if i+2 < len(tokens) && tokens[i+1] == "WITH" {
			s.name += " with " + tokens[i+2] + " exception"
			i += 2
		}
		words = append(words, s.name)
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(words) == 0 {
		return "unknown", []shortName{{name: "unknown"}}
	}
	return strings.Join(words, " "), all
}

// text is what is said of a licence: where it lies on each Debian system, else
// the texts that came with the source.
func (s shortName) text(texts string) string {
	switch {
	case s.common != "":
		later := ""
		if strings.HasSuffix(s.name, "+") {
			later = ", or at your option any later version"
		}
		return fmt.Sprintf("This package may be distributed and modified under the terms of %s%s.\n\nOn Debian systems, its full text is in\n/usr/share/common-licenses/%s.\n",
			s.common, later, s.common)
	case texts != "":
		return texts
	}
	return "The source came without a text of its licence; its files may tell.\n"
}

// indented is a text as the continuation of a field, deb822(5).
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(strings.ReplaceAll(text, "\r", "")) + "\n") {
		if line = strings.TrimRight(line, " \t\n\f"); line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
	return b.String()
}

// maxLegal is how much of the licences' texts is taken, in bytes each.
const maxLegal = 64 << 10

// licenceTexts are the files with licences that came with the source.
func licenceTexts(d *source.Description) (string, error) {
	var b strings.Builder
	for _, f := range d.Files {
		if !slices.Contains(d.Licences, f.Path) {
			continue
		}
		text, err := head(f, maxLegal)
		if err != nil {
			return "", err
		}
		b.Write(bytes.ToValidUTF8(text, []byte("?")))
		b.WriteString("\n")
	}
	return b.String(), nil
}
