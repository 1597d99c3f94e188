package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// maxProblems is how many problems are told at once.
const maxProblems = 20

// problems collects what is wrong, so that all of it is told at once.
type problems struct {
	list []conf.Problem
}

// add notes a problem of a file; line 0 is none.
func (p *problems) add(file string, line int, format string, args ...any) {
	if len(p.list) <= maxProblems {
		p.list = append(p.list, conf.Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

// full tells whether there is no point in looking on.
func (p *problems) full() bool { return len(p.list) >= maxProblems }

// err is the error for the problems, if there are any: a single one stands for
// itself, several are told as what is wrong with object.
func (p *problems) err(kind dkms.Kind, object, problem, hint string) error {
	switch len(p.list) {
	case 0:
		return nil
	case 1:
		one := p.list[0]
		if one.Line > 0 {
			one.File = fmt.Sprintf("%s:%d", one.File, one.Line)
		}
		return &dkms.Error{Kind: kind, Object: one.File, Problem: one.Text, Hint: hint}
	}
	list := p.list
	if len(list) > maxProblems {
		list = append(list[:maxProblems:maxProblems], conf.Problem{Text: "and more"})
	}
	return &dkms.Error{Kind: kind, Object: object, Problem: problem, Hint: hint, Err: &conf.Invalid{Problems: list}}
}

// noSource is the error for a directory that is none.
func noSource(dir string, err error) error {
	const hint = "name the directory with the dkms.conf"
	info, statErr := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "there is no such directory", Hint: hint}
	case statErr == nil && !info.IsDir():
		return &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "is no directory", Hint: hint}
	}
	return &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "cannot be read", Err: system.Cause(err)}
}
