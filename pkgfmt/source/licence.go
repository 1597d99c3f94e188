package source

import (
	"io"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

var (
	licenceName = regexp.MustCompile(`(?i)^((un)?licen[cs]es?|copying|copyright|notice|(l|a)?gpl|mit|bsd|apache|mpl)([._-].*)?$`)
	licenceDir  = regexp.MustCompile(`(?i)^licen[cs]es$`)
	codeName    = regexp.MustCompile(`(?i)\.(c|h|s|o|py|sh|pl|in|mk|patch|diff|html?)$`)
	blank       = regexp.MustCompile(`[\s*#>;"'“”‘’]+`)
)

// licenceFiles are the paths of files that are texts of licences: LICENSE,
// COPYING and the like, at the top or in LICENSES.
func licenceFiles(files []pkgfmt.File) []string {
	var out []string
	for _, f := range files {
		dir, base := path.Split(f.Path)
		dir = strings.TrimSuffix(dir, "/")
		if f.Kind == pkgfmt.Regular && !codeName.MatchString(base) &&
			(dir == "" && licenceName.MatchString(base) || licenceDir.MatchString(dir)) {
			out = append(out, f.Path)
		}
	}
	return out
}

// maxLicence is how much of a licence's text is looked at.
const maxLicence = 64 << 10

// licenceTexts are the phrases that a text is known by; all of them have to be there.
var licenceTexts = []struct {
	phrases []string
	spdx    string
}{
	{[]string{"gnu affero general public license", "version 3, 19 november 2007"}, "AGPL-3.0"},
	{[]string{"gnu lesser general public license", "version 2.1, february 1999"}, "LGPL-2.1"},
	{[]string{"gnu lesser general public license version 3, 29 june 2007"}, "LGPL-3.0"},
	{[]string{"gnu library general public license", "version 2, june 1991"}, "LGPL-2.0"},
	{[]string{"gnu general public license version 2, june 1991"}, "GPL-2.0"},
	{[]string{"gnu general public license version 3, 29 june 2007"}, "GPL-3.0"},
	{[]string{"apache license version 2.0, january 2004"}, "Apache-2.0"},
	{[]string{"mozilla public license version 2.0"}, "MPL-2.0"},
	{[]string{"mozilla public license version 1.1"}, "MPL-1.1"},
	{[]string{"permission is hereby granted, free of charge, to any person obtaining a copy", "the software is provided as is"}, "MIT"},
	{[]string{"redistribution and use in source and binary forms", "neither the name"}, "BSD-3-Clause"},
	{[]string{"redistribution and use in source and binary forms"}, "BSD-2-Clause"},
	{[]string{"permission to use, copy, modify, and/or distribute this software for any purpose"}, "ISC"},
}

// knownLicence recognises the text of a licence; empty: it does not.
func knownLicence(text string, later bool) string {
	if tag := spdxTag.FindStringSubmatch(text); tag != nil {
		if e, ok := spdxExpression(strings.TrimSpace(tag[1])); ok {
			return e
		}
	}
	text = strings.ToLower(blank.ReplaceAllString(text, " "))
next:
	for _, t := range licenceTexts {
		for _, phrase := range t.phrases {
			if !strings.Contains(text, phrase) {
				continue next
			}
		}
		if !strings.Contains(t.spdx, "GPL-") {
			return t.spdx
		}
		if later {
			return t.spdx + "-or-later"
		}
		return t.spdx + "-only"
	}
	return ""
}

// textLicense is what the texts of licences in a tree say together; later, when
// notices in its sources allow later versions.
func textLicense(root *os.Root, names []string, later bool) string {
	var found []string
	for _, name := range names {
		f, err := openRegular(root, name)
		if err != nil {
			continue
		}
		text := make([]byte, maxLicence)
		n, _ := io.ReadFull(f, text)
		f.Close()
		if l := knownLicence(string(text[:n]), later); l != "" {
			found = append(found, l)
		}
	}
	if len(found) == 0 || len(found) > maxLicences {
		return ""
	}
	return allOf(found)
}
