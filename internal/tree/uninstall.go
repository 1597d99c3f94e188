package tree

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Uninstall takes the modules of r, which must be the active version, out of
// the kernel's directory, puts originals back and removes the active link. It
// goes by the manifest, never by a dkms.conf, and works when headers, source
// and even the kernel's directory are gone.
//
// known are the placements as the dkms.conf has them, for when dkms installed
// r and so left no manifest; they may be nil. Then the files are found by name
// and content, or else by name alone in the directories that dkms installs to.
//
// Every path in the manifest is removed, whatever is there by now (a person
// may have signed or stripped it), except below kernel/, where a file with
// other content is the kernel package's own, and where a package of another
// name has put its file since.
//
// As with Install, the caller runs depmod and then calls Commit or Undo. Kind
// NotInTree: r is not installed.
func (t Tree) Uninstall(r dkms.Ref, known []Placement) (*Transaction, error) {
	if err := checkRef(r); err != nil {
		return nil, err
	}
	if !t.IsInstalled(r) {
		return nil, &dkms.Error{Kind: dkms.NotInTree, Object: r.String(), Problem: "is not installed"}
	}
	j := journal{Ref: r, Verb: "uninstall"}
	files := t.filesOf(r, known)
	// Originals first: where one goes back to the very path that the module
	// leaves, it replaces it in one step.
	t.restoreOriginals(&j, r, files)
	for _, f := range files {
		if !j.touches(f.Path) && system.Exists(f.Path) {
			j.drop(f.Path)
		}
		j.Prune = append(j.Prune, filepath.Dir(f.Path))
	}
	if m, err := t.Manifest(r); err == nil {
		m.Installed = nil
		j.put(t.manifestPath(r), writeNew(m.encode(), 0o644))
	}
	j.link(t.ActiveLink(r.Name, r.KernelID), "")
	return t.run(j)
}

// filesOf returns what is installed for r and may be removed.
func (t Tree) filesOf(r dkms.Ref, known []Placement) []InstalledFile {
	claims := t.claims(r)
	lost := func(f InstalledFile) bool {
		c, claimed := claims[f.Path]
		return claimed && c.holds(f.Path)
	}
	if m, err := t.Manifest(r); err == nil && len(m.Installed) > 0 {
		return slices.DeleteFunc(m.Installed, func(f InstalledFile) bool { return !t.ours(r, f) || lost(f) })
	}
	return slices.DeleteFunc(t.findInstalled(r, known), lost)
}

// ours reports whether the file at f.Path may be removed.
func (t Tree) ours(r dkms.Ref, f InstalledFile) bool {
	if !below(filepath.Join(t.KernelDir(r.Release), "kernel"), f.Path) {
		return true
	}
	if f.Link {
		target, err := os.Readlink(f.Path)
		return err != nil || below(t.Dir, target)
	}
	sum, err := system.Hash(f.Path)
	return err != nil || sum == f.SHA256
}

// dkmsDirs are the directories that dkms installs to, by distribution.
var dkmsDirs = []string{"updates/dkms", "extra", "updates"}

// findInstalled finds the files of a ref that dkms installed: at the known
// places; else anywhere by name and content; else by name directly in the first
// directory of dkmsDirs that has it.
func (t Tree) findInstalled(r dkms.Ref, known []Placement) []InstalledFile {
	dir := t.KernelDir(r.Release)
	if !system.IsDir(dir) {
		return nil
	}
	var index kernelIndex
	var files []InstalledFile
	add := func(file, path string) { files = append(files, InstalledFile{File: file, Path: path}) }
	entries, _ := os.ReadDir(t.ModuleDir(r))
	for _, e := range entries {
		name, ok := ModuleName(e.Name())
		if !ok {
			continue
		}
		if path, ok := t.placed(r, e.Name(), known); ok {
			add(e.Name(), path)
			continue
		}
		if index.byName == nil {
			index = indexKernel(dir)
		}
		same := 0
		for _, path := range index.byName[strings.ReplaceAll(name, "-", "_")] {
			if system.SameContent(path, filepath.Join(t.ModuleDir(r), e.Name())) {
				add(e.Name(), path)
				same++
			}
		}
		if path, ok := t.byName(dir, name); ok && same == 0 {
			add(e.Name(), path)
		}
	}
	return files
}

// byName looks for a module, or a link into the tree, directly in the
// directories that dkms installs to.
func (t Tree) byName(kernelDir, module string) (path string, ok bool) {
	for _, place := range dkmsDirs {
		for _, suffix := range suffixes {
			path := filepath.Join(kernelDir, place, module+suffix)
			if info, err := os.Lstat(path); err == nil && !info.IsDir() {
				return path, true
			}
		}
	}
	return "", false
}

// placed looks for file at its known placement.
func (t Tree) placed(r dkms.Ref, file string, known []Placement) (path string, ok bool) {
	for _, p := range known {
		path := filepath.Clean(p.To)
		if p.From == file && below(t.KernelDir(r.Release), path) && system.Exists(path) {
			f := InstalledFile{File: file, Path: path}
			f.SHA256, _ = system.Hash(filepath.Join(t.ModuleDir(r), file))
			return path, t.ours(r, f)
		}
	}
	return "", false
}
