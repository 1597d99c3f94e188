package tree

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// archiveOriginals plans that, for each module about to be installed, the first
// file of that module in the kernel's directory is set aside: in extra/,
// in updates/, at its DEST_MODULE_LOCATION, or else anywhere. Others stay. The
// file of a package that is retired is no original: that goes for good.
func (t Tree) archiveOriginals(j *journal, r dkms.Ref, placements []Placement) {
	index := indexKernel(t.KernelDir(r.Release))
	dir := t.OriginalDir(r.Name, r.KernelID)
	claims := sync.OnceValue(func() map[string]claim { return t.claims(r) }) // few displace anything
	for _, p := range placements {
		path, ok := index.original(moduleOf(p.To), p.Dest)
		if !ok || t.archived(dir, moduleOf(p.To)) {
			continue
		}
		if c, claimed := claims()[path]; claimed && c.holds(path) {
			if retired, _ := t.retirement(c.ref.Package); retired != nil {
				continue
			}
		}
		kept := filepath.Join(dir, filepath.Base(path))
		if j.touches(kept) {
			continue
		}
		j.mkdir(dir)
		j.put(kept, func(temp string) error { return copyExact(path, temp) })
		j.put(kept+originSuffix, writeNew([]byte(path+"\n"), 0o644))
		if !slices.ContainsFunc(placements, func(p Placement) bool { return filepath.Clean(p.To) == path }) {
			j.drop(path)
		}
	}
}

// archived reports whether an original of module lies in dir already.
func (t Tree) archived(dir, module string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		name, ok := ModuleName(e.Name())
		return ok && sameModule(name, module)
	})
}

// restoreOriginals plans that the originals go back to their old paths, unless
// a file of that module stands there by then, and that the archive goes.
// leaving are the files that are about to be removed.
func (t Tree) restoreOriginals(j *journal, r dkms.Ref, leaving []InstalledFile) {
	dir := t.OriginalDir(r.Name, r.KernelID)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		kept := filepath.Join(dir, e.Name())
		if e.IsDir() {
			continue // not ours to judge
		}
		if _, ok := ModuleName(e.Name()); ok && e.Type().IsRegular() {
			if path, ok := t.origin(r, kept); ok && free(path, leaving) {
				j.mkdir(filepath.Dir(path))
				j.put(path, func(temp string) error { return copyExact(kept, temp) })
			}
		}
		if !strings.HasPrefix(e.Name(), ".") {
			j.drop(kept)
		}
	}
	j.Prune = append(j.Prune, dir)
}

// origin reads where kept came from; the kernel's directory may be gone.
func (t Tree) origin(r dkms.Ref, kept string) (path string, ok bool) {
	data, err := os.ReadFile(kept + originSuffix)
	if err != nil {
		return "", false
	}
	path = strings.TrimSuffix(string(data), "\n")
	return filepath.Clean(path), below(t.KernelDir(r.Release), path) && system.IsDir(t.KernelDir(r.Release))
}

// free reports whether no file of path's module stands in its directory but
// those that are leaving.
func free(path string, leaving []InstalledFile) bool {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return true
	}
	return !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		name, ok := ModuleName(e.Name())
		there := filepath.Join(filepath.Dir(path), e.Name())
		return ok && sameModule(name, moduleOf(path)) &&
			!slices.ContainsFunc(leaving, func(f InstalledFile) bool { return f.Path == there })
	})
}

// kernelIndex knows the module files below one kernel's directory.
type kernelIndex struct {
	dir    string
	byName map[string][]string // module name with "_" -> paths, in byte order
	suffix string              // of compressed modules, as dkms sees it; empty: none
}

// indexKernel walks the directory once. Links are not followed: build and
// source lead elsewhere, and weak-updates to other kernels.
func indexKernel(dir string) kernelIndex {
	x := kernelIndex{dir: dir, byName: map[string][]string{}}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what cannot be read holds nothing that we could use
		}
		if name, ok := ModuleName(path); ok {
			key := strings.ReplaceAll(name, "-", "_")
			x.byName[key] = append(x.byName[key], path)
			// dkms asks for .gz, .xz and .zst in this order and believes
			// the last one it finds.
			if s := strings.TrimPrefix(filepath.Ext(path), ".ko"); s > x.suffix {
				x.suffix = s
			}
		}
		return nil
	})
	return x
}

// original finds the file that an install of module displaces.
func (x kernelIndex) original(module, dest string) (path string, ok bool) {
	paths := x.byName[strings.ReplaceAll(module, "-", "_")]
	places := []string{"extra", "updates"}
	if dest := strings.Trim(dest, "/"); dest != "" {
		places = append(places, dest)
	}
	for _, place := range places {
		for _, p := range paths {
			if below(filepath.Join(x.dir, place), p) {
				return p, true
			}
		}
	}
	if len(paths) == 0 {
		return "", false
	}
	return paths[0], true
}
