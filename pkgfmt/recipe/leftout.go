package recipe

import (
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// always is what a directory that packages are built in may have and none of
// them does, in the words of tar: debian/, what quilt works with and what kbuild
// leaves.
var always = []string{"./.pc", "./debian", "*.o", "*.ko", "*.mod", "*.mod.c", ".*.cmd", "Module.symvers", "modules.order"}

// controlled is what tar --exclude-vcs knows by itself.
var controlled = regexp.MustCompile(`^(\.git|\.gitignore|\.gitattributes|\.gitmodules|\.svn|\.hg|\.hgignore|\.bzr|\.bzrignore|_darcs|CVS|\.cvsignore|RCS|SCCS)$`)

// leftOut are the patterns, for tar, of what is in a source's directory and not
// in its package. What somebody has put under the control of versions is not
// left out for being called like what kbuild leaves.
func leftOut(d *source.Description) (patterns []string, err error) {
	has := map[string]bool{".": true}
	for _, f := range d.Files {
		for at := f.Path; !has[at]; at = path.Dir(at) {
			has[at] = true
		}
	}
	for _, p := range always {
		if !slices.ContainsFunc(d.Files, func(f pkgfmt.File) bool { return matches(p, f.Path) }) {
			patterns = append(patterns, p)
		}
	}
	err = filepath.WalkDir(d.Dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return &dkms.Error{Object: file, Problem: "cannot be read", Err: err}
		}
		name, err := filepath.Rel(d.Dir, file)
		if err != nil || has[name] {
			return err
		}
		if !controlled.MatchString(path.Base(name)) && !strings.ContainsFunc(name, func(r rune) bool { return printable(r) != r }) &&
			!slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) }) {
			patterns = append(patterns, "./"+globbed.Replace(name))
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return patterns, err
}

var globbed = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// matches reports whether a path in the tree matches a pattern: all of it, or
// its last part.
func matches(pattern, name string) bool {
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		return rest == globbed.Replace(name)
	}
	ok, err := path.Match(pattern, path.Base(name))
	return ok && err == nil
}
