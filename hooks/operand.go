package hooks

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// operandKind tells what a word on the command line names.
type operandKind int

const (
	nothing operandKind = iota
	packageName
	sourceDir
	confFile
	archiveFile
)

// operand looks at the call's operand. A word of the form NAME/VER is a
// package, unless it is spelled as a path (/…, ./…, ../…) or only the path
// exists.
func (r *run) operand() (operandKind, string, error) {
	switch len(r.call.Operands) {
	case 0:
		if r.call.Archive != "" && r.call.Module == "" {
			return archiveFile, r.call.Archive, nil
		}
		return nothing, "", nil
	case 1:
	default:
		return nothing, "", &dkms.Error{Kind: dkms.Usage, Object: strings.Join(r.call.Operands, " "), Problem: "one package at a time"}
	}
	word := r.call.Operands[0]
	name, version, slashed := strings.Cut(word, "/")
	if slashed && !spelledAsPath(word) && (r.known(dkms.Package{Name: name, Version: version}) || !system.Exists(word)) {
		return packageName, word, nil
	}
	info, err := os.Stat(word)
	switch {
	case err != nil && spelledAsPath(word):
		return nothing, "", &dkms.Error{Kind: dkms.SourceMissing, Object: word, Problem: "does not exist"}
	case err != nil:
		return packageName, word, nil
	case info.IsDir():
		return sourceDir, word, nil
	case filepath.Base(word) == "dkms.conf":
		return confFile, word, nil
	case info.Mode().IsRegular():
		return archiveFile, word, nil
	}
	return nothing, "", &dkms.Error{Kind: dkms.SourceMissing, Object: word, Problem: "is neither a directory nor a file"}
}

func spelledAsPath(word string) bool {
	return word == "." || word == ".." || strings.HasPrefix(word, "/") || strings.HasPrefix(word, "./") || strings.HasPrefix(word, "../")
}

// known reports whether p is registered or has its source in place.
func (r *run) known(p dkms.Package) bool {
	return system.Exists(r.machine.Tree.SourceLink(p)) || system.IsDir(r.machine.Tree.Source(p))
}

// exactly returns the package that the call names by -m, -v or NAME/VER, for
// actions that want nothing else; both parts are there.
func (c *Call) exactly() (dkms.Package, error) {
	p, err := c.spelled()
	if err != nil {
		return p, err
	}
	if p.Name == "" || p.Version == "" {
		return p, &dkms.Error{Kind: dkms.Incomplete, Object: c.Action, Problem: "name and version of the package are not both given",
			Hint: fmt.Sprintf("dkms %s NAME/VERSION", c.Action)}
	}
	return p, nil
}

// spelled is like exactly, with either part left out at will.
func (c *Call) spelled() (dkms.Package, error) {
	named := *c
	if len(c.Operands) > 1 {
		return dkms.Package{}, &dkms.Error{Kind: dkms.Usage, Object: strings.Join(c.Operands, " "), Problem: "one package at a time"}
	}
	if len(c.Operands) == 1 {
		if c.Module != "" && c.Module != c.Operands[0] && c.Module+"/"+c.Version != c.Operands[0] {
			return dkms.Package{}, &dkms.Error{Kind: dkms.Usage, Object: "-m " + c.Module + " and " + c.Operands[0], Problem: "name two packages"}
		}
		named.Module = c.Operands[0]
	}
	return named.named()
}

// candidate finds the package of add, build or install: registered, in
// /usr/src, or brought along as a directory, a dkms.conf or an archive.
func (r *run) candidate(have tree.Snapshot) (*machine.Candidate, error) {
	kind, word, err := r.operand()
	if err != nil {
		return nil, err
	}
	switch kind {
	case sourceDir:
		return r.fromDirectory(have, word, filepath.Join(word, "dkms.conf"))
	case confFile:
		return r.fromDirectory(have, filepath.Dir(word), word)
	case archiveFile:
		if filepath.Ext(word) == ".rpm" {
			return r.fromRPM(have, word)
		}
		return r.fromArchive(word)
	}
	p, err := r.call.exactly()
	if err != nil {
		return nil, err
	}
	if c, ok, err := r.lookUp(have, p); ok || err != nil {
		return c, err
	}
	for _, part := range []struct{ what, word string }{{"module name", p.Name}, {"module version", p.Version}} {
		if err := dkms.CheckWord(part.what, part.word); err != nil {
			return nil, err
		}
	}
	dir := r.machine.Tree.Source(p)
	if !system.IsDir(dir) {
		return nil, &dkms.Error{Kind: dkms.SourceMissing, Object: p.String(), Problem: "no source at " + dir,
			Hint: "put it there, or name its directory: dkms add DIRECTORY"}
	}
	return r.unregistered(p, dir)
}

