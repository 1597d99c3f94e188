package recipe

import (
	"fmt"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// literal is a text as it has to stand in a spec file to be that text.
func literal(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// oneLine is a text that must not become more than one line.
func oneLine(s string) string {
	return literal(strings.Join(strings.Fields(strings.Map(printable, s)), " "))
}

// A tag is a line of a spec file's preamble.
type tag struct{ Name, Value string }

// String lines the values up, as is usual.
func (t tag) String() string { return fmt.Sprintf("%-15s %s", t.Name+":", t.Value) }

// relationTags are the relations in the words of a spec file. Those for scripts
// are needed by each of the scripts that there are.
func relationTags(r pkgfmt.Relations, scripts map[string]string) (tags []tag) {
	var times []string
	for _, name := range scriptNames {
		if scripts[name] != "" {
			times = append(times, name)
		}
	}
	forScripts := "Requires"
	if len(times) > 0 {
		forScripts = "Requires(" + strings.Join(times, ",") + ")"
	}
	for _, group := range []struct {
		name string
		list []string
	}{
		{"Requires", r.Depends}, {forScripts, r.ForScripts}, {"Recommends", r.Recommends}, {"Suggests", r.Suggests}, {"Supplements", r.Supplements},
		{"Enhances", r.Enhances}, {"Provides", r.Provides}, {"Conflicts", r.Conflicts}, {"Obsoletes", r.Replaces},
	} {
		for _, value := range group.list {
			tags = append(tags, tag{group.name, oneLine(value)})
		}
	}
	return tags
}

// scriptNames are rpm's, in the order in which a new package's are run, and
// then an old one's; rpm-scriptlets(7).
var scriptNames = []string{"pretrans", "pre", "post", "posttrans", "preun", "postun"}

// A section is a part of a spec file that begins with its name.
type section struct{ Head, Text string }

// scriptSections are the scripts, whose text stays what it is but for the
// version that they are told.
func scriptSections(scripts map[string]string, version string) (all []section) {
	told := strings.NewReplacer("\nversion='"+version+"'\n", "\nversion='%{dkms_version}'\n")
	for _, name := range scriptNames {
		if text := scripts[name]; text != "" {
			all = append(all, section{"%" + name, strings.TrimRight(told.Replace(literal(text)), "\n") + "\n"})
		}
	}
	return all
}

// paragraphs wraps a description; no line of it can be taken for a section.
func paragraphs(text string) string {
	var out []string
	for _, p := range strings.Split(text, "\n\n") {
		out = append(out, strings.Join(wrap(p, columns), "\n"))
	}
	return literal(strings.Trim(strings.Join(out, "\n\n"), "\n"))
}

// changelog is the %changelog, newest first.
func changelog(changes []pkgfmt.Change, maintainer string) string {
	var b strings.Builder
	for _, c := range changes {
		who := c.Author
		if who == "" {
			who = maintainer
		}
		fmt.Fprintf(&b, "* %s %s\n", c.Time.UTC().Format("Mon Jan 02 2006"), strings.TrimSpace(oneLine(who)+" - "+oneLine(c.Version.String())))
		for _, l := range c.Lines {
			for i, part := range wrap(l, columns-1) {
				b.WriteString([]string{"- ", "  "}[min(i, 1)] + literal(part) + "\n")
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// plainWords refuses what rpmbuild would expand, or a shell split, where it is
// part of a path.
func plainWords(d *source.Description) error {
	for _, s := range []string{d.DKMS.Name, d.DKMS.Version} {
		if !plain.MatchString(s) && strings.Trim(s, nameCharacters) != "" {
			return &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("%q", s), Problem: "cannot stand in a spec file or a Makefile", Hint: "use letters, digits and the characters _ + - . ~"}
		}
	}
	return nil
}

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.~"

// archiveName is that of the source's tarball.
func archiveName(d *source.Description) string { return treeName(d) + ".tar.gz" }

func treeName(d *source.Description) string { return d.DKMS.Name + "-" + d.DKMS.Version }

// rpmPath is a path by the macros for where distributions have such files.
func rpmPath(p string) string {
	for _, prefix := range [][2]string{{"/usr/src/", "%{_usrsrc}/"}, {"/usr/lib/", "%{_usr}/lib/"}, {"/etc/", "%{_sysconfdir}/"}} {
		if rest, ok := strings.CutPrefix(p, prefix[0]); ok {
			return prefix[1] + rest
		}
	}
	return p
}
