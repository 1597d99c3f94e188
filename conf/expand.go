package conf

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// expandAgain does the second expansion, as between double quotes: dkms
// expands every value once more after the file was read, and packages rely on
// '${kernelver}' in single quotes. By then the shell that read the file is
// gone: the promised variables and the directives are there, variables of the
// file's own are not. A value that cannot be expanded is left as it is, with a
// warning.
func (e *evaluation) expandAgain(ctx context.Context, raw Directives) (Directives, error) {
	values := Directives{}
	shell := false
	for name, array := range raw {
		for i, value := range array {
			shell = shell || strings.ContainsAny(value, "$`")
			values.Set(name, i, unescapeQuoted(value))
		}
	}
	if !shell {
		return values, nil
	}
	if err := e.restart(ctx, raw); err != nil {
		return values, err
	}
	for _, name := range expansionOrder() {
		for _, i := range raw[name].Indexes() {
			if !strings.ContainsAny(raw[name][i], "$`") {
				continue
			}
			if err := e.expandValue(ctx, name, i, raw[name][i]); err != nil {
				return values, err
			}
		}
	}
	for name, array := range e.values() {
		for i, value := range array {
			if strings.ContainsAny(raw[name][i], "$`") {
				values[name][i] = value
			}
		}
	}
	return values, nil
}

// unescapeQuoted is what double quotes make of a value without expansions.
func unescapeQuoted(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, "\\\n", "").Replace(s)
}

// restart makes a new shell that knows the directives.
func (e *evaluation) restart(ctx context.Context, raw Directives) error {
	if err := e.start(); err != nil {
		return err
	}
	for _, name := range directiveNames {
		scalar := raw[name].Max() == 0
		for _, i := range raw[name].Indexes() {
			index := strconv.Itoa(i)
			if scalar {
				index = ""
			}
			if err := e.assign(ctx, name, index, raw[name][i]); err != nil {
				return err
			}
		}
	}
	p := e.request.Package
	if p.Name == "" {
		if err := e.assign(ctx, "module", "", raw.Get("PACKAGE_NAME")); err != nil {
			return err
		}
	}
	if p.Version == "" {
		return e.assign(ctx, "module_version", "", raw.Get("PACKAGE_VERSION"))
	}
	return nil
}

// expansionOrder puts the name and version first, since others refer to them.
func expansionOrder() []string {
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
	defer e.contain(e.request.File)
	text := encode(value)
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	doc, err := parser.Document(strings.NewReader(text))
	if err != nil || doc == nil {
		e.warnings = append(e.warnings, e.where.problem(e.request.File, name, strconv.Itoa(index),
			name+" cannot be expanded a second time and is taken as it is"))
		return nil
	}
	as := &syntax.Assign{
		Name:  literal(doc, name),
		Value: doubleQuoted(doc, doc.Parts...),
	}
	if index > 0 || e.runner.Vars[name].Kind != expand.String {
		as.Index = word(doc, strconv.Itoa(index))
	}
	st := statement(doc, &syntax.CallExpr{Assigns: []*syntax.Assign{as}})
	stmts := e.rewriter.file(program{file: e.request.File, stmts: []*syntax.Stmt{st}}, nil, false)
	e.expanding.name, e.expanding.index = name, strconv.Itoa(index)
	_, err = e.runNode(ctx, e.request.File, stmts[0])
	return err
}
