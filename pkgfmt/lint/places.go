package lint

import (
	"bytes"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shellLimit bounds the shell text that is parsed: the parser recurses.
const shellLimit = 128 << 10

// parseShell parses as much of a shell text as can be; what is wrong with it is
// told by conf.
func parseShell(text string) (stmts []*syntax.Stmt) {
	if len(text) > shellLimit {
		return nil
	}
	defer func() {
		if recover() != nil { // the parser has panics left for odd input
			stmts = nil
		}
	}()
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "\r\n", "\n")
	for stmt, err := range syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).StmtsSeq(bytes.NewReader([]byte(text))) {
		if err != nil {
			return stmts
		}
		stmts = append(stmts, stmt)
	}
	return stmts
}

// An assignment is one place where a variable gets a value.
type assignment struct {
	line  int
	index int    // -1: computed, or a whole array
	sure  bool   // at the file's top level: it happens whatever the kernel
	plain string // the value, where it is plain text
	known bool   // plain is the value
}

// assignments are the places by variable.
type assignments map[string][]assignment

// placesOf collects the assignments of a program.
func placesOf(stmts []*syntax.Stmt) assignments {
	out := assignments{}
	for _, st := range stmts {
		sure := st.Cmd != nil && !st.Negated && !st.Background
		if call, ok := st.Cmd.(*syntax.CallExpr); !ok || len(call.Args) > 0 {
			_, declares := st.Cmd.(*syntax.DeclClause)
			sure = sure && declares
		}
		walk(st, func(n syntax.Node) bool {
			if as, ok := n.(*syntax.Assign); ok && as.Name != nil {
				out[as.Name.Value] = append(out[as.Name.Value], placeOf(as, sure))
			}
			return true
		})
	}
	return out
}

func placeOf(as *syntax.Assign, sure bool) assignment {
	a := assignment{line: int(as.Pos().Line()), sure: sure, index: -1}
	switch index := as.Index.(type) {
	case nil:
		if as.Array == nil {
			a.index = 0
		}
	case *syntax.Word:
		if n, err := strconv.Atoi(index.Lit()); err == nil {
			a.index = n
		}
	}
	if as.Array == nil {
		a.plain, a.known = plainText(as.Value)
	}
	return a
}

// plainText returns the text of a word without expansions.
func plainText(w *syntax.Word) (string, bool) {
	if w == nil {
		return "", true
	}
	var b strings.Builder
	for _, part := range w.Parts {
		if !writePlain(&b, part) {
			return "", false
		}
	}
	return b.String(), true
}

func writePlain(b *strings.Builder, part syntax.WordPart) bool {
	switch part := part.(type) {
	case *syntax.Lit:
		b.WriteString(part.Value)
	case *syntax.SglQuoted:
		b.WriteString(part.Value)
	case *syntax.DblQuoted:
		for _, p := range part.Parts {
			if !writePlain(b, p) {
				return false
			}
		}
	default:
		return false
	}
	return true
}

// line returns where a directive's value is set, as well as can be told: at the
// last assignment of the index, else at a computed one, else at any; 0 when
// there is none.
func (a assignments) line(name string, index int) int {
	line, best := 0, 0
	for _, at := range a[name] {
		rank := 1
		switch {
		case at.index == index:
			rank = 3
		case at.index < 0:
			rank = 2
		}
		if rank >= best {
			line, best = at.line, rank
		}
	}
	return line
}

// surely reports whether a variable gets its values in the same way for every
// kernel: from assignments at the top level only.
func (a assignments) surely(name string) bool {
	for _, at := range a[name] {
		if !at.sure {
			return false
		}
	}
	return len(a[name]) > 0
}

// walk calls fn for each node; it goes into those for which fn returns true.
func walk(n syntax.Node, fn func(syntax.Node) bool) {
	syntax.Walk(n, func(n syntax.Node) bool { return n == nil || fn(n) })
}
