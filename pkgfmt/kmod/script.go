package kmod

import (
	"path"
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/templates"
)

// scripts returns the scripts of a package with the modules of b in dir, as
// templates/kmodpkg has them: those named KIND-SCRIPT for each of names.
func scripts(kind, dir string, b Built, names ...string) (map[string]string, error) {
	var paths, patterns []string
	for _, m := range b.Modules {
		paths = append(paths, path.Join(dir, m.File))
		patterns = append(patterns, modulePattern(m.Dest))
	}
	remake := "false"
	if b.Recipe.RemakeInitrd {
		remake = "true"
	}
	fill := strings.NewReplacer(
		"@RELEASE@", b.Kernel.Release, "@DIR@", dir, "@MODULES@", strings.Join(paths, "\n"),
		"@NAMES@", "("+strings.Join(patterns, "|")+")", "@REMAKE@", remake,
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
