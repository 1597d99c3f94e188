package write

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// problems collects what is wrong with a package, so that all of it is told at
// once.
type problems struct{ list []error }

// tooMany is how many problems are told; a hostile tree has one for each file.
const tooMany = 20

func (l *problems) add(object, problem string, args ...any) {
	l.list = append(l.list, refuse(object, problem, args...))
}

func (l *problems) err() error {
	if more := len(l.list) - tooMany; more > 0 {
		l.list = append(l.list[:tooMany:tooMany], fmt.Errorf("and %d more", more))
	}
	return errors.Join(l.list...)
}

// Check returns why p cannot be written: it is not what its format can hold. All
// problems are told at once, joined (errors.Join), each of Kind Usage. Files are
// not looked at but for what p says of them. To and Package check by themselves.
func Check(p pkgfmt.Package) error {
	var l problems
	if _, err := pkgfmt.ParseFormat(string(p.Format)); err != nil {
		return err
	}
	l.identity(p)
	l.texts(p)
	l.relations(p)
	l.scripts(p)
	l.triggers(p)
	l.files(p)
	l.compression(p)
	return l.err()
}

// A grammar is what a format takes for the words of a package's identity.
type grammar struct {
	name, upstream, revision, arch *regexp.Regexp
	foreign                        []string // architectures of the other format
}

var (
	// Policy 5.6.1, 5.6.12 (with the epoch apart) and 5.6.8.
	debGrammar = grammar{
		name:     regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`),
		upstream: regexp.MustCompile(`^[0-9][A-Za-z0-9.+~-]*$`),
		revision: regexp.MustCompile(`^[A-Za-z0-9.+~]*$`),
		arch:     regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`),
		foreign:  []string{"noarch", "aarch64", "i686"},
	}
	// What rpmbuild takes, and of names what Fedora's guidelines do.
	rpmGrammar = grammar{
		name:     regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]*$`),
		upstream: regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~^]*$`),
		revision: regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~^]*$`),
		arch:     regexp.MustCompile(`^[a-z0-9_]+$`),
		foreign:  []string{"all", "any", "amd64", "arm64"},
	}
)

func (l *problems) identity(p pkgfmt.Package) {
	g := rpmGrammar
	if p.Format == pkgfmt.Deb {
		g = debGrammar
	}
	const longest = 200 // a file of that name must be possible
	word := func(what, s string, re *regexp.Regexp) bool {
		if re.MatchString(s) && len(s) <= longest {
			return true
		}
		l.add(fmt.Sprintf("%s %q", what, s), "is none for a .%s", p.Format)
		return false
	}
	word("package name", p.Name, g.name)
	word("version", p.Version.Upstream, g.upstream)
	word("revision", p.Version.Revision, g.revision)
	if p.Format == pkgfmt.Deb && p.Version.Revision == "" && strings.Contains(p.Version.Upstream, "-") {
		l.add(fmt.Sprintf("version %q", p.Version.Upstream), "has a -, but no revision after it")
	}
	if p.Version.Epoch < 0 || p.Version.Epoch > math.MaxInt32 {
		l.add(fmt.Sprintf("epoch %d", p.Version.Epoch), "is out of range")
	}
	if word("architecture", p.Arch, g.arch) {
		for _, f := range g.foreign {
			if p.Arch == f {
				l.add(fmt.Sprintf("architecture %q", p.Arch), "is none for a .%s", p.Format)
			}
		}
	}
	if s := p.Time.Unix(); s < 0 || s > math.MaxInt32 {
		l.add("time of the package", "%v is not between 1970 and 2038", p.Time)
	}
}

// line reports a text that is to stand in one line and cannot.
func (l *problems) line(object, s string) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, isControl) {
		l.add(object, "%q has characters that end or break a line", s)
	}
}

func isControl(c rune) bool {
	return c < ' ' || c == 0x7f || c == '\u0085' || c == '\u2028' || c == '\u2029'
}

func (l *problems) texts(p pkgfmt.Package) {
	for _, text := range []struct{ name, text string }{
		{"summary", p.Summary}, {"license", p.License}, {"homepage", p.Homepage}, {"maintainer", p.Maintainer},
		{"vendor", p.Vendor}, {"section", p.Section},
	} {
		l.line(text.name, text.text)
	}
	if strings.TrimSpace(p.Summary) == "" {
		l.add("summary", "is missing")
	}
	if p.Format == pkgfmt.Deb && strings.TrimSpace(p.Maintainer) == "" {
		l.list = append(l.list, &dkms.Error{Kind: dkms.Usage, Object: "maintainer", Problem: "is missing, and a .deb must have one",
			Hint: "a line in dkms-mkpkg.yaml names one: maintainer: NAME <ADDRESS>"})
	}
	if strings.ContainsAny(p.Description, "\x00\r\v\f\x1b") || !utf8.ValidString(p.Description) {
		l.add("description", "has control characters, or is not in UTF-8")
	}
	for _, c := range p.Changes {
		l.line("author of a change", c.Author)
		for _, text := range c.Lines {
			l.line("change", strings.ReplaceAll(text, "\n", " "))
		}
		if s := c.Time.Unix(); s < 0 || s > math.MaxInt32 {
			l.add("time of a change", "%v is not between 1970 and 2038", c.Time)
		}
	}
	l.fields(p)
}

var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

// own are the fields that the writer makes itself, in lower case.
var own = map[string]bool{
	"package": true, "version": true, "section": true, "architecture": true, "maintainer": true, "installed-size": true,
	"replaces": true, "provides": true, "depends": true, "recommends": true, "suggests": true, "conflicts": true, "breaks": true,
	"enhances": true, "homepage": true, "description": true,
}

func (l *problems) fields(p pkgfmt.Package) {
	seen := map[string]bool{}
	for _, name := range sortedKeys(p.Fields) {
		lower := strings.ToLower(name)
		object := fmt.Sprintf("field %q", name)
		switch {
		case p.Format != pkgfmt.Deb:
			l.add(object, "is Debian's, and this is a .%s", p.Format)
		case !fieldName.MatchString(name):
			l.add(object, "is no name of a field")
		case own[lower] || lower == "priority" && name != "Priority":
			l.add(object, "is told by other means")
		case seen[lower]:
			l.add(object, "is there twice")
		}
		seen[lower] = true
		l.line(object, p.Fields[name])
	}
}
