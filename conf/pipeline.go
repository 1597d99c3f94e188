package conf

import (
	"fmt"
	"strconv"

	"mvdan.cc/sh/v3/syntax"
)

// pipeline turns a | b | c into { (a) >p1; (b) <p1 >p2; (c) <p2; }.
func (w *rewriter) pipeline(cmd *syntax.BinaryCmd) syntax.Command {
	var links []*syntax.Stmt
	var ops []syntax.BinCmdOperator
	var flatten func(*syntax.Stmt)
	flatten = func(st *syntax.Stmt) {
		b, ok := st.Cmd.(*syntax.BinaryCmd)
		if ok && len(st.Redirs) == 0 && !st.Negated && (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) {
			flatten(b.X)
			ops = append(ops, b.Op)
			flatten(b.Y)
			return
		}
		links = append(links, st)
	}
	flatten(&syntax.Stmt{Position: cmd.Pos(), Cmd: cmd})

	block := &syntax.Block{Lbrace: cmd.Pos(), Rbrace: cmd.End()}
	before := ""
	for i, link := range links {
		st := statement(link, &syntax.Subshell{Lparen: link.Pos(), Rparen: link.End(), Stmts: []*syntax.Stmt{link}})
		if before != "" {
			st.Redirs = append(st.Redirs, redirect(link, syntax.RdrIn, before))
		}
		if i < len(links)-1 {
			before = w.newPipe()
			op := syntax.RdrOut
			if ops[i] == syntax.PipeAll {
				op = syntax.RdrAll
			}
			st.Redirs = append(st.Redirs, redirect(link, op, before))
		}
		block.Stmts = append(block.Stmts, st)
		block.Stmts = append(block.Stmts, saveStatus(link, i))
	}
	block.Stmts = append(block.Stmts, pipeStatus(cmd, len(links)))
	return block
}

func (w *rewriter) newPipe() string {
	w.pipes++
	return pipePath + strconv.Itoa(w.pipes)
}

// saveStatus is __dkms_conf_statusI=$?.
func saveStatus(at syntax.Node, i int) *syntax.Stmt {
	return statement(at, &syntax.CallExpr{Assigns: []*syntax.Assign{{
		Name:  literal(at, fmt.Sprintf("%s%d", statusCommand, i)),
		Value: &syntax.Word{Parts: []syntax.WordPart{param(at, "?")}},
	}}})
}

// pipeStatus sets PIPESTATUS and $? from what saveStatus saved.
func pipeStatus(at syntax.Node, n int) *syntax.Stmt {
	call := callTo(at, statusCommand)
	for i := range n {
		call.Args = append(call.Args, &syntax.Word{Parts: []syntax.WordPart{param(at, fmt.Sprintf("%s%d", statusCommand, i))}})
	}
	return statement(at, call)
}
