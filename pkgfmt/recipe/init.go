package recipe

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt/makefile"
)

// InitOptions say what Init need not find out.
type InitOptions struct {
	// Name and Version are PACKAGE_NAME and PACKAGE_VERSION; empty: as found.
	Name, Version string
	// Makefile has Init go on where neither a Kbuild nor a Makefile is, as if
	// there were the file that Kbuild returns. The caller writes both.
	Makefile bool
}

// Check is the error where a dkms.conf is in dir already; force allows it.
func Check(dir string, force bool) error {
	file := filepath.Join(dir, "dkms.conf")
	if force || !system.Exists(file) {
		return nil
	}
	return &dkms.Error{Object: file, Problem: "is there already", Hint: "--force replaces it"}
}

// A Draft is a dkms.conf that a person has to look through.
type Draft struct {
	Text []byte
	// Warnings say what was not found, or not understood.
	Warnings []string
}

// Init returns a dkms.conf for the source in dir. It asks nothing
// and writes nothing. The error is a *dkms.Error: no module was found, or a name
// or version that was given cannot be used.
func Init(ctx context.Context, dir string, o InitOptions) (Draft, error) {
	if err := ctx.Err(); err != nil {
		return Draft{}, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Draft{}, err
	}
	p, err := newPlan(abs, o)
	if err != nil {
		return Draft{}, err
	}
	id, err := identify(abs, o, p.Modules)
	if err != nil {
		return Draft{}, err
	}
	text, err := render("dkms.conf", struct {
		identity
		*plan
	}{id, p})
	return Draft{Text: text, Warnings: warnings(id, p)}, err
}

// warnings are what the text says in comments that nobody should miss.
func warnings(id identity, p *plan) (all []string) {
	if id.Guessed {
		all = append(all, "PACKAGE_VERSION: nothing in the source tells the version: it is now "+id.Version)
	}
	for _, left := range p.Left {
		all = append(all, left+": left out")
	}
	for _, doubt := range p.Doubts {
		all = append(all, doubt+": modules may be missing")
	}
	return all
}

// newPlan finds the modules and how they are built.
func newPlan(dir string, o InitOptions) (*plan, error) {
	tree, err := makefile.Read(dir)
	if err != nil {
		return nil, err
	}
	own, err := makefile.ReadOwn(dir)
	if err != nil {
		return nil, err
	}
	if len(tree.Modules) == 0 {
		name, err := single(dir)
		if err != nil {
			return nil, noModules(dir, tree, err)
		}
		if !o.Makefile {
			return nil, &dkms.Error{Kind: dkms.Usage, Object: dir, Problem: "has neither a Kbuild nor a Makefile that says what to build",
				Hint: "one line in a file named Kbuild is enough: obj-m := " + name + ".o; --makefile writes it"}
		}
		tree.Modules = []makefile.Module{{Name: name, File: "Kbuild", Line: 1, Default: makefile.Yes, Sources: []string{name + ".c"}}}
	}
	p := &plan{tree: tree, own: own}
	p.build()
	if len(p.Modules) == 0 {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: dir, Problem: "no module is sure to be built", Err: firstOf(p.Left)}
	}
	return p, nil
}

// Kbuild returns the one line of a Kbuild file for a directory with a single C
// file and nothing that says how to build it.
func Kbuild(dir string) ([]byte, error) {
	name, err := single(dir)
	if err != nil {
		return nil, err
	}
	return []byte("obj-m := " + name + ".o\n"), nil
}

var moduleSource = regexp.MustCompile(`\bMODULE_LICENSE\s*\(|\bmodule_init\s*\(|\bmodule_[a-z0-9_]*driver\s*\(`)

// single is the name of the one C file in a directory without a Makefile.
func single(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "cannot be read", Err: err}
	}
	var names []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "Kbuild" || name == "Makefile":
			return "", &dkms.Error{Kind: dkms.Usage, Object: filepath.Join(dir, name), Problem: "lists no module that can be found", Hint: "obj-m := NAME.o lists one"}
		case strings.HasSuffix(name, ".c") && !strings.HasSuffix(name, ".mod.c") && e.Type().IsRegular():
			names = append(names, strings.TrimSuffix(name, ".c"))
		}
	}
	if len(names) != 1 {
		problem := "has no Kbuild, no Makefile and no C file"
		if len(names) > 1 {
			problem = "has several C files and neither a Kbuild nor a Makefile that says which belong together"
		}
		return "", &dkms.Error{Kind: dkms.Usage, Object: dir, Problem: problem, Hint: "a Kbuild file says it: obj-m := NAME.o, and NAME-y := A.o B.o for several"}
	}
	file := filepath.Join(dir, names[0]+".c")
	text, err := readStart(file)
	if err != nil || !moduleSource.Match(text) || dkms.CheckWord("module name", names[0]) != nil {
		return "", &dkms.Error{Kind: dkms.Usage, Object: file, Problem: "is no source of a module: it has no MODULE_LICENSE", Err: err}
	}
	return names[0], nil
}

// noModules is why nothing can be said of a directory: there is nothing in it,
// or nothing that was understood.
func noModules(dir string, tree *makefile.Tree, why error) error {
	if len(tree.Unclear) == 0 {
		return why
	}
	u := tree.Unclear[0]
	return &dkms.Error{Kind: dkms.Usage, Object: dir, Problem: "no module was found", Err: &dkms.Error{Object: place(u.File, u.Line), Problem: u.Problem}}
}

func firstOf(texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	return &dkms.Error{Problem: slices.Sorted(slices.Values(texts))[0]}
}
