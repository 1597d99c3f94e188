package lint

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// judgeScriptlets looks into RPM's scripts for what an upgrade would do. The
// order is: new %pre, new %post, old %preun, old %postun (rpm-scriptlets(7));
// $1 is how many of the package remain, so 1 in the old one's. Debian's scripts
// have no such trap: the old prerm comes before all that is new.
func (p *packageLinter) judgeScriptlets() {
	for _, s := range p.pkg.Scripts {
		if !isShell(s.Program) {
			continue
		}
		calls := dkmsRemovals(s.Text)
		for _, c := range calls {
			switch s.Name {
			case "preun", "postun", "preuntrans", "postuntrans":
				if !c.erasing && !c.safe {
					p.add("loses-modules", "%"+s.Name, c.line, "%s, on upgrades too: by then the new package's modules are installed", c.text)
				}
			case "pre", "pretrans":
				p.add("removes-first", "%"+s.Name, c.line, "%s, before the new package's modules are built", c.text)
			}
		}
	}
}

func isShell(program string) bool {
	words := strings.Fields(program)
	return len(words) == 0 || slices.Contains([]string{"sh", "bash", "dash"}, filepath.Base(words[0]))
}

// A removal is a call of `dkms remove` in a script.
type removal struct {
	line    int
	text    string
	erasing bool // it happens only when $1 says that the package goes
	safe    bool // --rpm_safe_upgrade
}

// A removalReader follows a script.
type removalReader struct {
	functions map[string]*syntax.Stmt
	found     []removal
	depth     int
	ended     bool     // what follows is not reached on an upgrade
	args      []string // of the function that is followed; nil outside of one
}

// dkmsRemovals finds what a script has dkms remove.
func dkmsRemovals(text string) []removal {
	r := &removalReader{functions: map[string]*syntax.Stmt{}}
	stmts := parseShell(text)
	for _, st := range stmts {
		walk(st, func(n syntax.Node) bool {
			if f, ok := n.(*syntax.FuncDecl); ok && f.Name != nil {
				r.functions[f.Name.Value] = f.Body
			}
			return true
		})
	}
	r.all(stmts, false)
	return r.found
}

func (r *removalReader) all(stmts []*syntax.Stmt, erasing bool) {
	for _, st := range stmts {
		r.stmt(st, erasing || r.ended)
	}
}

// stmt follows one statement; erasing says that $1 is known to be 0 there.
func (r *removalReader) stmt(st *syntax.Stmt, erasing bool) {
	if st == nil {
		return
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.IfClause:
		r.conditional(cmd, erasing)
	case *syntax.BinaryCmd:
		r.binary(cmd, erasing)
	case *syntax.CaseClause:
		r.caseOf(cmd, erasing)
	case *syntax.CallExpr:
		r.call(cmd, erasing)
	case *syntax.FuncDecl:
	case *syntax.Block:
		r.all(cmd.Stmts, erasing)
	default:
		walk(st, func(n syntax.Node) bool {
			inner, ok := n.(*syntax.Stmt)
			if !ok || inner == st {
				return true
			}
			r.stmt(inner, erasing)
			return false
		})
	}
}

// sense says what a condition on $1 means when it holds.
type sense int

const (
	silent  sense = iota // it is not about $1
	erase                // the package goes
	upgrade              // another instance stays
	unclear
)

var (
	erasedTest   = regexp.MustCompile(`(x?"?\$\{?1(:-\d?)?\}?"?x?)\s*(-eq|==|=)\s*["']?x?0|(\$\{?1\}?"?)\s*(-lt|<)\s*["']?1|(\$\{?1\}?"?)\s*-le\s*["']?0`)
	upgradeTest  = regexp.MustCompile(`(x?"?\$\{?1(:-\d?)?\}?"?x?)\s*(-ne|!=)\s*["']?x?0|(\$\{?1\}?"?)\s*(-gt|>|-ge|>=|-eq|==|=)\s*["']?\d`)
	mentionsTest = regexp.MustCompile(`\$\{?1\b|\$\{?[@*]`)
)

