package conf

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// expandAgain does the second expansion, as between double quotes: dkms
// expands every value once more after the file was read, and packages rely on
// '${kernelver}' in single quotes. A value that cannot be expanded is left as
// it is, with a warning.
func (e *evaluation) expandAgain(ctx context.Context, raw Directives) error {
	for _, name := range expansionOrder(raw) {
		for _, index := range raw[name].Indexes() {
			value := raw[name][index]
			if !strings.ContainsAny(value, "$`\\") {
				continue
			}
			if err := e.expandValue(ctx, name, index, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// expansionOrder puts the name and version first, since others refer to them.
func expansionOrder(raw Directives) []string {
	order := []string{"PACKAGE_NAME", "PACKAGE_VERSION"}
	for _, name := range directiveNames {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	return order
}

func (e *evaluation) expandValue(ctx context.Context, name string, index int, value string) error {
	if len(value) > sourceLimit {
		e.problems = append(e.problems, Problem{File: e.request.File, Text: name + " is too long"})
		return nil
	}
	text := strings.ReplaceAll(value, "\r", carriageReturn)
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	doc, err := parser.Document(strings.NewReader(text))
	if err != nil || doc == nil {
		e.warnings = append(e.warnings, e.where.problem(e.request.File, name, fmt.Sprint(index),
			name+" cannot be expanded a second time and is taken as it is"))
		return nil
	}
	at := doc
	assign := &syntax.Assign{
		Name:  literal(at, name),
		Value: &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Left: at.Pos(), Right: at.End(), Parts: doc.Parts}}},
	}
	if index > 0 || e.runner.Vars[name].Kind != expand.String {
		assign.Index = word(at, fmt.Sprint(index))
	}
	st := statement(at, &syntax.CallExpr{Assigns: []*syntax.Assign{assign}})
	stmts := e.rewriter.file(program{file: e.request.File, stmts: []*syntax.Stmt{st}}, nil, false)
	e.exitAt = 0
	_, err = e.runNode(ctx, e.request.File, stmts[0])
	return err
}
