package tree

import (
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Placement says where one built module is installed.
type Placement struct {
	From string // file name in ModuleDir, such as "it87.ko.xz"
	To   string // absolute path below INSTALLTREE/RELEASE
	// Dest is DEST_MODULE_LOCATION, such as "/kernel/drivers/hwmon": where an
	// original is looked for after extra/ and updates/. It may be empty.
	Dest string
}

// InstallOptions change how Install works.
type InstallOptions struct {
	// Symlink makes links to the files in the tree instead of copies
	// (--symlink-modules).
	Symlink bool
	// Former are the placements of the version that is active now, for when
	// dkms installed it and so left no manifest. Without them its files are
	// found by name and content.
	Former []Placement
}

// Install puts the modules of r, which must be built, into the kernel's
// directory and makes r the active version. Originals of the same name are set
// aside first when no version was active; files of the version that was active
// and that r does not have are removed. It writes the files, then the
// manifest, then the active link, each atomically.
//
// The change is in force when Install returns, but not final: the caller runs
// depmod and then calls Commit, or Undo, which restores exactly what was
// before. On an error everything is as before. Kind NothingInstalled:
// placements is empty; NoModuleDir: the kernel has no directory; NotInTree: r
// is not built.
func (t Tree) Install(r dkms.Ref, placements []Placement, o InstallOptions) (*Transaction, error) {
	if err := t.checkInstall(r, placements); err != nil {
		return nil, err
	}
	j := journal{Ref: r, Verb: "install"}
	m := t.readManifest(r)
	former, active := t.formerFiles(r, o.Former)
	if !active {
		t.archiveOriginals(&j, r, placements)
	}
	m.Installed = nil
	for _, p := range placements {
		file, err := t.place(&j, r, p, o.Symlink, former)
		if err != nil {
			return nil, problem(r.String(), "install cannot be done", err)
		}
		m.Installed = append(m.Installed, file)
	}
	t.dropFormer(&j, former, r)
	j.put(t.manifestPath(r), writeNew(m.encode(), 0o644))
	j.link(t.ActiveLink(r.Name, r.KernelID), activeTarget(r))
	tx, err := t.run(j)
	if err != nil {
		return nil, err
	}
	// Only a saving: a manifest without stamps is as right.
	_ = t.stampInstalled(m)
	return tx, nil
}

func (t Tree) checkInstall(r dkms.Ref, placements []Placement) error {
	if err := checkRef(r); err != nil {
		return err
	}
	switch {
	case !system.IsDir(t.ModuleDir(r)):
		return &dkms.Error{Kind: dkms.NotInTree, Object: r.String(), Problem: "is not built"}
	case len(placements) == 0 && len(t.found(r)) > 0:
		return &dkms.Error{Kind: dkms.NothingInstalled, Object: r.String(), Problem: "has no module to install"}
	case !system.IsDir(t.KernelDir(r.Release)):
		return &dkms.Error{Kind: dkms.NoModuleDir, Object: t.KernelDir(r.Release), Problem: "does not exist",
			Hint: "is the kernel " + r.Release + " installed?"}
	}
	taken := map[string]bool{}
	for _, p := range placements {
		_, isModule := ModuleName(p.To)
		switch {
		case filepath.Base(p.From) != p.From || !isModule || !below(t.KernelDir(r.Release), filepath.Clean(p.To)):
			return &dkms.Error{Kind: dkms.NothingInstalled, Object: r.String(), Problem: "would install " + p.From + " as " + p.To + ", outside " + t.KernelDir(r.Release)}
		case taken[p.To]:
			return &dkms.Error{Kind: dkms.NothingInstalled, Object: r.String(), Problem: "would install two modules as " + p.To}
		}
		taken[p.To] = true
		if info, err := os.Stat(filepath.Join(t.ModuleDir(r), p.From)); err != nil || !info.Mode().IsRegular() {
			return &dkms.Error{Kind: dkms.ModuleNotProduced, Object: r.String(), Problem: "has no module " + p.From, Err: err}
		}
		if info, err := os.Lstat(p.To); err == nil && info.IsDir() {
			return &dkms.Error{Kind: dkms.NothingInstalled, Object: p.To, Problem: "is a directory"}
		}
	}
	return nil
}

// place plans one file.
func (t Tree) place(j *journal, r dkms.Ref, p Placement, symlink bool, former []string) (InstalledFile, error) {
	from, to := filepath.Join(t.ModuleDir(r), p.From), filepath.Clean(p.To)
	file := InstalledFile{File: p.From, Path: to, Link: symlink}
	var err error
	if file.SHA256, err = system.Hash(from); err != nil {
		return file, err
	}
	j.mkdir(filepath.Dir(to))
	j.put(to, func(path string) error {
		if symlink {
			return os.Symlink(from, path)
		}
		return system.CopyFile(from, path, 0o644)
	})
	// A module of ours with another suffix beside it would be loaded at
	// random.
	for _, old := range former {
		if old != to && filepath.Dir(old) == filepath.Dir(to) && moduleOf(old) == moduleOf(to) && !j.touches(old) && system.Exists(old) {
			j.drop(old)
		}
	}
	return file, nil
}

func moduleOf(path string) string {
	name, _ := ModuleName(path)
	return name
}

// formerFiles returns the paths that the version which is active now was
// installed to, and whether one is.
func (t Tree) formerFiles(r dkms.Ref, known []Placement) (paths []string, active bool) {
	old, ok := t.activeRef(r.Name, r.KernelID)
	if !ok {
		return nil, false
	}
	for _, f := range t.filesOf(old, known) {
		paths = append(paths, f.Path)
	}
	return paths, true
}

// activeRef returns the ref that the active link names.
func (t Tree) activeRef(name string, k dkms.KernelID) (dkms.Ref, bool) {
	target, ok := t.activeOf(name, filepath.Base(t.ActiveLink(name, k)))
	if !ok {
		return dkms.Ref{}, false
	}
	version := filepath.Dir(filepath.Dir(target))
	return dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: k}, true
}

// dropFormer plans the removal of what the former version installed and r does
// not.
func (t Tree) dropFormer(j *journal, former []string, r dkms.Ref) {
	for _, path := range former {
		if j.touches(path) || !system.Exists(path) {
			continue
		}
		j.drop(path)
		j.Prune = append(j.Prune, filepath.Dir(path))
	}
	old, ok := t.activeRef(r.Name, r.KernelID)
	if !ok || old == r {
		return
	}
	if m, err := t.Manifest(old); err == nil {
		m.Installed = nil
		j.put(t.manifestPath(old), writeNew(m.encode(), 0o644))
	}
}

// stampInstalled adds to the manifest the stamps of the files as they are in
// place.
func (t Tree) stampInstalled(m Manifest) error {
	var all []Stamp
	for i := range m.Installed {
		f := &m.Installed[i]
		var err error
		if f.Tree, err = StampOf(filepath.Join(t.ModuleDir(m.Ref), f.File)); err != nil {
			return err
		}
		if f.Here, err = StampOf(f.Path); err != nil {
			return err
		}
		f.Tree.Path, f.Here.Path = "", ""
		all = append(all, f.Tree, f.Here)
	}
	settle(all...)
	c := change{Op: opPut, Path: t.manifestPath(m.Ref), New: hidden(t.manifestPath(m.Ref), newSuffix), fill: writeNew(m.encode(), 0o644)}
	if err := refill(c); err != nil {
		_ = removeIf(c.New)
		return err
	}
	return os.Rename(c.New, c.Path)
}
