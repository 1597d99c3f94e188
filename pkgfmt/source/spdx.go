package source

import (
	"regexp"
	"slices"
	"strings"
)

// moreThanName is what SPDX identifiers that say nothing of later versions
// became; with a + they allow them.
var moreThanName = []string{"AGPL-1.0", "AGPL-3.0", "GPL-1.0", "GPL-2.0", "GPL-3.0", "LGPL-2.0", "LGPL-2.1", "LGPL-3.0"}

var spdxWord = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9.:-]*\+?|[()]|\S+?`)

// spdxExpression checks the syntax of an SPDX licence expression (SPDX 2.3,
// annex D) and returns it with the identifiers that are current: GPL-2.0 is
// GPL-2.0-only, GPL-2.0+ is GPL-2.0-or-later. Which identifiers there are is
// not checked.
func spdxExpression(s string) (string, bool) {
	p := spdxParser{words: spdxWord.FindAllString(s, -1)}
	if !p.expression(0) || len(p.words) > 0 {
		return "", false
	}
	return strings.NewReplacer("( ", "(", " )", ")").Replace(strings.Join(p.out, " ")), true
}

type spdxParser struct {
	words, out []string
}

// take moves a word on if it is wanted, in whatever case.
func (p *spdxParser) take(wanted ...string) bool {
	if len(p.words) == 0 {
		return false
	}
	word := strings.ToUpper(p.words[0])
	if !slices.Contains(wanted, word) {
		return false
	}
	p.words, p.out = p.words[1:], append(p.out, word)
	return true
}

func (p *spdxParser) expression(depth int) bool {
	for {
		switch {
		case depth > 20:
			return false
		case p.take("("):
			if !p.expression(depth+1) || !p.take(")") {
				return false
			}
		case !p.identifier():
			return false
		}
		if p.take("WITH") && !p.identifier() {
			return false
		}
		if !p.take("AND", "OR") {
			return true
		}
	}
}

// identifier moves an identifier on, as it is called now.
func (p *spdxParser) identifier() bool {
	if len(p.words) == 0 {
		return false
	}
	word := p.words[0]
	if !wordByte(word[0]) || slices.Contains([]string{"AND", "OR", "WITH"}, strings.ToUpper(word)) {
		return false
	}
	bare, later := strings.CutSuffix(word, "+")
	switch {
	case !slices.Contains(moreThanName, bare):
	case later:
		word = bare + "-or-later"
	default:
		word = bare + "-only"
	}
	p.words, p.out = p.words[1:], append(p.out, word)
	return true
}

// allOf is the expression for what is under all of these licences.
func allOf(expressions []string) string {
	expressions = slices.Compact(slices.Sorted(slices.Values(expressions)))
	if len(expressions) == 1 {
		return expressions[0]
	}
	for i, e := range expressions {
		if strings.Contains(e, " OR ") && !enclosed(e) {
			expressions[i] = "(" + e + ")"
		}
	}
	return strings.Join(expressions, " AND ")
}

// enclosed reports whether one pair of parentheses holds all of e.
func enclosed(e string) bool {
	depth := 0
	for i, c := range e {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i == len(e)-1 && c == ')'
		}
	}
	return false
}

// moduleLicense is what MODULE_LICENSE means (Documentation/process/license-rules.rst):
// GPL is version 2, and does not tell whether later ones are allowed; nor does
// GPL v2.
func moduleLicense(s string, later bool) string {
	gpl := "GPL-2.0-only"
	if later {
		gpl = "GPL-2.0-or-later"
	}
	switch s {
	case "GPL", "GPL v2", "GPL and additional rights":
		return gpl
	case "Dual BSD/GPL":
		return gpl + " OR BSD-3-Clause"
	case "Dual MIT/GPL":
		return gpl + " OR MIT"
	case "Dual MPL/GPL":
		return gpl + " OR MPL-1.1"
	case "Proprietary":
		return "LicenseRef-Proprietary"
	}
	return ""
}

// maxLicences is how many licences an expression is made of at most.
const maxLicences = 12

// commonLicense is what the files are under together: each by its SPDX tag, else
// by what its module says. Whether that allows later versions of the GPL, its
// notice tells; where it has none, the notices of all files have to agree.
func commonLicense(files []FileMacros) string {
	later := slices.ContainsFunc(files, func(f FileMacros) bool { return f.OrLater }) &&
		!slices.ContainsFunc(files, func(f FileMacros) bool { return f.Only })
	var all []string
	for _, f := range files {
		l := f.SPDX
		if l == "" {
			l = moduleLicense(f.License, f.OrLater || later)
		}
		if l != "" {
			all = append(all, l)
		}
	}
	all = slices.Compact(slices.Sorted(slices.Values(all)))
	if len(all) == 0 || len(all) > maxLicences {
		return ""
	}
	return allOf(all)
}
