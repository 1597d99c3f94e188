package tree

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// CompareOptions help Compare where no manifest tells.
type CompareOptions struct {
	// Promised returns the modules that r's dkms.conf promises and where they
	// are installed. It is asked only for refs that have no manifest (dkms
	// built them) or whose dkms.conf has changed since, and may be nil. After
	// an error, and without it, the modules in the tree count as promised.
	Promised func(r dkms.Ref) ([]Module, error)
	// Ahead is told of all that Promised will be asked for; may be nil.
	Ahead func(refs []dkms.Ref)
	// Dirs are the directories, below the kernel's, in which modules that
	// nothing tells the place of are looked for, such as "/updates/dkms".
	// Without any they are looked for everywhere.
	Dirs []string
	// Brief leaves Lacking and Gone false, which a kernel's directory may have to be walked
	// for.
	Brief bool
}

// Compare sets Fingerprint, Missing and Differs of every ref in s, the latter
// two with the answers of dkms 3.2.2:
//
//   - Missing (dkms says "Built modules are missing in the kernel modules
//     folder", though it is the tree that it means): a promised module is not
//     in the tree. Both for built and installed.
//   - Differs: a file that was installed is gone, or not byte for byte the
//     one in the tree. Only for installed. Lacking and Gone tell which.
//
// The modules are looked at in order, and the first that is not as it should
// be decides. In both places NAME.ko comes first and then NAME with the suffix
// of the kernel's compressed modules. Files that nobody can have changed since
// Install wrote them, by their stamps, are not read.
func (t Tree) Compare(ctx context.Context, s *Snapshot, o CompareOptions) error {
	c := comparer{tree: t, o: o, conf: map[Stamp]bool{}}
	var all []compared
	var untold []dkms.Ref
	for r := range s.refs() {
		one := c.read(r)
		all = append(all, one)
		if !one.known {
			untold = append(untold, r.Ref)
		}
	}
	if o.Ahead != nil {
		o.Ahead(untold)
	}
	for i := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.promise(&all[i])
	}
	system.Together(len(all), func(i int) {
		if ctx.Err() == nil {
			c.compare(all[i])
		}
	})
	return context.Cause(ctx)
}

// refs are those of all packages.
func (s *Snapshot) refs() iter.Seq[*RefState] {
	return func(yield func(*RefState) bool) {
		for i := range s.Packages {
			for j := range s.Packages[i].Refs {
				if !yield(&s.Packages[i].Refs[j]) {
					return
				}
			}
		}
	}
}

// comparer indexes each kernel's directory at most once, and only when it must.
type comparer struct {
	tree Tree
	o    CompareOptions
	conf map[Stamp]bool // whether they still hold

	mu      sync.Mutex
	indexes map[string]func() *kernelIndex // by release
}

// compared is a ref with its manifest, which is known unless it does not tell what
// the dkms.conf says.
type compared struct {
	*RefState
	manifest Manifest
	known    bool
	modules  []Module // that are promised
}

func (c *comparer) read(r *RefState) compared {
	m, err := c.tree.Manifest(r.Ref)
	return compared{r, m, err == nil && len(m.Conf) > 0 && unchanged(m.Conf, c.conf), m.Modules}
}

// promise asks for the modules of r, where its manifest does not tell.
func (c *comparer) promise(r *compared) {
	r.Missing, r.Differs, r.Lacking, r.Gone, r.Fingerprint = false, false, false, false, r.manifest.Fingerprint
	if r.known {
		return
	}
	err := errors.ErrUnsupported
	if c.o.Promised != nil {
		r.modules, err = c.o.Promised(r.Ref)
	}
	if err != nil {
		r.modules = c.tree.found(r.Ref)
		r.Missing = len(r.modules) == 0
	}
}

// compare looks at the modules of r, beside those of others.
func (c *comparer) compare(r compared) {
	for _, module := range r.modules {
		if c.plainlySame(r, module) {
			continue
		}
		built, ok := c.inTree(r.Ref, module.Name)
		if !ok {
			r.Missing = true
			return
		}
		if r.State == dkms.Installed && !c.same(r.Ref, module, built, r.manifest.Installed) {
			r.Differs = true
			if !c.o.Brief {
				r.Lacking = c.lacks(r.Ref, module, r.manifest.Installed)
				r.Gone = r.Lacking && slices.ContainsFunc(r.modules, func(m Module) bool { return c.gone(r.Ref, m, r.manifest.Installed) })
			}
			return
		}
	}
}

// plainlySame is a short cut to what is said of most modules that dkms has installed:
// neither is compressed, and they are the same.
func (c *comparer) plainlySame(r compared, module Module) bool {
	dirs := c.places(module)
	if r.State != dkms.Installed || len(r.manifest.Installed) > 0 || len(dirs) == 0 {
		return false
	}
	name := module.Name + ".ko"
	return system.SameContent(filepath.Join(c.tree.ModuleDir(r.Ref), name), filepath.Join(c.tree.KernelDir(r.Release), dirs[0], name))
}

