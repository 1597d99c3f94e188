package srcpkg

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/templates"
)

// names are those that a format's scripts may have.
var names = map[pkgfmt.Format][]string{
	pkgfmt.Deb: {"preinst", "postinst", "prerm", "postrm"},
	pkgfmt.RPM: {"pretrans", "pre", "post", "preun", "postun", "posttrans"},
}

// scripts are ours, and after them the source's own, by their names.
func scripts(d *source.Description, f pkgfmt.Format) (map[string]string, error) {
	out := map[string]string{}
	entries, err := templates.SourcePackages.ReadDir("mkpkg/" + string(f))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if out[e.Name()], err = ours(d, f, e.Name()); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Scripts[f])) {
		text, err := theirs(name, d.Scripts[f][name])
		switch {
		case err != nil:
			return nil, err
		case !slices.Contains(names[f], name):
			return nil, refuse("script "+name, fmt.Sprintf("is none of a .%s: those are %s", f, strings.Join(names[f], ", ")))
		case out[name] == "" && f == pkgfmt.Deb:
			out[name] = debHeader
		}
		out[name] += "\n" + text
	}
	return out, nil
}

const debHeader = "#!/bin/sh\nset -e\n"

// ours is one of our scripts: the variables, and then its text.
func ours(d *source.Description, f pkgfmt.Format, name string) (string, error) {
	text, err := included(string(f) + "/" + name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if f == pkgfmt.Deb {
		b.WriteString(debHeader)
	}
	autoinstall := "no"
	if d.Conf != nil && d.Conf.Autoinstall {
		autoinstall = "yes"
	}
	for _, v := range [][2]string{
		{"name", quoted(d.DKMS.Name)}, {"version", quoted(d.DKMS.Version)}, {"tree", "/var/lib/dkms/$name"}, {"autoinstall", autoinstall},
	} {
		if strings.Contains(text, "$"+v[0]) || v[0] == "name" {
			b.WriteString(v[0] + "=" + v[1] + "\n")
		}
	}
	b.WriteString("\n" + text)
	return b.String(), nil
}

// include is a line in whose place a text of shell functions goes.
var include = regexp.MustCompile(`(?m)^# @([a-z]+)@\n`)

// included is a text of templates/mkpkg with those that it names.
func included(name string) (string, error) {
	text, err := templates.SourcePackages.ReadFile("mkpkg/" + name)
	if err != nil {
		return "", err
	}
	out := include.ReplaceAllStringFunc(string(text), func(line string) string {
		var functions []byte
		if functions, err = templates.SourcePackages.ReadFile("mkpkg/" + include.FindStringSubmatch(line)[1] + ".sh"); err != nil {
			return ""
		}
		return string(functions) + "\n"
	})
	return out, err
}

// theirs is a script of the source's for /bin/sh, to be run after ours with the
// same arguments.
func theirs(name, text string) (string, error) {
	if first, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "#!") {
		words := strings.Fields(first[2:])
		if len(words) == 0 || words[0] != "/bin/sh" {
			return "", refuse("script "+name, "is not for /bin/sh, but for "+strings.TrimSpace(first[2:]))
		}
		text = rest
	}
	return strings.TrimRight(text, "\n") + "\n", nil
}

// quoted is s as one word of sh.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
