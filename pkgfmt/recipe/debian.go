package recipe

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/srcpkg"
)

// Debian returns the files of a debian/ directory, by paths relative to the
// source: dpkg-buildpackage makes of it the package that srcpkg makes, but with
// the maintainer scripts of Debian's dh_dkms(1). The error is a *dkms.Error: no
// package can have that name, version or file.
func Debian(d *source.Description) ([]pkgfmt.File, error) {
	if err := plainWords(d); err != nil {
		return nil, err
	}
	if !dhAccepts.MatchString(d.DKMS.Version) {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("%q", d.DKMS.Version), Problem: "is a version that dh_dkms does not accept", Hint: "version: in dkms-mkpkg.yaml sets another"}
	}
	p, err := srcpkg.Compose(d, pkgfmt.Deb)
	if err != nil {
		return nil, err
	}
	if p.Maintainer == "" {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: "maintainer", Problem: "nothing tells who makes the package", Hint: "maintainer: NAME <ADDRESS> in dkms-mkpkg.yaml"}
	}
	deb := debian{p: p, d: d}
	if deb.more, err = extras(d, p); err != nil {
		return nil, err
	}
	for _, step := range []func() error{deb.control, deb.rules, deb.leftOut, deb.changelog, deb.dkms, deb.texts, deb.scripts, deb.beside} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(deb.files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return deb.files, nil
}

// debian is a debian/ directory on the way.
type debian struct {
	d     *source.Description
	p     pkgfmt.Package
	more  []extra
	files []pkgfmt.File
}

func (b *debian) add(name, text string) {
	mode := fs.FileMode(0o644)
	if name == "rules" {
		mode = 0o755
	}
	b.files = append(b.files, pkgfmt.File{Path: "debian/" + name, Mode: mode, Data: []byte(text)})
}

// of is the name of a file that is for the package.
func (b *debian) of(what string) string { return b.p.Name + "." + what }

// control is debian/control, deb-src-control(5).
func (b *debian) control() error {
	p := b.p
	text, err := render("debian-control", struct {
		pkgfmt.Package
		Relations []tag
		Fields    []tag
		Summary   string
		Text      string
	}{p, debianRelations(p.Relations, b.d.Relations[pkgfmt.Deb].Depends, p.Version), debianFields(p.Fields), strings.Join(strings.Fields(strings.Map(printable, p.Summary)), " "), debianText(p.Description)})
	b.add("control", string(text))
	return err
}

// debianRelations are the relations as lines of control. Which dkms is needed
// dh_dkms finds out, and says in ${misc:Depends}; what else is, the source. What
// the package provides follows its version.
func debianRelations(r pkgfmt.Relations, depends []string, v pkgfmt.Version) (tags []tag) {
	v.Revision = ""
	provides := slices.Clone(r.Provides)
	for i, p := range provides {
		if name, ok := strings.CutSuffix(p, "-modules (= "+v.String()+")"); ok {
			provides[i] = name + "-modules (= ${source:Upstream-Version})"
		}
	}
	for _, group := range []struct {
		name string
		list []string
	}{
		{"Depends", append([]string{"${misc:Depends}"}, depends...)}, {"Recommends", r.Recommends}, {"Suggests", r.Suggests}, {"Enhances", r.Enhances},
		{"Provides", provides}, {"Breaks", r.Breaks}, {"Conflicts", r.Conflicts}, {"Replaces", r.Replaces},
	} {
		if len(group.list) > 0 {
			tags = append(tags, tag{group.name, strings.Join(group.list, ",\n ")})
		}
	}
	return tags
}

func debianFields(fields map[string]string) (tags []tag) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "Priority" {
			tags = append(tags, tag{name, fields[name]})
		}
	}
	return tags
}

// debianText is the long description, deb-control(5).
func debianText(text string) string {
	var b strings.Builder
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString(" .\n")
		}
		for _, line := range wrap(p, columns) {
			b.WriteString(" " + line + "\n")
		}
	}
	return b.String()
}

