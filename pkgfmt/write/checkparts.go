package write

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"pault.ag/go/debian/dependency"
	"pault.ag/go/debian/version"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// relations holds each relation against the format's grammar.
func (l *problems) relations(p pkgfmt.Package) {
	for _, list := range relationLists(p.Relations) {
		object := strings.ToLower(list.name)
		switch {
		case len(list.words) == 0:
			continue
		case p.Format == pkgfmt.Deb && (list.name == "Supplements" || list.name == "ForScripts"):
			l.add(object, "is RPM's, and this is a .deb")
			continue
		case p.Format != pkgfmt.Deb && list.name == "Breaks":
			l.add(object, "is Debian's, and this is a .%s", p.Format)
			continue
		}
		for _, word := range list.words {
			if p.Format != pkgfmt.Deb {
				if _, err := parseRelation(word); err != nil {
					l.list = append(l.list, err)
				}
				continue
			}
			if problem := debRelation(word, list.name == "Provides"); problem != "" {
				l.add("relation "+word, "%s", problem)
			}
		}
	}
	if words := p.Fields["Pre-Depends"]; words != "" && p.Format == pkgfmt.Deb {
		for word := range strings.SplitSeq(words, ",") {
			if problem := debRelation(strings.TrimSpace(word), false); problem != "" {
				l.add("relation "+word, "%s", problem)
			}
		}
	}
}

var debArchOfRelation = regexp.MustCompile(`^(any|native|[a-z0-9]+(-[a-z0-9]+)*)$`)

// debRelation returns what is wrong with a relation, deb-control(5) and policy
// 7.1: alternatives of NAME[:ARCH] [(OPERATOR VERSION)]. pault.ag/go/debian
// takes more than that, so what it has understood is looked at.
func debRelation(word string, provides bool) string {
	if strings.ContainsFunc(word, isControl) || !utf8.ValidString(word) || strings.ContainsAny(word, ",[]") {
		return "is no single relation of a binary package"
	}
	parsed, err := dependency.Parse(word)
	if err != nil || len(parsed.Relations) != 1 || len(parsed.Relations[0].Possibilities) != strings.Count(word, "|")+1 {
		return "is no relation of Debian's: NAME, or NAME (>= VERSION)"
	}
	for _, one := range parsed.Relations[0].Possibilities {
		switch {
		case !debGrammar.name.MatchString(one.Name):
			return fmt.Sprintf("%q is no name of a package", one.Name)
		case one.Substvar || one.Architectures != nil && len(one.Architectures.Architectures) > 0 || len(one.StageSets) > 0:
			return "has what only a source package may have"
		case one.Arch != nil && !debArchOfRelation.MatchString(one.Arch.String()):
			return "names no architecture"
		case one.Version != nil && !operators[one.Version.Operator]:
			return fmt.Sprintf("%q is no operator", one.Version.Operator)
		case one.Version != nil && !debVersion(one.Version.Number):
			return fmt.Sprintf("%q is no version", one.Version.Number)
		case provides && (len(parsed.Relations[0].Possibilities) > 1 || one.Version != nil && one.Version.Operator != "="):
			return "cannot be provided"
		}
	}
	return ""
}

var operators = map[string]bool{"<<": true, "<=": true, "=": true, ">=": true, ">>": true}

func debVersion(s string) bool {
	v, err := version.Parse(s)
	return err == nil && debGrammar.upstream.MatchString(strings.ReplaceAll(v.Version, ":", "")) && debGrammar.revision.MatchString(v.Revision)
}

var debScripts = []string{"preinst", "postinst", "prerm", "postrm"}

// scripts checks that each script is one that the format runs.
func (l *problems) scripts(p pkgfmt.Package) {
	known := map[string]bool{}
	switch p.Format {
	case pkgfmt.Deb:
		for _, name := range debScripts {
			known[name] = true
		}
	case pkgfmt.RPM:
		for _, s := range scriptlets {
			known[s.name] = true
		}
	}
	for _, name := range sortedKeys(p.Scripts) {
		text, object := p.Scripts[name], "script "+name
		switch {
		case !known[name]:
			l.add(object, "is none of a .%s", p.Format)
		case strings.TrimSpace(text) == "":
			l.add(object, "is empty")
		case strings.Contains(text, "\x00"):
			l.add(object, "has a zero byte")
		case p.Format == pkgfmt.Deb && !strings.HasPrefix(text, "#!"):
			l.add(object, "does not begin with #!, so dpkg cannot run it")
		}
	}
}

var triggerName = regexp.MustCompile(`^[!-~]+$`)

func (l *problems) triggers(p pkgfmt.Package) {
	if p.Format != pkgfmt.Deb && len(p.Triggers) > 0 {
		l.add("triggers", "are Debian's, and this is a .%s", p.Format)
	}
	if p.Format != pkgfmt.RPM && len(p.FileTriggers) > 0 {
		l.add("file triggers", "are RPM's, and this is a .%s", p.Format)
	}
	for _, line := range p.Triggers {
		words := strings.Fields(line)
		if len(words) != 2 || directives[words[0]] == nil || !triggerName.MatchString(words[1]) || strings.ContainsFunc(line, isControl) {
			l.add(fmt.Sprintf("trigger %q", line), "is no line of a triggers file")
		}
	}
	for _, t := range p.FileTriggers {
		if _, ok := triggerSenses[t.On]; !ok || len(t.Prefixes) == 0 || strings.TrimSpace(t.Script) == "" || strings.Contains(t.Script, "\x00") {
			l.add("file trigger", "has no occasion, no path or no script")
		}
		for _, prefix := range t.Prefixes {
			if !path.IsAbs(prefix) || strings.ContainsFunc(prefix, isControl) {
				l.add(fmt.Sprintf("file trigger %q", prefix), "is no absolute path")
			}
		}
	}
}

func (l *problems) compression(p pkgfmt.Package) {
	c := usual(p.Format, p.Compression)
	top, ok := levels[c.Algorithm]
	switch {
	case !ok:
		l.add(fmt.Sprintf("compression %q", c.Algorithm), "is neither gzip, xz, zstd nor none")
	case c.Level < 0 || c.Level > top:
		l.add(fmt.Sprintf("level %d of %s", c.Level, c.Algorithm), "is not between 1 and %d", top)
	}
}
