package conf

import (
	"strconv"

	"mvdan.cc/sh/v3/syntax"
)

// Commands that exist only inside an evaluation; the rewriter makes calls to
// them and the handlers answer.
const (
	returnCommand  = "__dkms_conf_return"  // return from the file
	discardCommand = "__dkms_conf_discard" // a bad substitution: give the line up
	statusCommand  = "__dkms_conf_status"  // set $? (and PIPESTATUS) after a pipeline
	resultCommand  = "__dkms_conf_result"  // set $?
	tickCommand    = "__dkms_conf_tick"    // look at time and memory
	fileCommand    = "__dkms_conf_file"    // print the path of a pipe's content
	quoteCommand   = "__dkms_conf_quote"   // quote for a regular expression
	regexpCommand  = "__dkms_conf_regexp"  // translate a regular expression
	replaceCommand = "__dkms_conf_replace" // ${x/#a/b} and the like
	countCommand   = "__dkms_conf_count"   // count arguments
	catCommand     = "__dkms_conf_cat"     // copy input to output
)

// pipePath names the memory that stands for a pipe.
const pipePath = "/proc/self/dkms-conf-pipe/"

// A rewriter makes bash's meaning explicit where mvdan.cc/sh differs from it,
// and leaves nothing that would start a goroutine or write a FIFO:
//
//   - a pipeline runs its commands one after the other, each in a subshell,
//     joined by memory (bash, too, loses what the last one assigns);
//   - process substitution becomes the path of such a memory;
//   - a background command runs in the foreground;
//   - `local` and `typeset` become `declare`, which means the same in a
//     function and is allowed outside: dkms sources the file in a function;
//   - `return` in the file itself ends the file;
//   - a+=b and a[i]+=b become a="$a"b;
//   - the right side of =~ becomes a Go regular expression;
//   - a\ b becomes a' 'b: mvdan.cc/sh leaves the backslash in assignments;
//   - ${x/#a/b}, and extended patterns in expansions, become commands.
type rewriter struct {
	pipes    int             // numbers the pipes of an evaluation
	assoc    map[string]bool // names declared -A
	integer  map[string]bool // names declared -i
	done     map[*syntax.Word]wordUse
	changed  bool            // something was rewritten
	risky    bool            // some ${…} cannot be expanded
	computed map[string]bool // names whose values have no bound
	guarded  *syntax.Stmt    // has its tick
	grows    int             // expansions of unbounded values since the last tick
}

// file rewrites a whole file's statements in place and notes its assignments.
func (w *rewriter) file(p program, where positions, outermost bool) []*syntax.Stmt {
	if w.assoc == nil {
		w.assoc, w.integer, w.done = map[string]bool{}, map[string]bool{}, map[*syntax.Word]wordUse{}
	}
	clear(w.done)
	w.risky = p.risky
	w.growth(p.stmts)
	var open []nodePlace // of every open node
	for _, st := range p.stmts {
		syntax.Walk(st, func(n syntax.Node) bool {
			if n == nil {
				open = open[:len(open)-1]
				return true
			}
			here := nodePlace{outermost: outermost}
			if len(open) > 0 {
				here = open[len(open)-1]
			}
			where.noteAll(p.file, n)
			w.node(n, here)
			open = append(open, here.inside(n, w.done))
			return true
		})
	}
	return p.stmts
}

// A nodePlace is where in the program a node stands.
type nodePlace struct {
	outermost bool // in no function
	quoted    bool // between double quotes, or in a here-document
}

func (c nodePlace) inside(n syntax.Node, uses map[*syntax.Word]wordUse) nodePlace {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		c.outermost = false
	case *syntax.DblQuoted:
		c.quoted = true
	case *syntax.CmdSubst, *syntax.ProcSubst:
		c.quoted = false
	case *syntax.Word:
		if uses[n] == hereDocument {
			c.quoted = true
		}
	}
	return c
}

// node rewrites one node; Walk visits its (new) children next.
func (w *rewriter) node(n syntax.Node, here nodePlace) {
	switch n := n.(type) {
	case *syntax.Stmt:
		w.stmt(n, here.outermost)
	case *syntax.CallExpr:
		w.call(n)
	case *syntax.WhileClause:
		n.Do = w.prepend(n.Do)
	case *syntax.ForClause:
		n.Do = w.prepend(n.Do)
		if _, ok := n.Loop.(*syntax.CStyleLoop); ok {
			// mvdan.cc/sh ends this loop when its body fails.
			n.Do, w.changed = append(n.Do, statement(n, callTo(n, ":"))), true
		}
	case *syntax.CmdSubst:
		w.fileContent(n)
	case *syntax.FuncDecl:
		if n.Body != nil {
			body := *n.Body
			n.Body = statement(n, &syntax.Block{Stmts: w.prepend([]*syntax.Stmt{&body})})
		}
	case *syntax.DeclClause:
		w.declare(n)
	case *syntax.BinaryTest:
		if y, ok := n.Y.(*syntax.Word); ok && n.Op == syntax.TsReMatch {
			n.Y = w.regexp(y)
		}
	case *syntax.Word:
		n.Parts = w.parts(w.eachElement(n.Parts))
		if w.done[n] == plainWord && !here.quoted {
			n.Parts = w.unescape(n.Parts)
		}
	case *syntax.DblQuoted:
		n.Parts = w.parts(n.Parts)
	case *syntax.ParamExp:
		w.expansion(n, here.quoted)
	case *syntax.LetClause:
		w.let(n)
	case *syntax.Redirect:
		w.redirect(n)
		if n.Hdoc != nil {
			w.done[n.Hdoc] = hereDocument
		}
		w.done[n.Word] = otherWord
	}
}

