package conf

import "mvdan.cc/sh/v3/syntax"

// The functions here make syntax nodes at the place of another, so that the
// printer and messages keep their lines.

func literal(at syntax.Node, s string) *syntax.Lit {
	return &syntax.Lit{ValuePos: at.Pos(), ValueEnd: at.Pos(), Value: s}
}

func word(at syntax.Node, s string) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{literal(at, s)}}
}

func single(at syntax.Node, s string) *syntax.SglQuoted {
	return &syntax.SglQuoted{Left: at.Pos(), Right: at.Pos(), Value: s}
}

func param(at syntax.Node, name string) *syntax.ParamExp {
	return &syntax.ParamExp{Dollar: at.Pos(), Rbrace: at.Pos(), Param: literal(at, name)}
}

func statement(at syntax.Node, cmd syntax.Command) *syntax.Stmt {
	return &syntax.Stmt{Position: at.Pos(), Cmd: cmd}
}

func callTo(at syntax.Node, args ...string) *syntax.CallExpr {
	call := &syntax.CallExpr{}
	for _, arg := range args {
		call.Args = append(call.Args, word(at, arg))
	}
	return call
}

func redirect(at syntax.Node, op syntax.RedirOperator, path string) *syntax.Redirect {
	return &syntax.Redirect{OpPos: at.Pos(), Op: op, Word: word(at, path)}
}

func commandSubstitution(at syntax.Node, cmd syntax.Command) *syntax.CmdSubst {
	return &syntax.CmdSubst{Left: at.Pos(), Right: at.End(), Stmts: []*syntax.Stmt{statement(at, cmd)}}
}