// places are the directories, below the kernel's, in which a module may be.
func (c *comparer) places(module Module) []string {
	if module.Dir != "" {
		return []string{module.Dir}
	}
	return c.o.Dirs
}

// found lists the modules that are in the tree.
func (t Tree) found(r dkms.Ref) []Module {
	var modules []Module
	entries, _ := os.ReadDir(t.ModuleDir(r))
	for _, e := range entries {
		if name, ok := ModuleName(e.Name()); ok {
			modules = append(modules, Module{Name: name})
		}
	}
	return modules
}

// unchanged reports whether all stamps still hold; seen remembers the answers.
func unchanged(stamps []Stamp, seen map[Stamp]bool) bool {
	for _, s := range stamps {
		ok, known := seen[s]
		if !known {
			now, err := StampOf(s.Path)
			ok = err == nil && now == s
			seen[s] = ok
		}
		if !ok {
			return false
		}
	}
	return true
}

// inTree finds the built file of a module.
func (c *comparer) inTree(r dkms.Ref, module string) (path string, ok bool) {
	return c.pick(r.Release, filepath.Join(c.tree.ModuleDir(r), module))
}

// pick returns stem.ko, or else stem.ko with the kernel's suffix.
func (c *comparer) pick(release, stem string) (path string, ok bool) {
	if isFile(stem + ".ko") {
		return stem + ".ko", true
	}
	// Without any compressed file of the name the suffix does not matter, and
	// to find it takes a walk.
	some := false
	for _, suffix := range suffixes[1:] {
		some = some || isFile(stem+suffix)
	}
	if !some {
		return "", false
	}
	suffix := c.index(release).suffix
	return stem + ".ko" + suffix, suffix != "" && isFile(stem+".ko"+suffix)
}

func (c *comparer) index(release string) *kernelIndex {
	c.mu.Lock()
	once, ok := c.indexes[release]
	if !ok {
		once = sync.OnceValue(func() *kernelIndex {
			x := indexKernel(c.tree.KernelDir(release))
			return &x
		})
		if c.indexes == nil {
			c.indexes = map[string]func() *kernelIndex{}
		}
		c.indexes[release] = once
	}
	c.mu.Unlock()
	return once()
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() == fs.ModeSymlink
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// same reports whether what is installed of a module equals built.
func (c *comparer) same(r dkms.Ref, module Module, built string, installed []InstalledFile) bool {
	for _, f := range installed {
		if f.File != filepath.Base(built) {
			continue
		}
		if here, err := os.Stat(f.Path); err == nil && here.Mode().IsRegular() {
			return unchangedSince(here, f.Here) && unread(built, f.Tree) || system.SameContent(built, f.Path)
		}
	}
	dir := c.tree.KernelDir(r.Release)
	dirs := c.places(module)
	for _, place := range dirs {
		if path, ok := c.pick(r.Release, filepath.Join(dir, place, module.Name)); ok {
			return system.SameContent(built, path)
		}
	}
	if len(dirs) > 0 {
		return false
	}
	for _, path := range c.index(r.Release).byName[strings.ReplaceAll(module.Name, "-", "_")] {
		if system.SameContent(built, path) {
			return true
		}
	}
	return false
}

// lacks reports whether the installed file of a module, which is not the same as
// what was built, is gone or is that of an earlier build.
func (c *comparer) lacks(r dkms.Ref, module Module, installed []InstalledFile) bool {
	if c.gone(r, module, installed) {
		return true
	}
	f, ok := fileOf(module, installed)
	if !ok {
		return false
	}
	sum, err := system.Hash(f.Path)
	return err == nil && sum == f.SHA256
}

// gone reports whether a module is not there that was installed.
func (c *comparer) gone(r dkms.Ref, module Module, installed []InstalledFile) bool {
	if f, ok := fileOf(module, installed); ok {
		return !isFile(f.Path)
	}
	_, there := c.index(r.Release).original(module.Name, module.Dir)
	return !there
}

// fileOf finds the file of a module among what was installed.
func fileOf(module Module, installed []InstalledFile) (f InstalledFile, ok bool) {
	i := slices.IndexFunc(installed, func(f InstalledFile) bool {
		name, _ := ModuleName(f.File)
		return name == module.Name
	})
	if i < 0 {
		return f, false
	}
	return installed[i], true
}

// unread reports whether the file is provably as it was at the time of s.
func unread(path string, s Stamp) bool {
	info, err := os.Stat(path)
	return err == nil && unchangedSince(info, s)
}

func unchangedSince(info fs.FileInfo, s Stamp) bool {
	return s != (Stamp{}) && !info.IsDir() && stamp("", info) == s
}
