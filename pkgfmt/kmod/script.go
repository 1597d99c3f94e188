package kmod

import (
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/templates"
)

// scripts returns the scripts of p, a package with the modules of b, as
// templates/kmodpkg has them: those named KIND-SCRIPT for each of names.
func scripts(kind string, p pkgfmt.Package, b Built, names ...string) (map[string]string, error) {
	var paths, patterns []string
	for _, f := range p.Files {
		if f.Source != "" {
			paths = append(paths, f.Path)
		}
	}
	for _, m := range b.Modules {
		patterns = append(patterns, modulePattern(m.Dest))
	}
	remake := "false"
	if b.Recipe.RemakeInitrd {
		remake = "true"
	}
	fill := strings.NewReplacer(
		"@RELEASE@", b.Kernel.Release, "@NAME@", p.Name, "@MODULES@", strings.Join(paths, "\n"),
		"@PATTERN@", "/("+strings.Join(patterns, "|")+`)\.ko`, "@REMAKE@", remake,
	)
	out := map[string]string{}
	for _, name := range names {
		text, err := templates.KmodPackages.ReadFile("kmodpkg/" + kind + "-" + name)
		if err != nil {
			return nil, err
		}
		out[name] = fill.Replace(string(text))
	}
	return out, nil
}

// modulePattern is an extended regular expression for a module's name, in which
// the kernel does not tell "-" from "_".
func modulePattern(name string) string {
	parts := strings.Split(strings.ReplaceAll(name, "_", "-"), "-")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return strings.Join(parts, "[-_]")
}
