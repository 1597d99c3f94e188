package lint

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
)

var noDestination = regexp.MustCompile(`^DEST_MODULE_LOCATION\[\d+\] is missing$`)

// isSyntaxError tells whether bash could not read on.
func isSyntaxError(p conf.Problem) bool { return strings.HasPrefix(p.Text, "syntax error") }

// problem makes a finding of what conf calls a problem.
func (l *linter) problem(p conf.Problem) {
	rule := "invalid-directive"
	switch {
	case isSyntaxError(p):
		rule = "syntax-error"
	case noDestination.MatchString(p.Text):
		rule = "no-destination"
	case unfilled.MatchString(p.Text):
		if strings.HasPrefix(p.Text, "PACKAGE_") {
			return // checkIdentity tells
		}
		rule = "placeholder"
	case strings.HasPrefix(p.Text, "PACKAGE_VERSION") && l.words(p.Line):
		return
	}
	l.fromConf(rule, p)
}

// words reports whether a line sets PACKAGE_VERSION to a placeholder.
func (l *linter) words(line int) bool {
	for _, at := range l.where["PACKAGE_VERSION"] {
		if at.line == line && at.known && placeholders.MatchString(at.plain) {
			return true
		}
	}
	return false
}

// warning makes a finding of what conf warns of.
func (l *linter) warning(p conf.Problem) {
	rule := "odd-directive"
	switch {
	case strings.Contains(p.Text, "is not run here"):
		rule = "external-program"
		p.Text = strings.Replace(p.Text, ": is not run here", " is started", 1)
	case strings.HasPrefix(p.Text, "leaves the shell"):
		if rule = "changes-shell"; p.Line == 0 && l.here[rule] > 0 {
			return
		}
	case strings.HasSuffix(p.Text, "so it matches nothing"):
		rule = "never-matches"
	case p.Deprecated && strings.HasPrefix(p.Text, "CLEAN"):
		rule = "deprecated-clean"
	case p.Deprecated:
		rule = "deprecated-directive"
	}
	l.fromConf(rule, p)
}

// fromConf adds a finding at a place that conf names.
func (l *linter) fromConf(rule string, p conf.Problem) {
	text := p.Text
	path, line := l.confPath, p.Line
	if rel, err := filepath.Rel(l.tree.dir, p.File); err == nil && filepath.IsLocal(rel) {
		path = rel
	} else if p.File != "" {
		text, line = p.File+": "+text, 0
	}
	if path == l.confPath && line > 0 && (rule == "external-program" || rule == "changes-shell") && l.has(rule, line) {
		return // the text told already
	}
	l.add(rule, path, line, "%s", strings.ReplaceAll(text, l.tree.dir+string(filepath.Separator), ""))
}

// has reports whether there is a finding of a rule at a line of the dkms.conf.
func (l *linter) has(rule string, line int) bool {
	shown := printable(l.tree.show(l.confPath))
	for _, f := range l.findings {
		if f.Rule == rule && f.Line == line && f.File == shown {
			return true
		}
	}
	return false
}
