package source

import "strings"

// The files that say what is left out.
const (
	ignoreGit = ".gitignore"
	ignoreOwn = ".dkmsignore"
)

// What a file of patterns may have at most: so many bytes, and all of a tree's
// so many patterns.
const (
	maxIgnoreFile = 1 << 20
	maxPatterns   = 5000
)

// never is what no pattern brings back: what versions are controlled by, and
// what this program reads or writes itself.
var never = patterns(".", `
.git
.svn
.hg
.bzr
CVS
_darcs
RCS
SCCS
.gitignore
.dkmsignore
/dkms-mkpkg.yaml
`)

// others are what forges, editors and distributions are told, and packages:
// what is committed, maybe, and yet is no part of a module's source.
var others = patterns(".", `
.gitattributes
.gitmodules
.gitkeep
.mailmap
.hgignore
.hgtags
.cvsignore
.bzrignore
.github/
.gitea/
.gitlab/
.circleci/
.gitlab-ci.yml
.travis.yml
.cirrus.yml
.appveyor.yml
.pre-commit-config.yaml
.editorconfig
.vscode/
.idea/
/debian/
/*.spec
/*.deb
/*.ddeb
/*.rpm
/*.dsc
/*.changes
/*.buildinfo
/*.sbom.json
/*.provenance.json
`)

// droppings are what kbuild, patch and editors leave.
var droppings = patterns(".", `
*.o
*.o.ur-safe
*.ko
*.ko.gz
*.ko.xz
*.ko.zst
*.ko.debug
*.mod
*.mod.c
Module.symvers
Modules.symvers
Module.markers
modules.order
built-in.a
*.dwo
*.gcno
*.gcda
.*.cmd
.*.d
.tmp_*
.cache.mk
*.rej
*.orig
*~
*.bak
*.sw[a-p]
.#*
\#*#
.DS_Store
.directory
`)

// patterns reads the lines of a text.
func patterns(dir, text string) []pattern {
	var out []pattern
	for line := range strings.SplitSeq(text, "\n") {
		if p, ok := parsePattern(line, dir); ok {
			out = append(out, p)
		}
	}
	return out
}

// A verdict is what a list of patterns says of a path.
type verdict int

const (
	silent verdict = iota
	leaveOut
	keep
)

// judge returns what the last pattern that matches says.
func judge(list []pattern, name string, isDir bool) verdict {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].match(name, isDir) {
			if list[i].include {
				return keep
			}
			return leaveOut
		}
	}
	return silent
}

// An ignorer knows what is left out of a tree. Who is asked first: never,
// dkms-mkpkg.yaml, .dkmsignore, others, the repository, .gitignore, droppings.
type ignorer struct {
	config, own, git []pattern
	// tracked are the files of the repository, and the directories that have
	// any: that somebody committed a file outweighs that its name looks like a
	// dropping's.
	tracked map[string]bool
}

// read adds the patterns of a .gitignore or a .dkmsignore in dir. It is false
// when there are too many.
func (g *ignorer) read(dir, file, text string) bool {
	text = strings.TrimPrefix(text, "\ufeff")
	if file == ignoreOwn {
		g.own = append(g.own, patterns(dir, text)...)
	} else {
		g.git = append(g.git, patterns(dir, text)...)
	}
	return len(g.own)+len(g.git) <= maxPatterns
}

// ignored tells whether a path, relative to the tree, is left out.
func (g *ignorer) ignored(name string, isDir bool) bool {
	if name == confName {
		return false
	}
	if judge(never, name, isDir) == leaveOut {
		return true
	}
	for _, layer := range [][]pattern{g.config, g.own, others} {
		if v := judge(layer, name, isDir); v != silent {
			return v == leaveOut
		}
	}
	if g.tracked[name] {
		return false
	}
	for _, layer := range [][]pattern{g.git, droppings} {
		if v := judge(layer, name, isDir); v != silent {
			return v == leaveOut
		}
	}
	return false
}

// leftOut tells whether a file, or a directory that it is in, is left out.
func (g *ignorer) leftOut(name string) bool {
	for i := range name {
		if name[i] == '/' && g.ignored(name[:i], true) {
			return true
		}
	}
	return g.ignored(name, false)
}
