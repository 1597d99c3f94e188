package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// depmodFiles are what depmod(8) writes into a kernel's directory. The kernel's
// own modules.order, modules.builtin and modules.builtin.modinfo are not among
// them.
var depmodFiles = []string{
	"modules.alias", "modules.alias.bin", "modules.builtin.alias.bin", "modules.builtin.bin", "modules.dep", "modules.dep.bin",
	"modules.devname", "modules.softdep", "modules.symbols", "modules.symbols.bin", "modules.weakdep",
}

// ForgetKernel clears away what is left of a kernel for which nothing is built
// any more: logs and failures, and empty directories that held modules of ours.
// Where nothing but empty directories and depmod's index is left in the kernel's
// directory, its package is gone, and so goes the directory. While the package's
// files are there (a prerm script calls us), they and their directories stay.
func (t Tree) ForgetKernel(release string) error {
	err := dkms.CheckWord("kernel release", release)
	if err != nil {
		return err
	}
	err = t.at("forget kernel")
	if err == nil {
		err = errors.Join(t.dropLogs(release), t.dropKernelDir(release))
	}
	if err != nil {
		return problem(release, "leaves something behind", err)
	}
	return nil
}

// dropLogs removes .log/RELEASE of every package.
func (t Tree) dropLogs(release string) error {
	var errs []error
	for p := range t.versions {
		dir := filepath.Join(t.PackageDir(p), logDir, release)
		if !system.Exists(dir) {
			continue
		}
		errs = append(errs, os.RemoveAll(dir))
		system.PruneEmpty(filepath.Dir(dir), t.PackageDir(p))
	}
	return errors.Join(errs...)
}

// versions calls yield for each directory NAME/VER, registered or not.
func (t Tree) versions(yield func(dkms.Package) bool) {
	names, _ := os.ReadDir(t.Dir)
	for _, name := range names {
		if checkPackage(dkms.Package{Name: name.Name(), Version: "0"}) != nil || !t.isDir(t.Dir, name) {
			continue
		}
		dir := filepath.Join(t.Dir, name.Name())
		versions, _ := os.ReadDir(dir)
		for _, version := range versions {
			p := dkms.Package{Name: name.Name(), Version: version.Name()}
			if checkPackage(p) != nil || p.Version == originalsDir || isActiveLink(version) || !t.isDir(dir, version) {
				continue
			}
			if !yield(p) {
				return
			}
		}
	}
}

func (t Tree) dropKernelDir(release string) error {
	dir := t.KernelDir(release)
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		// A link to somewhere else is a person's. What modules.dep said is
		// of no interest if there is nothing at all.
		if isMissing(err) {
			return t.DepmodDone(release)
		}
		return err
	}
	for _, place := range dkmsDirs {
		system.PruneEmpty(filepath.Join(dir, place), dir)
	}
	if !isVacant(dir) {
		return nil
	}
	for _, file := range depmodFiles {
		if err := removeIf(filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	if err := t.at("forget kernel directories"); err != nil {
		return err
	}
	if err := removeEmpty(dir); err != nil {
		return err
	}
	return t.DepmodDone(release)
}

// isVacant reports whether in a kernel's directory there is nothing but empty
// directories and what depmod wrote.
func isVacant(dir string) bool {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || isDepmodFile(dir, path) {
			return err
		}
		return fs.ErrExist
	}) == nil
}

// isDepmodFile reports whether path is what depmod writes into a kernel's
// directory dir.
func isDepmodFile(dir, path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && filepath.Dir(path) == dir && slices.Contains(depmodFiles, filepath.Base(path))
}

// removeEmpty removes a directory that has but directories in it. Anything else,
// which somebody has put there since, stays and is an error.
func removeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeEmpty(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return removeIf(dir)
}
