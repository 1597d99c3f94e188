package machine

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// forceDir holds files that list packages whose modules are installed whatever
// versions the kernel has.
const forceDir = "/usr/share/dkms/modules_to_force_install"

// Placements says where each built module of recipe goes. Those that the kernel
// has in the same or a newer version are left out, unless force is set: kept says
// why each. None left is an error, of Kind ProvidedByKernel.
func (m *Machine) Placements(ctx context.Context, k kbuild.Kernel, recipe kbuild.Recipe, force bool) (out []tree.Placement, kept []string, err error) {
	if _, err := Distribution(); err != nil {
		return nil, nil, err
	}
	ref := recipe.Ref
	all := m.UsualPlacements(k, recipe)
	if len(all) < len(recipe.Modules) {
		return nil, nil, &dkms.Error{Kind: dkms.NothingInstalled, Object: ref.String(), Problem: "a promised module is not in the tree",
			Hint: "build it again with --force"}
	}
	have, err := m.Tree.Scan(ctx)
	if err != nil {
		return nil, nil, err
	}
	// What this very package installed before was built from another kernel,
	// or with another dependency, under the same version.
	again := have.Ref(ref).State == dkms.Installed
	if again || force || m.forced(recipe.Package) {
		return all, nil, nil
	}
	own := m.replaced(have, ref)
	for _, p := range all {
		why, err := m.better(filepath.Join(m.Tree.ModuleDir(ref), p.From), k, p.Dest, own)
		if err != nil {
			return nil, nil, err
		}
		if why == "" {
			out = append(out, p)
		} else {
			kept = append(kept, why)
		}
	}
	if len(out) == 0 && len(kept) > 0 {
		return nil, nil, &dkms.Error{Kind: dkms.ProvidedByKernel, Object: ref.String(), Problem: "not installed: " + strings.Join(kept, "; "),
			Hint: "--force installs it all the same"}
	}
	return out, kept, nil
}

// UsualPlacements are those of all modules that are in the tree.
func (m *Machine) UsualPlacements(k kbuild.Kernel, recipe kbuild.Recipe) []tree.Placement {
	var out []tree.Placement
	for i, module := range m.ModulesOf(recipe) {
		file, ok := m.Tree.BuiltFile(recipe.Ref, module.Name)
		if !ok {
			continue
		}
		out = append(out, tree.Placement{From: file, To: filepath.Join(k.ModuleDir, module.Dir, file), Dest: recipe.Modules[i].DestDir})
	}
	return out
}

// replaced are the files on ref's kernel that are to give way to ref's, whatever
// their versions: those of packages that are retired, as one is that has been
// renamed, and of another version of its own package, but for who asks for a
// version by name.
func (m *Machine) replaced(have tree.Snapshot, ref dkms.Ref) []string {
	var paths []string
	for _, p := range have.Packages {
		if p.Retired == nil && (p.Name != ref.Name || !m.o.Declarative) {
			continue
		}
		for _, s := range p.Refs {
			if s.State == dkms.Installed && s.KernelID == ref.KernelID {
				paths = append(paths, m.InstalledPaths(s.Ref, nil)...)
			}
		}
	}
	return paths
}

// better tells whether the kernel has the module that was built in a version
// that is not to be replaced: the same, or a newer one. Our own files do not
// count.
func (m *Machine) better(built string, k kbuild.Kernel, dest string, own []string) (string, error) {
	name, _ := tree.ModuleName(built)
	there, ok := m.Tree.Locate(k.Release, name, dest)
	if !ok || slices.Contains(own, there) {
		return "", nil
	}
	mine, err := ko.Open(built)
	if err != nil {
		return "", err
	}
	theirs, err := ko.Open(there)
	if err != nil {
		return "", nil // what cannot be read cannot be better
	}
	switch ko.Compare(mine, theirs) {
	case ko.Same:
		return fmt.Sprintf("%s is the same (version %s)", there, cmp.Or(theirs.Version, "unnamed")), nil
	case ko.Newer:
		return fmt.Sprintf("%s is newer (version %s, this is %s)", there, theirs.Version, mine.Version), nil
	}
	return "", nil
}

// forced reports whether p is to be installed whatever the kernel has: the call
// is about p and says so, or a line of a file in forceDir, or the file's name, is
// NAME or NAME_version-override.
func (m *Machine) forced(p dkms.Package) bool {
	if m.ForceVersion {
		return true
	}
	paths, _ := filepath.Glob(filepath.Join(forceDir, "*"))
	names := []string{p.Name, p.Name + "_version-override"}
	return slices.ContainsFunc(paths, func(path string) bool {
		text, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		lines := append(strings.Fields(string(text)), filepath.Base(path))
		return slices.ContainsFunc(lines, func(line string) bool { return slices.Contains(names, line) })
	})
}

// ProvidedByKernel reports whether an install would find that the kernel has the
// module already, in the same or a newer version.
func (m *Machine) ProvidedByKernel(ctx context.Context, ref dkms.Ref, have tree.Snapshot) bool {
	if have.Ref(ref).State != dkms.Built {
		return false
	}
	_, k, recipe, err := m.Resolved(ctx, ref)
	if err != nil {
		return false
	}
	_, _, err = m.Placements(ctx, k, recipe, false)
	return dkms.KindOf(err) == dkms.ProvidedByKernel
}

// InstalledPaths are the files of ref, by its manifest or, where dkms installed
// it, by where its dkms.conf has them.
func (m *Machine) InstalledPaths(ref dkms.Ref, known []tree.Placement) []string {
	var paths []string
	manifest, err := m.Tree.Manifest(ref)
	for _, f := range manifest.Installed {
		paths = append(paths, f.Path)
	}
	if err != nil {
		for _, p := range known {
			paths = append(paths, p.To)
		}
	}
	return paths
}
