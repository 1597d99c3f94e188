package tree

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// packages looks at where the sources of registered packages should be.
func (x *examiner) packages() {
	for _, p := range x.snapshot.Packages {
		switch {
		case p.State == dkms.Broken && p.Retired == nil && !isFile(x.tree.SourceLink(p.Package)):
			x.broken(p)
		case p.State == dkms.Added && !isFile(filepath.Join(x.tree.SourceLink(p.Package), "dkms.conf")):
			x.person(x.tree.SourceLink(p.Package), "leads to a source without a dkms.conf: "+p.Source,
				"put the source back (dpkg -S or rpm -qf "+p.Source+" tells whose it is), or dkms remove "+p.Package.String()+" --all")
		}
	}
}

// broken looks at a package without its source.
func (x *examiner) broken(p PackageState) {
	t, link, place := x.tree, x.tree.SourceLink(p.Package), x.tree.Source(p.Package)
	inPlace := isFile(filepath.Join(place, "dkms.conf"))
	remove := "reinstall what brought its source, or dkms remove " + p.Package.String() + " --all"
	switch {
	case inPlace:
		x.findings = append(x.findings, Finding{Path: link, Problem: p.Problem, Remedy: "make it point at " + place, Safe: true,
			fix: func() (string, error) {
				if system.IsDir(link) {
					return "", nil
				}
				return "points at " + place, t.Register(p.Package, place)
			}})
	case len(p.Refs) > 0:
		x.person(link, p.Problem+"; its modules stay as they are, and no other kernel gets them", remove)
	case filepath.Clean(p.Source) == place && system.IsDir(t.SourceDir):
		x.safe(link, p.Problem+", and nothing is built of it", "take the package out of the tree", "was taken out of the tree",
			func() error { return t.Unregister(p.Package) })
	default: // what it points at may come back with the disk that it is on
		x.person(link, p.Problem+", and nothing is built of it", remove)
	}
}

// sources finds directories that could be registered and are not.
func (x *examiner) sources() {
	known := map[string]bool{}
	for _, p := range x.snapshot.Packages {
		known[x.tree.Source(p.Package)] = true
		if real, err := filepath.EvalSymlinks(x.tree.SourceLink(p.Package)); err == nil {
			known[real] = true
		}
	}
	for _, dir := range glob(x.tree.SourceDir, "*") {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil && isFile(filepath.Join(dir, "dkms.conf")) && !known[dir] && !known[real] {
			x.person(dir, "is a source that is not registered, so that no kernel gets its modules", "dkms add "+dir+", or remove it if nobody needs it")
		}
	}
}

// releases looks at INSTALLTREE/RELEASE.
func (x *examiner) releases() {
	for _, p := range x.snapshot.Packages {
		for _, r := range p.Refs {
			for _, m := range x.tree.found(r.Ref) {
				x.modules[strings.ReplaceAll(m.Name, "-", "_")] = true
			}
		}
	}
	for _, dir := range glob(x.tree.InstallDir, "*") {
		release := filepath.Base(dir)
		if !x.tree.isRealDir(dir) {
			continue
		}
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 && isVacant(dir) {
			x.safe(dir, "holds only what depmod wrote, or nothing: its kernel is gone", "remove it", "was removed",
				func() error { return x.tree.ForgetKernel(release) })
			continue
		}
		mine := x.accounted(release)
		if onlyThese(dir, mine) {
			x.person(dir, "holds only modules of packages in the tree: its kernel is gone",
				"if it is gone for good: dkms kernel_prerm -k "+release)
		}
		x.strays(release, mine)
	}
}

func (t Tree) isRealDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// accounted returns the files that refs have installed for release.
func (x *examiner) accounted(release string) map[string]bool {
	files := map[string]bool{}
	for _, p := range x.snapshot.Packages {
		for _, r := range p.Refs {
			if r.Release != release || r.State != dkms.Installed {
				continue
			}
			for _, f := range x.tree.filesOf(r.Ref, nil) {
				files[f.Path] = true
			}
		}
	}
	return files
}

// onlyThese reports whether there are some of files below dir, and nothing else
// but what depmod wrote.
func onlyThese(dir string, files map[string]bool) bool {
	some := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case files[path]:
			some = true
			return nil
		case isDepmodFile(dir, path):
			return nil
		}
		return fs.ErrExist
	})
	return some && err == nil
}

// strays finds modules that no ref accounts for. updates/dkms is dkms's own;
// extra/ and updates/ are everybody's, so that there only modules count that
// the tree has, too.
func (x *examiner) strays(release string, mine map[string]bool) {
	dir := x.tree.KernelDir(release)
	own := filepath.Join(dir, dkmsDirs[0])
	for _, place := range []string{"updates", "extra"} {
		_ = filepath.WalkDir(filepath.Join(dir, place), func(path string, d fs.DirEntry, err error) error {
			name, isModule := ModuleName(path)
			if err != nil || d.IsDir() || !isModule || mine[path] {
				return nil // what cannot be read is a finding of nobody
			}
			if below(own, path) || x.modules[strings.ReplaceAll(name, "-", "_")] {
				x.stray(release, path)
			}
			return nil
		})
	}
}

func (x *examiner) stray(release, path string) {
	t := x.tree
	if target, err := os.Readlink(path); err == nil && below(t.Dir, target) && !system.Exists(target) {
		x.safe(path, "is a link to a module that is not in the tree any more", "remove it", "was removed", func() error {
			if err := t.needDepmod(release); err != nil {
				return err
			}
			if err := removeIf(path); err != nil {
				return err
			}
			system.PruneEmpty(filepath.Dir(path), t.KernelDir(release))
			return nil
		})
		return
	}
	for _, p := range x.snapshot.Packages {
		for _, r := range p.Refs {
			built := filepath.Join(t.ModuleDir(r.Ref), filepath.Base(path))
			if r.Release == release && system.SameContent(built, path) {
				x.person(path, "is the module that "+p.Package.String()+" has built, but which does not count as installed",
					"dkms install "+p.Package.String()+" -k "+release+" -a "+r.Arch)
				return
			}
		}
	}
	x.person(path, "is a module that no package in the tree accounts for",
		"unless a distribution package owns it (dpkg -S, rpm -qf), remove it and run depmod "+release)
}
