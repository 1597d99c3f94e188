package lint

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/dkms-hook/dkms-hook/conf"
)

// builtins are bash's own commands (bash(1), SHELL BUILTIN COMMANDS).
var builtins = strings.Fields(`. : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs
	disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf
	pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias
	unset wait`)

// presets are the variables that dkms sets for a dkms.conf (dkms(8)).
var presets = strings.Fields("kernelver arch kernel_source_dir kernel_config dkms_tree source_tree install_tree module module_version")

// shellState is what of dkms's own shell a dkms.conf can change.
var shellState = map[string]string{
	"cd": "changes its directory", "pushd": "changes its directory", "set": "changes its options", "shopt": "changes its options",
	"trap": "sets a trap", "exec": "replaces it", "umask": "changes its umask", "ulimit": "changes its limits", "exit": "ends it",
}

// A shellReader judges the statements of a dkms.conf.
type shellReader struct {
	*linter
	functions map[string]bool
	harmless  []string
	told      map[string]bool // kinds of shell-program
	popd      int             // how many there are
}

// checkShell judges the dkms.conf as a program.
func (l *linter) checkShell() {
	r := &shellReader{linter: l, functions: map[string]bool{}, harmless: conf.Harmless(), told: map[string]bool{}}
	for _, st := range l.stmts {
		walk(st, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.FuncDecl:
				if n.Name != nil {
					r.functions[n.Name.Value] = true
				}
			case *syntax.CallExpr:
				if len(n.Args) > 0 && n.Args[0].Lit() == "popd" {
					r.popd++
				}
			}
			return true
		})
	}
	for _, st := range l.stmts {
		r.read(st, 0, false)
	}
}

// read judges a node and what is below it. Inside a subshell nothing changes
// dkms's own one. Line 0 is the node's own.
func (r *shellReader) read(node syntax.Node, line int, subshell bool) {
	walk(node, func(n syntax.Node) bool {
		at := line
		if at == 0 {
			at = int(n.Pos().Line())
		}
		switch n := n.(type) {
		case *syntax.Subshell:
			return r.inside(n.Stmts, nil, line)
		case *syntax.CmdSubst:
			return r.inside(n.Stmts, nil, line)
		case *syntax.ProcSubst:
			return r.inside(n.Stmts, nil, line)
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				return r.inside([]*syntax.Stmt{n.X, n.Y}, nil, line)
			}
		case *syntax.CallExpr:
			r.call(n, at, subshell)
			if len(n.Args) > 0 { // its assignments are for it alone
				for _, w := range n.Args {
					r.read(w, line, subshell)
				}
				for _, as := range n.Assigns {
					if as.Value != nil {
						r.read(as.Value, line, subshell)
					}
				}
				return false
			}
		case *syntax.Assign:
			r.assign(n, at, subshell)
		case *syntax.Redirect:
			r.redirect(n, at)
		case *syntax.ForClause, *syntax.WhileClause:
			r.once("a loop", at)
		case *syntax.FuncDecl:
			r.once("a function", at)
		case *syntax.SglQuoted:
			r.later(n.Value, at)
		case *syntax.Lit:
			if strings.Contains(n.Value, `\$(`) || strings.Contains(n.Value, "\\`") {
				r.later(strings.NewReplacer(`\$`, "$", "\\`", "`", `\"`, `"`).Replace(n.Value), at)
			}
		}
		return true
	})
}

// inside reads the statements of a subshell.
func (r *shellReader) inside(stmts []*syntax.Stmt, _ []*syntax.Redirect, line int) bool {
	for _, st := range stmts {
		r.read(st, line, true)
	}
	return false
}

// once notes the first of what makes the file a program.
func (r *shellReader) once(what string, line int) {
	if !r.told[what] {
		r.told[what] = true
		r.atConf("shell-program", line, "has %s", what)
	}
}

// later reads what the second expansion will run: command substitutions in text
// that is quoted the first time.
func (r *shellReader) later(text string, line int) {
	if !strings.Contains(text, "$(") && !strings.Contains(text, "`") || len(text) > shellLimit {
		return
	}
	defer func() { _ = recover() }() // the parser's
	doc, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Document(strings.NewReader(text))
	if err != nil || doc == nil {
		return
	}
	for _, part := range doc.Parts {
		if cs, ok := part.(*syntax.CmdSubst); ok {
			r.read(cs, line, true)
		}
	}
}

