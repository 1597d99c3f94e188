package source

import (
	"net/mail"
	"regexp"
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

// personOf finds NAME <ADDRESS> in what an author wrote of himself; empty: no
// name or no address.
func personOf(s string) string {
	s = oneLine(s)
	if isPerson(s) {
		return s
	}
	name, rest, found := strings.Cut(s, "<")
	if !found {
		return ""
	}
	address, _, _ := strings.Cut(rest, ">")
	name = strings.Trim(name, ` ",;(`)
	if _, err := mail.ParseAddress("<" + address + ">"); err != nil {
		return ""
	}
	if p := name + " <" + address + ">"; isPerson(p) {
		return p
	}
	return ""
}

// macroFacts are what C sources say; those of the modules come first.
func macroFacts(files []FileMacros, modules []string) facts {
	own, all := summed(ofModules(files, modules)), summed(files)
	f := facts{Version: own.Version, Summary: summaryOf(own.Description), License: all.License}
	if f.Summary == "" {
		f.Summary = summaryOf(all.Description)
	}
	for _, a := range append(own.Authors, all.Authors...) {
		if p := personOf(a); p != "" && f.Maintainer == "" {
			f.Maintainer = p
		}
	}
	return f
}

// summaryOf is a text as a summary: one line, without a full stop.
func summaryOf(s string) string {
	s = oneLine(s)
	if !strings.HasSuffix(s, "..") {
		s = strings.TrimSuffix(s, ".")
	}
	return s
}
