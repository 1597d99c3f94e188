package lint

import (
	"path/filepath"
	"regexp"
	"strings"
)

// scripts are the directives that name one.
var scripts = []string{"PRE_BUILD", "POST_BUILD", "POST_ADD", "PRE_INSTALL", "POST_INSTALL", "POST_REMOVE"}

// checkNamedFiles looks for the scripts and patches that the dkms.conf names.
func (l *linter) checkNamedFiles() {
	for _, name := range scripts {
		done := map[string]bool{}
		for _, a := range l.answers {
			value := a.conf.Values.Get(name)
			if words := strings.Fields(value); len(words) > 0 && !done[words[0]] {
				done[words[0]] = true
				l.checkScript(name, words[0], strings.Contains(value, a.sample.release))
			}
		}
	}
	done := map[string]bool{}
	for _, a := range l.answers {
		for _, i := range a.conf.Values["PATCH"].Indexes() {
			patch := a.conf.Values["PATCH"][i]
			if patch == "" || done[patch] {
				continue
			}
			done[patch] = true
			if path, ok := local(l.base(), filepath.Join("patches", patch)); ok && !strings.Contains("/"+patch+"/", "/../") {
				if e, ok := l.tree.find(path); ok && e.mode.IsRegular() {
					continue
				}
			}
			l.atConf("patch-missing", l.where.line("PATCH", i), "%s: patches/%s is not there", subscripted("PATCH", i), patch)
		}
	}
}

// base is the directory of the dkms.conf within the tree.
func (l *linter) base() string { return filepath.Dir(l.confPath) }

// defaulted fits a line that asks uname only where nothing else tells.
var (
	asksUname = regexp.MustCompile(`\buname\s+(-[a-z]*[ra]\b|--kernel-release)`)
	defaulted = regexp.MustCompile(`:?-\s*"?[$` + "`" + `]\(?\s*uname|[!=]=|\s=\s|-(z|n|eq|ne|lt|gt|le|ge)\s`)
)

// checkScript judges a script; told says that it is told the kernel.
func (l *linter) checkScript(directive, word string, told bool) {
	line := l.where.line(directive, 0)
	path, ok := local(l.base(), word)
	e, there := l.tree.find(path)
	switch {
	case !ok || !there:
		l.atConf("script-missing", line, "%s names %s, which is not there", directive, word)
		return
	case !e.mode.IsRegular() || e.mode&0o111 == 0:
		l.atConf("script-not-executable", line, "%s names %s, which is not executable (mode %04o)", directive, word, e.mode.Perm())
	}
	text := l.tree.text(e.path)
	if strings.ContainsRune(text, 0) {
		return
	}
	n := 0
	for s := range strings.Lines(text) {
		n++
		s, _, _ = strings.Cut(s, " #")
		if asksUname.MatchString(s) && !strings.HasPrefix(strings.TrimSpace(s), "#") && !defaulted.MatchString(s) {
			severity := Severity("")
			if told || strings.Contains(text, "kernelver") { // it may ask uname only where nothing else tells
				severity = Note
			}
			l.addAs("running-kernel", severity, e.path, n, "uname -r is the kernel that runs; %s is run for the one in $kernelver", directive)
		}
	}
}
