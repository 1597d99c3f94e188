package tree

import (
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Adopt writes the manifest of r, which dkms built, or which has one without a
// fingerprint: from then on r counts as made from b, the caller having judged
// that it is up to date, and is removed by what the manifest says. When r is
// installed, its files are found as Uninstall would find them: where known,
// which may be nil, says, else by name and content, else by name in the
// directories that dkms installs to; one that cannot be found is left out.
// Nothing but the manifest changes. Kind NotInTree: r is not built.
func (t Tree) Adopt(r dkms.Ref, b Built, known []Placement) error {
	if err := checkRef(r); err != nil {
		return err
	}
	if !system.IsDir(t.ModuleDir(r)) {
		return &dkms.Error{Kind: dkms.NotInTree, Object: r.String(), Problem: "is not built"}
	}
	m := newManifest(r, b)
	if active, ok := t.activeRef(r.Name, r.KernelID); ok && active == r {
		m.Installed = t.adopted(r, known)
	}
	err := t.at("adopt")
	if err == nil {
		err = system.WriteFile(t.manifestPath(r), m.encode(), 0o644)
	}
	if err != nil {
		return problem(r.String(), "cannot be adopted", err)
	}
	return nil
}

// adopted returns what is installed of r.
func (t Tree) adopted(r dkms.Ref, known []Placement) []InstalledFile {
	if m := t.readManifest(r); len(m.Installed) > 0 {
		return m.Installed
	}
	files := t.findInstalled(r, known)
	var all []Stamp
	for i := range files {
		all = append(all, t.adoptFile(r, &files[i])...)
	}
	settle(all...)
	return files
}

// adoptFile fills in f as Install would have. It has no stamps, which would make
// it pass for equal, unless it is equal to the file in the tree: a person may
// have signed it.
func (t Tree) adoptFile(r dkms.Ref, f *InstalledFile) (stamps []Stamp) {
	built := filepath.Join(t.ModuleDir(r), f.File)
	f.SHA256, _ = system.Hash(built)
	f.Link = isLink(f.Path)
	inTree, errTree := StampOf(built)
	here, errHere := StampOf(f.Path)
	if errTree != nil || errHere != nil || !system.SameContent(built, f.Path) {
		return nil
	}
	inTree.Path, here.Path = "", ""
	f.Tree, f.Here = inTree, here
	return []Stamp{inTree, here}
}

func newManifest(r dkms.Ref, b Built) Manifest {
	m := Manifest{Ref: r, Fingerprint: b.Fingerprint, Modules: b.Modules}
	for _, file := range b.ConfFiles {
		if s, err := StampOf(file); err == nil {
			m.Conf = append(m.Conf, s)
		}
	}
	return m
}
