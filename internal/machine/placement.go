package machine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// forceDir holds files that list packages whose modules are installed whatever
// versions the kernel has.
const forceDir = "/usr/share/dkms/modules_to_force_install"

// Placements says where each built module of recipe goes. Those that the kernel
// has in the same or a newer version are left out, unless force is set: kept says
// why each. None left is an error, of Kind ProvidedByKernel.
func (m *Machine) Placements(ctx context.Context, k kbuild.Kernel, recipe kbuild.Recipe, force bool) (out []tree.Placement, kept []string, err error) {
	now := m.present(func() (tree.Snapshot, error) { return m.Tree.Scan(ctx) })
	return m.placementsBeside(now, k, recipe, force)
}

func (m *Machine) placementsBeside(now *Present, k kbuild.Kernel, recipe kbuild.Recipe, force bool) (out []tree.Placement, kept []string, err error) {
	if _, err := m.distribution(); err != nil {
		return nil, nil, err
	}
	ref := recipe.Ref
	all := m.UsualPlacements(k, recipe)
	if len(all) < len(recipe.Modules) {
		return nil, nil, &dkms.Error{Kind: dkms.NothingInstalled, Object: ref.String(), Problem: "a promised module is not in the tree",
			Hint: "build it again with --force"}
	}
	// What this very package installed before was built from another kernel,
	// or with another dependency, under the same version.
	if m.Tree.IsInstalled(ref) || force || m.forced(recipe.Package) {
		return all, nil, nil
	}
	own := sync.OnceValues(func() ([]string, error) { return now.replaced(ref) }) // few find anything there
	for _, p := range all {
		why, err := now.better(ref, p, own)
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
