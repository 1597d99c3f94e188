package conf

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// load evaluates, decodes and validates.
func (e *evaluation) load(ctx context.Context) (*Conf, error) {
	raw, values, err := e.evaluate(ctx)
	if err != nil {
		return nil, err
	}
	c := &Conf{
		Raw: raw, Values: values, request: e.request, where: e.where,
		Warnings: e.warnings, Output: e.stderr.String(),
	}
	problems := append(e.problems, c.decode()...)
	problems = append(problems, c.validate()...)
	if len(problems) == 0 {
		return c, nil
	}
	// What the parser stumbled over may explain what is missing.
	return c, c.invalid(append(problems, e.warnings...))
}

// invalid is the error for problems.
func (c *Conf) invalid(problems []Problem) error {
	object := c.request.File
	if p := c.Package(); p.Name != "" && p.Version != "" {
		object = p.String()
	}
	return &dkms.Error{Kind: dkms.ConfInvalid, Object: object, Problem: "its dkms.conf is invalid", Err: &Invalid{inOrder(problems)}}
}

// evaluate runs the file, the overrides, the directives and the second
// expansion. It returns the values before and after the latter.
func (e *evaluation) evaluate(ctx context.Context) (raw, values Directives, err error) {
	text, ok, err := readFile(e.request.File)
	switch {
	case err != nil:
		return nil, nil, &dkms.Error{Kind: dkms.ConfMissing, Object: e.request.File, Problem: "cannot be read", Err: err}
	case !ok:
		return nil, nil, &dkms.Error{Kind: dkms.ConfMissing, Object: e.request.File, Problem: "there is no such file",
			Hint: "a package needs a dkms.conf in its source directory; -c names another one"}
	}
	if err := e.start(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", e.request.File, err)
	}
	limit := 3 * e.timeout
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	raw, values, err = e.runAll(inner, text)
	for _, program := range e.slow {
		e.warnings = append(e.warnings, Problem{File: e.request.File,
			Text: fmt.Sprintf("%s ran longer than %s and was ended", program, e.timeout)})
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		e.problems = append(e.problems, Problem{File: e.request.File,
			Text: fmt.Sprintf("does not come to an end: given up after %s", limit.Round(time.Millisecond))})
		raw = e.values()
		return raw, raw, nil
	}
	return raw, values, err
}

func (e *evaluation) runAll(ctx context.Context, text []byte) (raw, values Directives, err error) {
	if err := e.run(ctx, e.request.File, text); err != nil {
		return nil, nil, err
	}
	for _, file := range e.overrides() {
		text, ok, err := readFile(file)
		if err != nil {
			e.problems = append(e.problems, Problem{File: file, Text: err.Error()})
		}
		if !ok || err != nil {
			continue
		}
		if err := e.assign(ctx, "BASH_SOURCE", "0", file); err != nil {
			return nil, nil, err
		}
		if err := e.run(ctx, file, text); err != nil {
			return nil, nil, err
		}
	}
	if err := e.applyDirectives(ctx); err != nil {
		return nil, nil, err
	}
	raw = e.values()
	values, err = e.expandAgain(ctx, raw)
	return raw, values, err
}

// overrides are those files of COMPAT that are there, later ones winning: dkms(8),
// section FILES, "/etc/dkms/<module>.conf" and the longer names.
func (e *evaluation) overrides() (files []string) {
	dir := e.request.EtcDir
	if dir == "" {
		return nil
	}
	for _, name := range e.overrideNames() {
		if e.request.Shared.holds(dir, name+".conf") {
			files = append(files, filepath.Join(dir, name+".conf"))
		}
	}
	return files
}

// overrideNames are what an override of this package may be called.
func (e *evaluation) overrideNames() []string {
	p, k := e.request.Package, e.kernel
	if p.Name == "" {
		p.Name = e.values().Get("PACKAGE_NAME")
	}
	if p.Version == "" {
		p.Version = e.values().Get("PACKAGE_VERSION")
	}
	if dkms.CheckWord("name", p.Name) != nil {
		return nil
	}
	names := []string{p.Name}
	if dkms.CheckWord("version", p.Version) == nil {
		names = append(names, p.Name+"-"+p.Version)
		if k.Release != "" {
			names = append(names, p.Name+"-"+p.Version+"-"+k.Release, p.Name+"-"+p.Version+"-"+k.Release+"-"+k.Arch)
		}
	}
	if k.Release != "" {
		names = append(names, p.Name+"--"+k.Release, p.Name+"--"+k.Release+"-"+k.Arch)
	}
	return names
}

// applyDirectives assigns what --directive says.
func (e *evaluation) applyDirectives(ctx context.Context) error {
	for _, d := range e.request.Directives {
		name, index, value, ok := splitDirective(d)
		n, err := strconv.Atoi(index)
		if !ok || err != nil || n < 0 || !syntax.ValidName(name) {
			e.problems = append(e.problems, Problem{Text: fmt.Sprintf("--directive %q: is not NAME=VALUE", d)})
			continue
		}
		e.where[name] = append(e.where[name], place{file: "--directive " + name, index: index, known: true})
		if index == "0" && !strings.Contains(d[:strings.IndexByte(d, '=')], "[") {
			index = "" // which is index 0 of an array, too
		}
		if err := e.assign(ctx, name, index, value); err != nil {
			return err
		}
	}
	return nil
}

// assign sets a variable in the shell: an array's element, or, without an
// index, a scalar.
func (e *evaluation) assign(ctx context.Context, name, index, value string) error {
	at := &syntax.Lit{}
	value = encode(value)
	as := &syntax.Assign{Name: literal(at, name), Value: &syntax.Word{Parts: []syntax.WordPart{single(at, value)}}}
	if index != "" {
		as.Index = word(at, index)
	}
	_, err := e.runNode(ctx, e.request.File, statement(at, &syntax.CallExpr{Assigns: []*syntax.Assign{as}}))
	return err
}
