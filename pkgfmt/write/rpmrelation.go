package write

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/rpmpack"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// rpmRelation is a dependency of rpm's that is not rich: a name without blanks,
// and maybe a version, [EPOCH:]VERSION[-RELEASE] or a symbol's checksum.
var rpmRelation = regexp.MustCompile(`^([^\s<>=()][^\s<>]*)(?:\s+(<|<=|=|>=|>)\s+([A-Za-z0-9._+~^:-]+))?$`)

var senses = map[string]uint32{"": 0, "<": 2, ">": 4, "=": 8, "<=": 2 | 8, ">=": 4 | 8}

// parseRelation takes a dependency apart. Rich ones, rpm-dependencies(7), are
// rpm's to understand, as a whole; only their parentheses must fit.
func parseRelation(word string) (*rpmpack.Relation, error) {
	if strings.HasPrefix(word, "(") {
		if !rich(word) {
			return nil, refuse("relation "+word, "is no rich dependency of rpm")
		}
		return &rpmpack.Relation{Name: word}, nil
	}
	m := rpmRelation.FindStringSubmatch(word)
	if m == nil || !utf8.ValidString(word) || strings.ContainsFunc(word, isControl) {
		return nil, refuse("relation "+word, "is no dependency of rpm: NAME, or NAME >= VERSION")
	}
	r := &rpmpack.Relation{Name: m[1], Version: m[3]}
	addBits(&r.Sense, senses[m[2]])
	return r, nil
}

// rich reports whether the first parenthesis is closed at the end, and all
// others in between.
func rich(word string) bool {
	if !utf8.ValidString(word) || strings.ContainsFunc(word, isControl) {
		return false
	}
	depth := 0
	for i, c := range word {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && i < len(word)-1 {
			return false
		}
	}
	return depth == 0 && strings.Contains(word, " ")
}

// addBits sets bits in a value of a type of rpmpack's that has no name outside.
func addBits[T ~uint32](to *T, bits uint32) { *to |= T(bits) }

// rpmRelations parses dependencies; all get the bits of sense.
func rpmRelations(words []string, sense uint32) (rpmpack.Relations, error) {
	var out rpmpack.Relations
	for _, word := range words {
		r, err := parseRelation(word)
		if err != nil {
			return nil, err
		}
		addBits(&r.Sense, sense)
		out = appendMissing(out, r)
	}
	return out, nil
}

func appendMissing(list rpmpack.Relations, r *rpmpack.Relation) rpmpack.Relations {
	for _, have := range list {
		if have.Equal(r) {
			return list
		}
	}
	return append(list, r)
}

// allRelations are all that a package says of others.
func allRelations(r pkgfmt.Relations) []string {
	var out []string
	for _, list := range relationLists(r) {
		out = append(out, list.words...)
	}
	return out
}

// A relationList is one of pkgfmt.Relations, by its name.
type relationList struct {
	name  string
	words []string
}

func relationLists(r pkgfmt.Relations) []relationList {
	return []relationList{
		{"Depends", r.Depends}, {"Recommends", r.Recommends}, {"Suggests", r.Suggests}, {"Conflicts", r.Conflicts},
		{"Breaks", r.Breaks}, {"Replaces", r.Replaces}, {"Provides", r.Provides}, {"Enhances", r.Enhances},
		{"Supplements", r.Supplements}, {"ForScripts", r.ForScripts},
	}
}
