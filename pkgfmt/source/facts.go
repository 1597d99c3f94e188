package source

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// facts are what one place says of a source; empty is what it does not say.
type facts struct {
	Version, Summary, Description, License string
	Homepage, Maintainer, Vendor, Section  string
	Changes                                []pkgfmt.Change
}

// first returns what the first of the places says that says anything.
func first(places []facts, of func(facts) string) string {
	for _, f := range places {
		if s := of(f); s != "" {
			return s
		}
	}
	return ""
}

var person = regexp.MustCompile(`^([^<>\pC]+) <([^<>@\s\pC]+@[^<>@\s\pC]+)>$`)

// isPerson tells whether s is NAME <ADDRESS>.
func isPerson(s string) bool { return person.MatchString(s) }

// personOf finds NAME <ADDRESS> in what an author wrote of himself, or of
// several; empty: no name or no address.
func personOf(s string) string {
	name, rest, found := strings.Cut(oneLine(s), "<")
	address, _, closed := strings.Cut(rest, ">")
	if !found || !closed {
		return ""
	}
	for _, separator := range []string{",", ";", "&", " and "} {
		name = name[strings.LastIndex(name, separator)+1:]
	}
	name = strings.TrimPrefix(strings.Trim(name, ` "(`), "and ")
	if p := name + " <" + address + ">"; isPerson(p) {
		return p
	}
	return ""
}

// macroFacts are what C sources say; those of the modules come first. The
// package called name is described by what its module of that name says, or by
// what all say that say anything; KUnit's tests are of none.
func macroFacts(files []FileMacros, modules []string, name string) facts {
	own, all := summed(ofModules(files, modules)), summed(files)
	f := facts{Version: own.Version, License: all.License}
	for _, list := range [][]FileMacros{called(files, name), own.Files, slices.DeleteFunc(slices.Clone(all.Files), isTest)} {
		if f.Summary == "" {
			f.Summary = summaryOf(commonDescription(list))
		}
	}
	for _, a := range append(own.Authors, all.Authors...) {
		if p := personOf(a); p != "" && f.Maintainer == "" {
			f.Maintainer = p
		}
	}
	return f
}

// kunit is a file that holds tests (Documentation/dev-tools/kunit/style.rst).
var kunit = regexp.MustCompile(`[-_](test|kunit)\.c$`)

func isTest(f FileMacros) bool { return kunit.MatchString(f.Path) }

// commonDescription is what all files say that say what they are.
func commonDescription(files []FileMacros) string {
	description := ""
	for _, f := range files {
		switch {
		case f.Description == "" || f.Description == description:
		case description != "":
			return ""
		default:
			description = f.Description
		}
	}
	return description
}

// summaryOf is a text as a summary: one line, without a full stop.
func summaryOf(s string) string {
	s = oneLine(s)
	if !strings.HasSuffix(s, "..") {
		s = strings.TrimSuffix(s, ".")
	}
	return s
}
