package recipe

import (
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// An identity is a name and a version, and where they are from.
type identity struct {
	Name, NameFrom       string
	Version, VersionFrom string
	Guessed              bool // nothing tells the version
}

// identify finds the name and the version of a source.
func identify(dir string, o InitOptions, modules []planned) (identity, error) {
	var id identity
	repo := readRepository(dir)
	base, suffix := splitName(filepath.Base(dir))
	if err := id.name(o.Name, repo.name, base, modules); err != nil {
		return id, err
	}
	return id, id.version(dir, o.Version, repo.tag, suffix)
}

// generic are names of directories that say nothing of what is in them.
var generic = regexp.MustCompile(`(?i)^(src|sources?|drivers?|modules?|kernel|kmod|linux|dkms|build|tmp|work|code|trunk|main|master|repo|package|module[-_]?src)$`)

// name takes the first that can be used: what was given, what the repository is
// cloned from, the directory, the first module.
func (id *identity) name(given, repo, dir string, modules []planned) error {
	if given != "" {
		id.Name, id.NameFrom = given, ", as it was given"
		return dkms.CheckWord("module name", given)
	}
	for _, c := range []struct{ name, from string }{
		{repo, ": that of the repository"}, {dir, ": that of the directory"}, {modules[0].Name, ": that of the module"},
	} {
		name := strings.TrimSuffix(strings.ReplaceAll(c.name, " ", "-"), "-dkms")
		if name == "" || generic.MatchString(name) || !usable(name) {
			continue
		}
		id.Name, id.NameFrom = name, c.from
		return nil
	}
	id.Name, id.NameFrom = modules[0].Name, ": that of the module"
	return nil
}

// usable reports whether packages of both formats can have the name.
func usable(name string) bool {
	_, deb := pkgfmt.DebName(name)
	_, rpm := pkgfmt.RPMName(name)
	return dkms.CheckWord("module name", name) == nil && deb == nil && rpm == nil
}

func usableVersion(version string) bool {
	_, deb := pkgfmt.MapVersion(pkgfmt.Deb, version)
	_, rpm := pkgfmt.MapVersion(pkgfmt.RPM, version)
	return dkms.CheckWord("module version", version) == nil && deb == nil && rpm == nil
}

// version takes the first that can be used: what was given, MODULE_VERSION, the
// newest tag, a file VERSION, the directory.
func (id *identity) version(dir, given, tag, suffix string) error {
	if given != "" {
		id.Version, id.VersionFrom = given, ", as it was given"
		return dkms.CheckWord("module version", given)
	}
	macros, err := source.ReadMacros(dir)
	if err != nil {
		macros = source.Macros{} // what is wrong with the tree, lint says
	}
	for _, c := range []struct{ version, from string }{
		{macros.Version, ": MODULE_VERSION. It stands in the source as well: change both"},
		{tag, ": that of the newest tag"},
		{versionFile(dir), ": that in the file VERSION"},
		{suffix, ": that of the directory"},
	} {
		version := c.version
		if len(version) > 1 && (version[0] == 'v' || version[0] == 'V') && version[1] >= '0' && version[1] <= '9' {
			version = version[1:]
		}
		if usableVersion(version) {
			id.Version, id.VersionFrom = version, c.from
			return nil
		}
	}
	id.Guessed = true
	id.Version, id.VersionFrom = "0.1", ". Nothing in the source tells one (MODULE_VERSION, a tag, a file VERSION): change it"
	return nil
}

var versionSuffix = regexp.MustCompile(`^(.+?)[-_]v?([0-9]+(?:\.[0-9A-Za-z~+]+)+|[0-9]{6,8}|[0-9]+)$`)

// splitName takes the name of a directory apart: foo-1.2 is foo and 1.2, and
// foo-master is foo.
func splitName(base string) (name, version string) {
	for _, branch := range []string{"-master", "-main", "-trunk"} {
		base = strings.TrimSuffix(base, branch)
	}
	if m := versionSuffix.FindStringSubmatch(base); m != nil {
		return m[1], m[2]
	}
	return base, ""
}

// versionFile is the first line of a file VERSION.
func versionFile(dir string) string {
	for _, name := range []string{"VERSION", "version", ".version"} {
		text, err := readStart(filepath.Join(dir, name))
		if line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n")); err == nil && len(line) < 64 {
			return string(bytes.TrimSpace(line))
		}
	}
	return ""
}

// readStart reads at most 1 MiB of a regular file, which may not be a link.
func readStart(file string) ([]byte, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// remoteName is the last element of a repository's address.
func remoteName(url string) string {
	url = strings.TrimSuffix(strings.TrimRight(strings.ReplaceAll(url, ":", "/"), "/"), ".git")
	if base := path.Base(url); base != "." && base != "/" {
		return base
	}
	return ""
}