// lookUp returns a registered package.
func (r *run) lookUp(have tree.Snapshot, p dkms.Package) (*machine.Candidate, bool, error) {
	state, ok := have.Find(p)
	if !ok {
		return nil, false, nil
	}
	if state.State == dkms.Broken {
		// A link that is only missing is put back by add.
		if r.call.Action == "add" && !system.Exists(r.machine.Tree.SourceLink(p)) {
			return nil, false, nil
		}
		return nil, true, machine.Broken(state)
	}
	return r.machine.Candidate(p, state.Source, true), true, nil
}

func (r *run) unregistered(p dkms.Package, dir string) (*machine.Candidate, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		return nil, &dkms.Error{Kind: dkms.ConfInvalid, Object: dir, Problem: "is empty"}
	}
	c := r.machine.Candidate(p, dir, false)
	if !system.Exists(c.ConfFile) {
		return nil, &dkms.Error{Kind: dkms.ConfMissing, Object: c.ConfFile, Problem: "does not exist", Hint: "-c names another file"}
	}
	return c, nil
}

// fromDirectory is a source that a person points at. It is copied to its place
// in /usr/src when it is registered, unless it lies there.
func (r *run) fromDirectory(have tree.Snapshot, dir, file string) (*machine.Candidate, error) {
	if r.call.ConfFile != "" {
		file = r.call.ConfFile
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if !system.Exists(file) {
		return nil, &dkms.Error{Kind: dkms.ConfMissing, Object: file, Problem: "does not exist", Hint: "-c names another file"}
	}
	given, err := r.call.named()
	if err != nil {
		return nil, err
	}
	p, err := r.identify(file, given)
	if err != nil {
		return nil, err
	}
	if c, ok, err := r.lookUp(have, p); ok || err != nil {
		return c, err
	}
	c, err := r.unregistered(p, dir)
	if err != nil {
		return nil, err
	}
	place := r.machine.Tree.Source(p)
	if sameFile(dir, place) {
		c.Source = place
		return c, nil
	}
	if system.Exists(place) && !r.call.Force {
		return nil, &dkms.Error{Kind: dkms.AlreadyAdded, Object: place, Problem: "exists already",
			Hint: "register that by its name, or replace it with --force"}
	}
	own := c.ConfFile
	if sameFile(own, filepath.Join(dir, "dkms.conf")) {
		own = ""
	}
	c.Bring = func() (*tree.Brought, error) { return r.machine.Tree.BringSource(p, dir, own) }
	return c, nil
}

// identify reads a package's name and version from its dkms.conf; what is given
// already wins.
func (r *run) identify(file string, given dkms.Package) (dkms.Package, error) {
	k, err := r.someKernel()
	if err != nil {
		return given, err
	}
	read, err := r.machine.Identify(r.ctx, file, given, k)
	var e *dkms.Error
	if errors.As(err, &e) && e.Kind == dkms.ConfInvalid && e.Hint == "" {
		e.Hint = "-m and -v give name and version by hand"
	}
	if err != nil {
		return read, err
	}
	p := dkms.Package{Name: cmp.Or(given.Name, read.Name), Version: cmp.Or(given.Version, read.Version)}
	for _, part := range []struct{ what, word string }{{"PACKAGE_NAME", p.Name}, {"PACKAGE_VERSION", p.Version}} {
		if err := dkms.CheckWord(part.what, part.word); err != nil {
			return p, &dkms.Error{Kind: dkms.ConfInvalid, Object: file, Problem: err.Error(), Hint: "-m and -v give name and version by hand"}
		}
	}
	return p, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// someKernel is the one that a dkms.conf is asked about when only its name and
// version matter: the first of the call.
func (r *run) someKernel() (kbuild.Kernel, error) {
	ids, err := r.call.targets()
	if err != nil {
		return kbuild.Kernel{}, err
	}
	return r.machine.Kernel(ids[0])
}