// call judges a simple command.
func (r *shellReader) call(c *syntax.CallExpr, line int, subshell bool) {
	if len(c.Args) == 0 {
		return
	}
	words := make([]string, len(c.Args))
	for i, w := range c.Args {
		text, ok := plainText(w)
		if words[i] = text; !ok {
			words[i] = "\x00"
		}
	}
	for len(words) > 1 && (words[0] == "command" || words[0] == "builtin") {
		if strings.HasPrefix(words[1], "-") {
			return // command -v NAME
		}
		words = words[1:]
	}
	name := words[0]
	base := filepath.Base(name)
	switch {
	case name == "\x00":
		r.atConf("external-program", line, "starts a program that only the run tells")
	case r.functions[name]:
	case base == "uname":
		r.uname(words[1:], line)
	case name == "eval":
		r.atConf("eval", line, "eval runs text that only the run tells")
	case name == "source" || name == ".":
		r.source(c, line)
	case shellState[name] != "" && !subshell:
		r.state(name, words, line)
	case slices.Contains(builtins, name) || slices.Contains(r.harmless, base) && r.wellBehaved(base, words[1:]):
	default:
		r.atConf("external-program", line, "starts %s", name)
	}
}

// wellBehaved reports whether a harmless program has no option that writes.
func (r *shellReader) wellBehaved(name string, args []string) bool {
	switch name {
	case "sed":
		return !slices.ContainsFunc(args, func(s string) bool { return strings.HasPrefix(s, "-i") || strings.HasPrefix(s, "--in-place") })
	case "sort":
		return !slices.ContainsFunc(args, func(s string) bool { return strings.HasPrefix(s, "-o") || strings.HasPrefix(s, "--output") })
	}
	return true
}

// uname judges what is asked of the kernel that happens to run.
func (r *shellReader) uname(args []string, line int) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "--kernel-r") || arg == "--all" || strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.ContainsAny(arg, "ra") {
			r.atConf("running-kernel", line, "uname %s is the kernel that runs, not the one that is built for", arg)
		}
	}
}

// ownFile fits what names a file beside the dkms.conf.
var ownFile = regexp.MustCompile(`BASH_SOURCE|dkms_tree|source_tree|\$PWD|\$\{PWD\}`)

// source judges a file that is read as shell.
func (r *shellReader) source(c *syntax.CallExpr, line int) {
	if len(c.Args) < 2 {
		return
	}
	text := printed(c.Args[1])
	plain, isPlain := plainText(c.Args[1])
	switch {
	case isPlain && filepath.IsLocal(plain), ownFile.MatchString(text):
		return
	case isPlain:
		r.atConf("sources-file", line, "runs %s as shell", plain)
		return
	case regexp.MustCompile(`kernel_source_dir|kernel_config|kernelver|\.config`).MatchString(text):
		r.atConf("sources-file", line, "runs the kernel's configuration %s as shell", text)
		return
	}
	if name, ok := singleVariable(c.Args[1]); ok && r.madeOfTree(name) {
		return
	}
	r.atConf("sources-file", line, "runs %s as shell", text)
}

// madeOfTree reports whether a variable's values are paths in the tree.
func (r *shellReader) madeOfTree(name string) bool {
	for _, st := range r.stmts {
		found := false
		walk(st, func(n syntax.Node) bool {
			as, ok := n.(*syntax.Assign)
			found = found || ok && as.Name != nil && as.Name.Value == name && as.Value != nil && ownFile.MatchString(printed(as.Value))
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// singleVariable returns the variable that a word consists of.
func singleVariable(w *syntax.Word) (string, bool) {
	parts := w.Parts
	if len(parts) == 1 {
		if q, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = q.Parts
		}
	}
	if len(parts) != 1 {
		return "", false
	}
	pe, ok := parts[0].(*syntax.ParamExp)
	if !ok || pe.Param == nil {
		return "", false
	}
	return pe.Param.Value, true
}

// printed is a word as it is written.
func printed(w *syntax.Word) string {
	var b strings.Builder
	defer func() { _ = recover() }()
	_ = syntax.NewPrinter().Print(&b, w)
	return b.String()
}

// state judges a command that changes dkms's own shell.
func (r *shellReader) state(name string, words []string, line int) {
	switch {
	case name == "pushd" && r.popd > 0, name == "exec" && len(words) == 1, name == "set" && len(words) > 1 && words[1] == "--":
		return
	}
	r.atConf("changes-shell", line, "%s changes the shell of dkms: it %s", name, shellState[name])
}

// assign judges an assignment to what is not the file's own.
func (r *shellReader) assign(as *syntax.Assign, line int, subshell bool) {
	if as.Name == nil || subshell || as.Naked {
		return
	}
	switch name := as.Name.Value; {
	case slices.Contains(presets, name):
		r.atConf("assigns-preset", line, "%s is set by dkms", name)
	case name == "PATH", name == "LD_PRELOAD", name == "LD_LIBRARY_PATH", name == "BASH_ENV":
		r.atConf("changes-shell", line, "%s is changed for all programs that dkms starts", name)
	}
}

// redirect judges what is written.
func (r *shellReader) redirect(rd *syntax.Redirect, line int) {
	switch rd.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll, syntax.RdrInOut:
	default:
		return
	}
	target, plain := plainText(rd.Word)
	if plain && (strings.HasPrefix(target, "/dev/") || target == "-" || strings.Trim(target, "0123456789") == "") {
		return
	}
	r.atConf("writes-file", line, "writes to %s", printed(rd.Word))
}
