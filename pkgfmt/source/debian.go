package source

import (
	"fmt"
	"net/mail"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// maxPackaging is the biggest file of debian/, or spec, that is looked into.
const maxPackaging = 1 << 20

// A paragraph is one of a Debian control file, deb822(5): fields in lower case.
type paragraph map[string]string

// paragraphs reads a Debian control file; what is none is passed over.
func paragraphs(text string) []paragraph {
	var out []paragraph
	var now paragraph
	field := ""
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case line == "":
			now, field = nil, ""
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if field != "" {
				now[field] += "\n" + line
			}
		default:
			name, value, found := strings.Cut(line, ":")
			if !found || strings.ContainsAny(name, " \t") {
				field = ""
				continue
			}
			if now == nil {
				now = paragraph{}
				out = append(out, now)
			}
			field = strings.ToLower(name)
			now[field] = strings.TrimSpace(value)
		}
	}
	return out
}

// debianFacts are what debian/ says.
func debianFacts(root *os.Root) facts {
	var f facts
	read := func(name string) string {
		text, err := readSmall(root, "debian/"+name, maxPackaging)
		if err != nil {
			return ""
		}
		return strings.ToValidUTF8(string(text), "?")
	}
	if all := paragraphs(read("control")); len(all) > 0 {
		source, own := all[0], moduleParagraph(all[1:])
		f.Maintainer, f.Homepage = personOf(source["maintainer"]), httpURL(source["homepage"])
		if section := source["section"]; sectionName.MatchString(section) {
			f.Section = section
		}
		if section := own["section"]; sectionName.MatchString(section) {
			f.Section = section
		}
		synopsis, long, _ := strings.Cut(own["description"], "\n")
		f.Summary, f.Description = withoutDKMS(summaryOf(synopsis)), debianText(long)
		if strings.Contains(f.Summary+f.Description, "${") {
			f.Summary, f.Description = "", ""
		}
	}
	f.License = debianLicense(paragraphs(read("copyright")))
	f.Changes = debianChanges(read("changelog"))
	if len(f.Changes) > 0 {
		f.Version = f.Changes[0].Version.Upstream
	}
	return f
}

var sectionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+./ -]*$`)

// moduleParagraph is the binary package that is about the modules.
func moduleParagraph(all []paragraph) paragraph {
	for _, p := range all {
		if strings.HasSuffix(p["package"], "-dkms") {
			return p
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return paragraph{}
}

// withoutDKMS drops what Debian's packages of sources are marked by.
func withoutDKMS(s string) string {
	for _, mark := range []string{" (DKMS)", " (dkms)", " - DKMS", " (DKMS source)", " - DKMS source"} {
		s = strings.TrimSuffix(s, mark)
	}
	return s
}

// debianText is a long description without Debian's marks: paragraphs
// separated by empty lines.
func debianText(s string) string {
	var paragraphs, lines []string
	end := func() {
		if len(lines) > 0 {
			paragraphs = append(paragraphs, strings.Join(lines, "\n"))
		}
		lines = nil
	}
	for line := range strings.SplitSeq(s, "\n") {
		switch text := strings.TrimSpace(line); {
		case text == "" || text == ".":
			end()
		case strings.HasPrefix(line, "  ") || len(lines) == 0:
			lines = append(lines, text)
		default:
			lines[len(lines)-1] += " " + text
		}
	}
	end()
	return strings.Join(paragraphs, "\n\n")
}

var (
	debianNames = strings.NewReplacer("Expat", "MIT", "BSD-3-clause", "BSD-3-Clause", "BSD-2-clause", "BSD-2-Clause", " or ", " OR ", " and ", " AND ")
	debianGNU   = regexp.MustCompile(`\b([AL]?GPL-[0-9])([+ )]|$)`)
)

// debianLicense is what a machine-readable debian/copyright says of all files,
// where its short name is SPDX's or nearly so.
func debianLicense(all []paragraph) string {
	for _, p := range all {
		if strings.TrimSpace(p["files"]) == "*" {
			name, _, _ := strings.Cut(p["license"], "\n")
			name = debianGNU.ReplaceAllString(debianNames.Replace(name), "$1.0$2")
			if e, ok := spdxExpression(name); ok {
				return e
			}
		}
	}
	return ""
}

var (
	changeHead = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]* \(([^ ()]+)\) [^;]+;`)
	changeFoot = regexp.MustCompile(`^ -- (.*<.*>)  ?(.*)$`)
)

// maxChanges is how many entries of a changelog are taken.
const maxChanges = 200

// debianChanges reads a Debian changelog, deb-changelog(5), as far as it is one.
func debianChanges(text string) []pkgfmt.Change {
	var out []pkgfmt.Change
	var now *pkgfmt.Change
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		head, foot := changeHead.FindStringSubmatch(line), changeFoot.FindStringSubmatch(line)
		switch {
		case head != nil:
			now = &pkgfmt.Change{Version: parseVersion(head[1])}
		case now == nil:
		case foot != nil:
			at, err := mail.ParseDate(foot[2])
			if now.Author = personOf(foot[1]); err != nil || now.Author == "" || len(out) == maxChanges {
				return out
			}
			now.Time = at.UTC()
			if len(now.Lines) > 0 {
				out = append(out, *now)
			}
			now = nil
		case strings.HasPrefix(line, "  * "):
			now.Lines = append(now.Lines, oneLine(line[4:]))
		case strings.HasPrefix(line, "  ") && len(now.Lines) > 0:
			now.Lines[len(now.Lines)-1] += " " + oneLine(line)
		}
	}
	return out
}

// parseVersion splits a version of Debian's: [EPOCH:]UPSTREAM[-REVISION].
func parseVersion(s string) pkgfmt.Version {
	var v pkgfmt.Version
	if epoch, rest, found := strings.Cut(s, ":"); found {
		if n, err := strconv.ParseUint(epoch, 10, 31); err == nil {
			v.Epoch, s = int(n), rest
		}
	}
	v.Upstream = s
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		v.Upstream, v.Revision = s[:i], s[i+1:]
	}
	return v
}

// parseTime reads a date of dkms-mkpkg.yaml: 2024-05-01, or with a time of day (RFC 3339).
func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Unix() >= 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date such as 2024-05-01, or 2024-05-01T12:00:00Z", s)
}