// senseOf reads a condition.
func (r *removalReader) senseOf(stmts []*syntax.Stmt) sense {
	if r.args != nil {
		return silent // $1 is the function's there
	}
	var b strings.Builder
	for _, st := range stmts {
		_ = syntax.NewPrinter().Print(&b, st)
		b.WriteByte('\n')
	}
	text := b.String()
	s := silent
	switch {
	case erasedTest.MatchString(text):
		s = erase
	case upgradeTest.MatchString(text):
		s = upgrade
	case mentionsTest.MatchString(text):
		s = unclear
	}
	if len(stmts) == 1 && stmts[0].Negated {
		s = s.not()
	}
	return s
}

func (s sense) not() sense {
	switch s {
	case erase:
		return upgrade
	case upgrade:
		return erase
	}
	return s
}

// allows reports whether under a condition the package is going: an unclear one
// is given the benefit of the doubt.
func (s sense) allows() bool { return s == erase || s == unclear }

func (r *removalReader) conditional(c *syntax.IfClause, erasing bool) {
	s := r.senseOf(c.Cond)
	r.all(c.Cond, erasing)
	r.all(c.Then, erasing || s.allows())
	if s != silent && leaves(c.Then) {
		r.ended = r.ended || s.not().allows()
	}
	if c.Else != nil {
		if len(c.Else.Cond) > 0 {
			r.conditional(c.Else, erasing || s.not().allows())
			return
		}
		r.all(c.Else.Then, erasing || s.not().allows())
	}
}

func (r *removalReader) binary(c *syntax.BinaryCmd, erasing bool) {
	r.stmt(c.X, erasing)
	s := silent
	if c.Op == syntax.AndStmt || c.Op == syntax.OrStmt {
		s = r.senseOf([]*syntax.Stmt{c.X})
		if c.Op == syntax.OrStmt {
			s = s.not()
		}
	}
	r.stmt(c.Y, erasing || s.allows())
	if s != silent && leaves([]*syntax.Stmt{c.Y}) {
		r.ended = r.ended || s.not().allows()
	}
}

func (r *removalReader) caseOf(c *syntax.CaseClause, erasing bool) {
	about := r.args == nil && mentionsTest.MatchString(printed(c.Word))
	for _, item := range c.Items {
		going := false
		for _, pattern := range item.Patterns {
			if text, ok := plainText(pattern); ok && (text == "0" || text == "remove" || text == "purge") {
				going = true
			}
		}
		r.all(item.Stmts, erasing || about && going)
	}
}

// leaves reports whether statements end the script.
func leaves(stmts []*syntax.Stmt) (found bool) {
	for _, st := range stmts {
		if call, ok := st.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			name := call.Args[0].Lit()
			found = found || name == "exit" || name == "return"
		}
		if block, ok := st.Cmd.(*syntax.Block); ok {
			found = found || leaves(block.Stmts)
		}
	}
	return found
}

// call looks at a simple command: dkms, or a function that calls it.
func (r *removalReader) call(c *syntax.CallExpr, erasing bool) {
	if len(c.Args) == 0 {
		return
	}
	var words []string
	for _, w := range c.Args {
		words = append(words, r.word(w))
	}
	if body := r.functions[words[0]]; body != nil && r.depth < 5 {
		before := r.args
		r.args = append([]string{}, words[1:]...)
		r.depth++
		r.stmt(body, erasing)
		r.depth--
		r.args = before
		return
	}
	for len(words) > 1 && slices.Contains([]string{"exec", "env", "nice", "command", "eval", "sudo"}, words[0]) {
		words = words[1:]
	}
	base := filepath.Base(words[0])
	if base != "dkms" || len(words) < 2 || !slices.ContainsFunc(words[1:], func(s string) bool { return s == "remove" || s == "uninstall" || s == "unbuild" }) {
		return
	}
	action := slices.IndexFunc(words, func(s string) bool { return s == "remove" || s == "uninstall" || s == "unbuild" })
	text := "calls dkms " + words[action]
	r.found = append(r.found, removal{
		line: int(c.Pos().Line()), text: text, erasing: erasing,
		safe: slices.Contains(words, "--rpm_safe_upgrade"),
	})
}

// word is a word as far as it is known, with the function's own arguments.
func (r *removalReader) word(w *syntax.Word) string {
	if name, ok := singleVariable(w); ok && len(name) == 1 && name[0] >= '1' && name[0] <= '9' && int(name[0]-'1') < len(r.args) {
		return r.args[name[0]-'1']
	}
	if name, ok := singleVariable(w); ok && strings.Contains(strings.ToLower(name), "dkms") {
		return "dkms" // $DKMS, ${dkms_bin}
	}
	return shellText(w)
}
