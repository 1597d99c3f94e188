package conf

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// sourceLimit bounds what is parsed: the parser and the interpreter recurse,
// and a Go program cannot survive an exhausted stack. The longest dkms.conf
// known has 12 KiB.
const sourceLimit = 128 << 10

// badSubstitution takes the place of a ${…} that mvdan.cc/sh refuses to parse
// but bash stumbles over only when it gets there.
const badSubstitution = "__dkms_conf_bad"

// A program is parsed shell text.
type program struct {
	file  string
	stmts []*syntax.Stmt
	// broken is where the parser gave up; stmts are those that bash would
	// have run by then.
	broken *Problem
	// risky tells that some ${…} cannot be expanded.
	risky bool
}

// parse parses src as bash does, which runs each line before it reads the
// next: a syntax error leaves what stands above it.
func parse(src []byte, file string) program {
	p := program{file: file}
	if len(src) > sourceLimit {
		p.broken = &Problem{File: file, Text: fmt.Sprintf("is longer than %d KiB", sourceLimit>>10)}
		return p
	}
	src = []byte(encode(string(bytes.ReplaceAll(src, []byte{0}, nil))))
	var err error
	for range 64 {
		if p.stmts, err = statements(src); err == nil {
			return p
		}
		if emptyArithmetic.Match(src) { // bash takes (( )) for zero
			src = emptyArithmetic.ReplaceAll(src, []byte("((0))"))
			continue
		}
		masked, ok := maskSubstitution(src, err)
		if !ok {
			break
		}
		src, p.risky = masked, true
	}
	p.stmts = completeLines(src, p.stmts)
	p.broken = syntaxProblem(file, err)
	return p
}

var emptyArithmetic = regexp.MustCompile(`\(\([ \t]*\)\)`)

// statements parses as far as it goes.
func statements(src []byte) (stmts []*syntax.Stmt, err error) {
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	for stmt, err := range parser.StmtsSeq(bytes.NewReader(src)) {
		if err != nil {
			return stmts, err
		}
		stmts = append(stmts, stmt)
	}
	return stmts, nil
}

// completeLines drops the statements that share their line with the one that
// does not parse: bash has not run them either.
func completeLines(src []byte, stmts []*syntax.Stmt) []*syntax.Stmt {
	for n := len(stmts); n > 0; n-- {
		end := min(int(stmts[n-1].End().Offset()), len(src))
		rest, _, _ := bytes.Cut(src[end:], []byte("\n"))
		next := strings.TrimLeft(string(rest), " \t;&")
		if next == "" || next[0] == '#' {
			return stmts[:n]
		}
	}
	return nil
}

// maskSubstitution replaces the ${…} that the parser complains of.
func maskSubstitution(src []byte, err error) ([]byte, bool) {
	offset, ok := errorOffset(err)
	if !ok || offset > len(src) {
		return nil, false
	}
	start := bytes.LastIndex(src[:min(offset+2, len(src))], []byte("${"))
	if start < 0 {
		return nil, false
	}
	end := closingBrace(src, start+2)
	if end < offset || bytes.ContainsRune(src[start:end], '\n') {
		return nil, false
	}
	masked := bytes.Clone(src[:start])
	masked = append(masked, "${"+badSubstitution+"}"...)
	return append(masked, src[end:]...), true
}

// closingBrace returns the offset after the } that closes a ${ whose inside
// begins at i, or -1.
func closingBrace(src []byte, i int) int {
	for depth := 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func errorOffset(err error) (int, bool) {
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		return int(pe.Pos.Offset()), true
	case errors.As(err, &le):
		return int(le.Pos.Offset()), true
	}
	return 0, false
}

func syntaxProblem(file string, err error) *Problem {
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		return &Problem{File: file, Line: int(pe.Pos.Line()), Text: "syntax error: " + readable(pe.Text)}
	case errors.As(err, &le):
		return &Problem{File: file, Line: int(le.Pos.Line()), Text: "syntax error: " + le.Feature + " are not for bash"}
	}
	return &Problem{File: file, Text: "syntax error: " + err.Error()}
}
