package operand

import (
	"cmp"
	"context"
	"errors"
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
func (f *Finder) operand() (operandKind, string, error) {
	switch len(f.call.Operands) {
	case 0:
		if f.call.Archive != "" && f.call.Module == "" {
			return archiveFile, f.call.Archive, nil
		}
		return nothing, "", nil
	case 1:
	default:
		return nothing, "", &dkms.Error{Kind: dkms.Usage, Object: strings.Join(f.call.Operands, " "), Problem: "one package at a time"}
	}
	word := f.call.Operands[0]
	name, version, slashed := strings.Cut(word, "/")
	if slashed && !spelledAsPath(word) && (f.known(dkms.Package{Name: name, Version: version}) || !system.Exists(word)) {
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
func (f *Finder) known(p dkms.Package) bool {
	return system.Exists(f.tree.SourceLink(p)) || system.IsDir(f.tree.Source(p))
}

// Archive returns the archive that the call is about, if it is.
func (f *Finder) Archive() (path string, ok bool) {
	kind, word, err := f.operand()
	return word, err == nil && kind == archiveFile && filepath.Ext(word) != ".rpm"
}

// Find finds the package of add, build or install: registered, in /usr/src, or
// brought along as a directory, a dkms.conf or an .rpm. An archive is to be loaded.
func (f *Finder) Find(ctx context.Context, have tree.Snapshot) (*machine.Candidate, error) {
	kind, word, err := f.operand()
	if err != nil {
		return nil, err
	}
	switch kind {
	case sourceDir:
		return f.fromDirectory(ctx, have, word, filepath.Join(word, "dkms.conf"))
	case confFile:
		return f.fromDirectory(ctx, have, filepath.Dir(word), word)
	case archiveFile:
		return f.fromRPM(ctx, have, word)
	}
	p, err := f.call.Exactly()
	if err != nil {
		return nil, err
	}
	if c, ok, err := f.lookUp(have, p); ok || err != nil {
		return c, err
	}
	for _, part := range []struct{ what, word string }{{"module name", p.Name}, {"module version", p.Version}} {
		if err := dkms.CheckWord(part.what, part.word); err != nil {
			return nil, err
		}
	}
	dir := f.tree.Source(p)
	if !system.IsDir(dir) {
		return nil, &dkms.Error{Kind: dkms.SourceMissing, Object: p.String(), Problem: "no source at " + dir,
			Hint: "put it there, or name its directory: dkms add DIRECTORY"}
	}
	return f.Unregistered(p, dir)
}

// lookUp returns a registered package.
func (f *Finder) lookUp(have tree.Snapshot, p dkms.Package) (*machine.Candidate, bool, error) {
	state, ok := have.Find(p)
	if !ok {
		return nil, false, nil
	}
	if state.State == dkms.Broken {
		// A link that is only missing is put back by add.
		if f.call.Action == "add" && !system.Exists(f.tree.SourceLink(p)) {
			return nil, false, nil
		}
		return nil, true, machine.Broken(state)
	}
	return f.machine.Candidate(p, state.Source, true), true, nil
}

// Unregistered is the package whose source lies in dir and is not registered yet.
func (f *Finder) Unregistered(p dkms.Package, dir string) (*machine.Candidate, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		return nil, &dkms.Error{Kind: dkms.ConfInvalid, Object: dir, Problem: "is empty"}
	}
	c := f.machine.Candidate(p, dir, false)
	if !system.Exists(c.ConfFile) {
		return nil, &dkms.Error{Kind: dkms.ConfMissing, Object: c.ConfFile, Problem: "does not exist", Hint: "-c names another file"}
	}
	return c, nil
}

// fromDirectory is a source that a person points at. It is copied to its place
// in /usr/src when it is registered, unless it lies there.
func (f *Finder) fromDirectory(ctx context.Context, have tree.Snapshot, dir, file string) (*machine.Candidate, error) {
	if f.call.ConfFile != "" {
		file = f.call.ConfFile
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if !system.Exists(file) {
		return nil, &dkms.Error{Kind: dkms.ConfMissing, Object: file, Problem: "does not exist", Hint: "-c names another file"}
	}
	given, err := f.call.Named()
	if err != nil {
		return nil, err
	}
	p, err := f.identify(ctx, file, given)
	if err != nil {
		return nil, err
	}
	if c, ok, err := f.lookUp(have, p); ok || err != nil {
		return c, err
	}
	c, err := f.Unregistered(p, dir)
	if err != nil {
		return nil, err
	}
	place := f.tree.Source(p)
	if system.SameFile(dir, place) {
		c.Source = place
		return c, nil
	}
	if system.Exists(place) && !f.call.Force {
		return nil, &dkms.Error{Kind: dkms.AlreadyAdded, Object: place, Problem: "exists already",
			Hint: "register that by its name, or replace it with --force"}
	}
	own := c.ConfFile
	if system.SameFile(own, filepath.Join(dir, "dkms.conf")) {
		own = ""
	}
	c.Bring = func() (*tree.Brought, error) { return f.tree.BringSource(p, dir, own) }
	return c, nil
}

// identify reads a package's name and version from its dkms.conf; what is given
// already wins.
func (f *Finder) identify(ctx context.Context, file string, given dkms.Package) (dkms.Package, error) {
	k, err := f.Kernel()
	if err != nil {
		return given, err
	}
	read, err := f.machine.Identify(ctx, file, given, k)
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

// Kernel is the one that a dkms.conf is asked about when only its name and
// version matter: the first of the call.
func (f *Finder) Kernel() (kbuild.Kernel, error) {
	ids, err := f.call.Targets()
	if err != nil {
		return kbuild.Kernel{}, err
	}
	return f.machine.Kernel(ids[0])
}
