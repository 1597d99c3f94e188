package conf

import "mvdan.cc/sh/v3/syntax"

// A place is one assignment to a variable.
type place struct {
	file  string
	line  int
	index string // as written; "" when there is none or it is computed
	known bool   // index says which element it is
}

// positions remembers where variables are assigned, so that problems can
// name a line.
type positions map[string][]place

// noteAll records the assignments of a command.
func (p positions) noteAll(file string, n syntax.Node) {
	if p == nil {
		return
	}
	var list []*syntax.Assign
	switch n := n.(type) {
	case *syntax.CallExpr:
		list = n.Assigns
	case *syntax.DeclClause:
		list = n.Args
	}
	for _, as := range list {
		p.note(file, as)
	}
}

// note records an assignment found in a syntax tree.
func (p positions) note(file string, as *syntax.Assign) {
	if as.Name == nil {
		return
	}
	at := place{file: file, line: int(as.Pos().Line()), known: as.Array == nil}
	switch index := as.Index.(type) {
	case nil:
		at.index = "0"
	case *syntax.Word:
		at.index = index.Lit()
		at.known = at.index != ""
	default:
		at.known = false
	}
	p[as.Name.Value] = append(p[as.Name.Value], at)
}

// problem makes a Problem about name[index] at its last assignment, else at
// one that may be it, else at the last of another element, else about file.
func (p positions) problem(file, name, index, text string) Problem {
	rank := func(at place) int {
		switch {
		case at.known && at.index == index:
			return 3
		case !at.known:
			return 2
		}
		return 1
	}
	best, found := place{}, 0
	for _, at := range p[name] {
		if r := rank(at); r >= found {
			best, found = at, r
		}
	}
	if found == 0 {
		return Problem{File: file, Text: text}
	}
	return Problem{File: best.file, Line: best.line, Text: text}
}