func (w *rewriter) stmt(st *syntax.Stmt, outermost bool) {
	if st.Background || st.Coprocess || st.Disown {
		st.Background, st.Coprocess, st.Disown = false, false, false
		inner := *st
		inner.Comments = nil
		*st = *statement(&inner, &syntax.Subshell{Stmts: []*syntax.Stmt{&inner}})
		w.changed = true
	}
	if w.risky && hasBadSubstitution(st) {
		st.Cmd, st.Redirs = callTo(st, discardCommand), nil
		w.changed = true
	}
	w.guard(st)
	switch cmd := st.Cmd.(type) {
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll {
			st.Cmd = w.pipeline(cmd)
			w.changed = true
		}
	case *syntax.CallExpr:
		if outermost && len(cmd.Args) > 0 && cmd.Args[0].Lit() == "return" {
			cmd.Args[0] = word(cmd.Args[0], returnCommand)
		}
	case *syntax.CoprocClause:
		st.Cmd = callTo(st, "false")
		w.changed = true
	}
}

// parts replaces process substitutions: <(a) becomes
// $( (a) >p1; __dkms_conf_file p1 ), which prints a path.
func (w *rewriter) parts(parts []syntax.WordPart) []syntax.WordPart {
	for i, part := range parts {
		if pe, ok := part.(*syntax.ParamExp); ok {
			if cs := w.substitution(pe); cs != nil {
				parts[i] = cs
			}
			continue
		}
		ps, ok := part.(*syntax.ProcSubst)
		if !ok {
			continue
		}
		w.changed = true
		if ps.Op != syntax.CmdIn || len(ps.Stmts) == 0 {
			// What is written to >(a) goes nowhere: its effects would
			// come too late to matter for a dkms.conf.
			parts[i] = literal(ps, "/dev/null")
			continue
		}
		pipe := w.newPipe()
		first := statement(ps, &syntax.Subshell{Lparen: ps.Pos(), Rparen: ps.End(), Stmts: ps.Stmts})
		first.Redirs = []*syntax.Redirect{redirect(ps, syntax.RdrOut, pipe)}
		second := statement(ps, callTo(ps, fileCommand, pipe))
		parts[i] = &syntax.CmdSubst{Left: ps.Pos(), Right: ps.End(), Stmts: []*syntax.Stmt{first, second}}
	}
	return parts
}

// fileContent gives $(<file) a command, whose status tells when there is no
// such file.
func (w *rewriter) fileContent(cs *syntax.CmdSubst) {
	if len(cs.Stmts) == 1 && cs.Stmts[0].Cmd == nil && len(cs.Stmts[0].Redirs) == 1 {
		cs.Stmts[0].Cmd = callTo(cs, catCommand)
		w.changed = true
	}
}

