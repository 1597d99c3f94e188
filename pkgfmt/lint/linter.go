package lint

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"mvdan.cc/sh/v3/syntax"

	"github.com/dkms-hook/dkms-hook/conf"
)

// A linter judges one dkms.conf, with its tree where there is one.
type linter struct {
	tree     *tree
	whole    bool   // the tree is there, not just its dkms.conf
	licensed bool   // something outside of the tree tells its licence
	confPath string // of the dkms.conf in the tree; empty: there is none
	bounds   bounds

	text    string // of the dkms.conf
	stmts   []*syntax.Stmt
	where   assignments
	answers []answer // the dkms.conf for each sample kernel
	garbled bool     // bash cannot read the dkms.conf to its end

	findings []Finding
	here     map[string]int // findings of a rule
}

// An answer is what a dkms.conf means for one kernel.
type answer struct {
	sample sample
	conf   *conf.Conf // nil: it could not be evaluated
}

// add notes a finding of a rule at a path of the tree.
func (l *linter) add(rule, path string, line int, format string, args ...any) {
	l.addAs(rule, "", path, line, format, args...)
}

// addAs is add with another severity than the rule's, unless that is empty.
func (l *linter) addAs(rule string, severity Severity, path string, line int, format string, args ...any) {
	r, ok := ruleNamed(rule)
	if !ok {
		panic("lint: no such rule: " + rule)
	}
	if severity == "" {
		severity = r.Severity
	}
	if l.here == nil {
		l.here = map[string]int{}
	}
	if l.here[rule]++; l.here[rule] > hereLimit {
		return
	}
	l.findings = append(l.findings, Finding{
		Rule: rule, Severity: severity, File: printable(l.tree.show(path)), Line: line,
		Text: printable(fmt.Sprintf(format, args...)), Hint: r.Hint,
	})
}

// atConf is add for a line of the dkms.conf.
func (l *linter) atConf(rule string, line int, format string, args ...any) {
	l.add(rule, l.confPath, line, format, args...)
}

// judge runs all rules for a dkms.conf and its tree.
func (l *linter) judge(ctx context.Context) error {
	if l.whole {
		l.checkFiles()
		l.checkConfig()
		l.checkLicences()
	}
	if l.confPath != "" {
		if err := l.judgeConf(ctx); err != nil {
			return err
		}
	}
	l.checkBroken()
	return nil
}

// judgeConf runs the rules for which there has to be a dkms.conf. Where it
// cannot be read, or not to its end, nothing is said of what it lacks.
func (l *linter) judgeConf(ctx context.Context) error {
	l.text = l.tree.text(l.confPath)
	if l.tree.isBroken(l.confPath) {
		return nil
	}
	l.stmts = parseShell(l.text)
	l.where = placesOf(l.stmts)
	l.checkShell()
	if err := l.evaluate(ctx); err != nil {
		return err
	}
	if l.garbled {
		return nil
	}
	l.checkDirectives()
	l.checkCommands()
	if l.whole {
		l.checkNamedFiles()
		l.checkMakefiles()
		l.checkModules()
	}
	return nil
}

// finish counts what was too much to tell, drops what is suppressed, and sorts.
func (l *linter) finish() []Finding {
	for rule, n := range l.here {
		if n > hereLimit {
			l.here[rule] = 0
			l.add(rule, ".", 0, "%d more places", n-hereLimit)
		}
	}
	if l.confPath == "" {
		return inOrder(l.findings)
	}
	s := l.suppressions()
	findings := slices.DeleteFunc(l.findings, func(f Finding) bool {
		return s.whole[f.Rule] || s.lines[f.Line][f.Rule] && f.File == printable(l.tree.show(l.confPath))
	})
	return inOrder(findings)
}

// local is a path of the tree relative to a directory of it; false when it
// leads out.
func local(dir, path string) (string, bool) {
	p := filepath.Join(dir, path)
	return p, filepath.IsLocal(p) && !filepath.IsAbs(path)
}
