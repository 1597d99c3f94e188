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

// problem makes a Problem about name[index] at its last assignment, or about
// file when it is assigned nowhere.
func (p positions) problem(file, name, index, text string) Problem {
	var best *place
	for i := range p[name] {
		at := &p[name][i]
		switch {
		case at.known && at.index == index:
			best = at
		case !at.known && (best == nil || !best.known):
			best = at
		}
	}
	if best == nil {
		return Problem{File: file, Text: text}
	}
	return Problem{File: best.file, Line: best.line, Text: text}
}