// changelog is debian/changelog, deb-changelog(5).
func (b *debian) changelog() error {
	var text strings.Builder
	for _, c := range b.p.Changes {
		fmt.Fprintf(&text, "%s (%s) unstable; urgency=medium\n\n", b.p.Name, c.Version)
		for _, l := range c.Lines {
			for i, part := range wrap(l, columns-3) {
				text.WriteString([]string{"  * ", "    "}[min(i, 1)] + part + "\n")
			}
		}
		who := c.Author
		if who == "" {
			who = b.p.Maintainer
		}
		fmt.Fprintf(&text, "\n -- %s  %s\n\n", who, c.Time.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	}
	b.add("changelog", strings.TrimRight(text.String(), "\n")+"\n")
	format := "3.0 (quilt)"
	if b.p.Version.Revision == "" {
		format = "3.0 (native)"
	}
	b.add("source/format", format+"\n")
	return nil
}

// leftOut lists, for tar, what stays out of the package's /usr/src: as dh_dkms
// brings it, the dkms.conf, and what is ignored.
func (b *debian) leftOut() error {
	patterns, err := leftOut(b.d)
	b.add("left-out", strings.Join(append(patterns, "./dkms.conf"), "\n")+"\n")
	return err
}

// What dh_dkms(1) reads of a dkms.conf, and how: by lines, the last of which
// counts. The version has to be one that it accepts since dkms 3.2.
var (
	dhName    = regexp.MustCompile(`PACKAGE_NAME=(?:"(.*)"|'(.*)'|(.*))`)
	dhVersion = regexp.MustCompile(`PACKAGE_VERSION=(?:"(.*)"|'(.*)'|(.*))`)
	dhAccepts = regexp.MustCompile(`^[-+.~:0-9a-zA-Z]+$`)
)

// dkms is the file by which dh_dkms finds the dkms.conf: a line that names it,
// or where that would be misread, a copy with plain values at its end.
func (b *debian) dkms() error {
	i := slices.IndexFunc(b.d.Files, func(f pkgfmt.File) bool { return f.Path == "dkms.conf" })
	if i < 0 {
		return &dkms.Error{Kind: dkms.ConfMissing, Object: b.d.Dir, Problem: "has no dkms.conf"}
	}
	data, err := content(b.d.Files[i], 1<<20)
	if err != nil {
		return err
	}
	text := string(data)
	if b.d.Files[i].Source != "" && lastMatch(dhName, text) == b.d.DKMS.Name && lastMatch(dhVersion, text) == b.d.DKMS.Version {
		b.add(b.of("dkms"), "dkms.conf\n")
		return nil
	}
	b.add(b.of("dkms"), fmt.Sprintf("%s\n\n# For dh_dkms, which reads lines.\nPACKAGE_NAME=\"%s\"\nPACKAGE_VERSION=\"%s\"\n", strings.TrimRight(text, "\n"), b.d.DKMS.Name, b.d.DKMS.Version))
	return nil
}

func lastMatch(expr *regexp.Regexp, text string) (found string) {
	for line := range strings.Lines(text) {
		if m := expr.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			found = m[1] + m[2] + m[3]
		}
	}
	return found
}

// texts are the copyright file and the list of texts for people.
func (b *debian) texts() error {
	var docs []string
	for _, f := range b.p.Files {
		name, ok := strings.CutPrefix(f.Path, "/usr/share/doc/"+b.p.Name+"/")
		switch {
		case !ok || f.Kind != pkgfmt.Doc:
		case name == "copyright":
			b.add("copyright", string(f.Data))
		case plain.MatchString(name):
			docs = append(docs, name)
		}
	}
	if len(docs) > 0 {
		b.add(b.of("docs"), strings.Join(docs, "\n")+"\n")
	}
	return nil
}

// scripts are the source's own, run after what debhelper puts in.
func (b *debian) scripts() error {
	for _, name := range slices.Sorted(maps.Keys(b.d.Scripts[pkgfmt.Deb])) {
		text := b.d.Scripts[pkgfmt.Deb][name]
		if strings.HasPrefix(text, "#!") {
			_, text, _ = strings.Cut(text, "\n")
		}
		b.add(b.of(name), "#!/bin/sh\nset -e\n\n#DEBHELPER#\n\n"+strings.TrimRight(text, "\n")+"\n")
	}
	return nil
}

// rules is debian/rules.
func (b *debian) rules() error {
	var install []string
	for i := range b.more {
		install = append(install, b.install(&b.more[i])...)
	}
	text, err := render("debian-rules", struct {
		Name    string
		Install []string
	}{b.p.Name, install})
	b.add("rules", string(text))
	return err
}

// install are the commands that bring an extra file to its place.
func (b *debian) install(e *extra) []string {
	to := makeWord("debian/" + b.p.Name + e.Path)
	mode := fmt.Sprintf("%04o", e.Mode.Perm())
	switch {
	case e.Kind == pkgfmt.Directory:
		return []string{"install -d -m " + mode + " " + to}
	case e.Kind == pkgfmt.Link:
		return []string{"install -d " + makeWord("debian/"+b.p.Name+path.Dir(e.Path)), "ln -s " + makeWord(e.Target) + " " + to}
	case e.InTree != "":
		return []string{"install -D -m " + mode + " " + makeWord(inTree(e.InTree)) + " " + to}
	}
	e.Beside = strings.TrimPrefix(e.Path, "/")
	return []string{"install -D -m " + mode + " " + makeWord("debian/extra/"+e.Beside) + " " + to}
}

// beside are the extra files that are not of the tree. dpkg-source takes those
// that are no text only if they are listed.
func (b *debian) beside() error {
	binaries := ""
	for _, e := range b.more {
		if e.Beside == "" {
			continue
		}
		data, err := content(e.File, maxExtra)
		if err != nil {
			return err
		}
		b.add("extra/"+e.Beside, string(data))
		if bytes.IndexByte(data, 0) >= 0 {
			binaries += "debian/extra/" + e.Beside + "\n"
		}
	}
	if binaries != "" {
		b.add("source/include-binaries", binaries)
	}
	return nil
}

// makeWord is a word of sh in a recipe of make.
func makeWord(s string) string { return strings.ReplaceAll(shellWord(s), "$", "$$") }