// redirect makes >| plain, and >&file what it means; file descriptors beyond
// 2, which mvdan.cc/sh does not have, lead nowhere.
func (w *rewriter) redirect(r *syntax.Redirect) {
	switch r.Op {
	case syntax.RdrClob:
		r.Op, w.changed = syntax.RdrOut, true
	case syntax.DplOut:
		if lit := r.Word.Lit(); lit == "" || (lit != "-" && !isNumber(lit)) {
			r.Op, w.changed = syntax.RdrAll, true
		}
	}
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// call rewrites assignments. a+=b mvdan.cc/sh does in place (and so across
// subshells), a[i]+=b not at all, and what a[i]=b makes it takes for unset
// (`unset a` and ${a+x} go by that); a+=([i]=b) is free of it.
func (w *rewriter) call(c *syntax.CallExpr) {
	if len(c.Args) > 0 {
		return
	}
	for _, as := range c.Assigns {
		name := as.Name.Value
		if w.integer[name] && as.Array == nil && as.Value != nil {
			w.compute(as)
		}
		if as.Array != nil {
			if as.Index == nil && w.assoc[name] {
				quoteKeys(as.Array)
			}
			continue
		}
		if as.Append {
			old := param(as, name)
			old.Index = as.Index
			old.Exp = &syntax.Expansion{Op: syntax.DefaultUnset} // quiet under set -u
			parts := []syntax.WordPart{&syntax.DblQuoted{Left: as.Pos(), Right: as.Pos(), Parts: []syntax.WordPart{old}}}
			if as.Value != nil {
				parts = append(parts, as.Value.Parts...)
			}
			as.Append, as.Value = false, &syntax.Word{Parts: parts}
			w.changed = true
		}
		if as.Index != nil && !w.assoc[name] {
			if as.Value == nil {
				as.Value = &syntax.Word{Parts: []syntax.WordPart{single(as, "")}}
			}
			as.Array = &syntax.ArrayExpr{Lparen: as.Pos(), Rparen: as.End(),
				Elems: []*syntax.ArrayElem{{Index: as.Index, Value: as.Value}}}
			as.Append, as.Index, as.Value = true, nil, nil
			w.changed = true
		}
	}
}

// regexp turns the right side of =~ into "$(__dkms_conf_regexp …)": what is
// quoted there matches itself, and POSIX expressions are not Go's.
func (w *rewriter) regexp(y *syntax.Word) *syntax.Word {
	var parts []syntax.WordPart
	for _, part := range y.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			parts = append(parts, single(part, part.Value))
		case *syntax.SglQuoted:
			parts = append(parts, single(part, quoteERE(part.Value)))
		default:
			quoted := &syntax.DblQuoted{Left: y.Pos(), Right: y.End(), Parts: []syntax.WordPart{part}}
			if dq, ok := part.(*syntax.DblQuoted); ok {
				call := callTo(y, quoteCommand)
				call.Args = append(call.Args, &syntax.Word{Parts: []syntax.WordPart{dq}})
				quoted.Parts = []syntax.WordPart{commandSubstitution(y, call)}
			}
			parts = append(parts, quoted)
		}
	}
	call := callTo(y, regexpCommand)
	call.Args = append(call.Args, &syntax.Word{Parts: parts})
	w.changed = true
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{
		Left: y.Pos(), Right: y.End(), Parts: []syntax.WordPart{commandSubstitution(y, call)},
	}}}
}

// prepend puts a tick before the statements of a loop or function.
func (w *rewriter) prepend(stmts []*syntax.Stmt) []*syntax.Stmt {
	if len(stmts) == 0 {
		return stmts
	}
	return append([]*syntax.Stmt{statement(stmts[0], callTo(stmts[0], tickCommand))}, stmts...)
}

// growth notes which variables have values that are not plain text, and so no
// bound that could be seen here.
func (w *rewriter) growth(stmts []*syntax.Stmt) {
	if w.computed == nil {
		w.computed = map[string]bool{}
	}
	for _, st := range stmts {
		syntax.Walk(st, func(n syntax.Node) bool {
			if as, ok := n.(*syntax.Assign); ok && as.Name != nil && as.Value != nil && !constant(as.Value) {
				w.computed[as.Name.Value] = true
			}
			return true
		})
	}
}

// constant reports whether a word is plain text.
func constant(word *syntax.Word) bool {
	plain := true
	syntax.Walk(word, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.ParamExp, *syntax.CmdSubst:
			plain = false
		}
		return plain
	})
	return plain
}

// expansionLimit is how many unbounded values one assignment may expand.
const expansionLimit = 1000

// guard puts a tick before an assignment where, since the last one, values
// could have grown by a factor: a=$a$a fills any memory in thirty lines.
func (w *rewriter) guard(st *syntax.Stmt) {
	c, ok := st.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) > 0 || st == w.guarded || len(w.computed) == 0 {
		return
	}
	uses := 0
	syntax.Walk(c, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil && w.computed[p.Param.Value] {
			uses++
		}
		return true
	})
	if w.grows += uses; w.grows <= 4 {
		return
	}
	w.grows = uses
	inner := *st
	inner.Comments = nil
	w.guarded, w.changed = &inner, true
	tick := callTo(st, tickCommand)
	if uses > expansionLimit {
		tick = callTo(st, tickCommand, "too", "much")
	}
	*st = *statement(&inner, &syntax.Block{Lbrace: inner.Pos(), Rbrace: inner.End(),
		Stmts: []*syntax.Stmt{statement(&inner, tick), &inner}})
}

// hasBadSubstitution reports whether a simple command or test expands a ${…}
// that cannot be. Compound commands are left to their parts.
func hasBadSubstitution(st *syntax.Stmt) (found bool) {
	switch st.Cmd.(type) {
	case *syntax.CallExpr, *syntax.DeclClause, *syntax.TestClause, *syntax.ArithmCmd, *syntax.LetClause:
	default:
		return false
	}
	syntax.Walk(st, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil && p.Param.Value == badSubstitution {
			found = true
		}
		return !found
	})
	return found
}
