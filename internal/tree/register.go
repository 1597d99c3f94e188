package tree

import (
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Register makes TREE/NAME/VER/source point at source (normally t.Source(p))
// and, as dkms does, an empty build directory. It checks neither source nor its
// dkms.conf. Kind AlreadyAdded: p has a source link that resolves; a broken
// link is replaced.
func (t Tree) Register(p dkms.Package, source string) error {
	if err := checkNew(p); err != nil {
		return err
	}
	if state, listed := t.source(p); listed && state.State == dkms.Added {
		return &dkms.Error{Kind: dkms.AlreadyAdded, Object: p.String(), Problem: "is already in the tree", Hint: "dkms remove " + p.String() + " takes it out"}
	}
	fresh := !system.Exists(t.PackageDir(p))
	if err := t.register(p, source); err != nil {
		if fresh {
			_ = os.Remove(t.BuildDir(p))
			system.PruneEmpty(t.PackageDir(p), t.Dir)
		}
		return problem(p.String(), "cannot be added", err)
	}
	return nil
}

func (t Tree) register(p dkms.Package, source string) error {
	if err := t.at("register mkdir"); err != nil {
		return err
	}
	if err := os.MkdirAll(t.BuildDir(p), 0o755); err != nil {
		return err
	}
	if err := t.at("register link"); err != nil {
		return err
	}
	if err := setLink(t.SourceLink(p), source); err != nil {
		return err
	}
	for dir := t.PackageDir(p); below(t.Dir, dir); dir = filepath.Dir(dir) {
		if err := system.SyncDir(dir); err != nil {
			return err
		}
	}
	return system.SyncDir(t.Dir)
}

// Unregister takes p out of the tree with everything that is kept for it:
// built modules, logs, failed builds, archives. Nothing of it may be installed
// any more. The source itself is left alone. Kind NotInTree: there is no p.
func (t Tree) Unregister(p dkms.Package) error {
	if err := checkPackage(p); err != nil {
		return err
	}
	dir := t.PackageDir(p)
	if !system.Exists(dir) {
		return notInTree(p)
	}
	if err := t.at("unregister"); err != nil {
		return problem(p.String(), "cannot be removed", err)
	}
	if err := t.discard(dir); err != nil {
		return problem(p.String(), "cannot be removed", err)
	}
	t.pruneName(p.Name)
	return nil
}

// pruneName removes TREE/NAME when nothing is in it.
func (t Tree) pruneName(name string) {
	dir := filepath.Join(t.Dir, name)
	_ = os.Remove(filepath.Join(dir, originalsDir))
	_ = os.Remove(dir)
}

func notInTree(p dkms.Package) error {
	return &dkms.Error{Kind: dkms.NotInTree, Object: p.String(), Problem: "is not in the tree", Hint: "dkms status lists what is"}
}

// checkPackage is for packages that are there, by whatever name dkms has let
// them in.
func checkPackage(p dkms.Package) error {
	if err := dkms.CheckElement("package name", p.Name); err != nil {
		return err
	}
	return dkms.CheckElement("package version", p.Version)
}

// checkNew is for packages that we let in.
func checkNew(p dkms.Package) error {
	if err := dkms.CheckWord("package name", p.Name); err != nil {
		return err
	}
	return dkms.CheckWord("package version", p.Version)
}

func checkRef(r dkms.Ref) error {
	if err := checkPackage(r.Package); err != nil {
		return err
	}
	if err := dkms.CheckWord("kernel release", r.Release); err != nil {
		return err
	}
	if reserved[r.Release] {
		return &dkms.Error{Kind: dkms.Incomplete, Object: "kernel release " + r.Release, Problem: "is a name that the tree needs for itself"}
	}
	return dkms.CheckWord("architecture", r.Arch)
}
