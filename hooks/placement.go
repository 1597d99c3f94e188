package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// forceDir holds files that list packages whose modules are installed whatever
// versions the kernel has.
const forceDir = "/usr/share/dkms/modules_to_force_install"

// placements says where each built module goes. Those that the kernel has in
// the same or a newer version are left out; none left is an error.
func (r *run) placements(s plan.Step, k kbuild.Kernel, recipe kbuild.Recipe) ([]tree.Placement, error) {
	if _, err := distribution(); err != nil {
		return nil, err
	}
	all := r.usualPlacements(k, recipe)
	if len(all) < len(recipe.Modules) {
		return nil, &dkms.Error{Kind: dkms.NothingInstalled, Object: s.Ref.String(), Problem: "a promised module is not in the tree",
			Hint: "build it again with --force"}
	}
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return nil, err
	}
	// What this very package installed before was built from another kernel,
	// or with another dependency, under the same version.
	again := have.Ref(s.Ref).State == dkms.Installed
	if again || s.Force || r.forced(recipe.Package) {
		return all, nil
	}
	own := r.replaced(have, s.Ref)
	var out []tree.Placement
	var kept []string
	for _, p := range all {
		why, err := r.better(filepath.Join(r.tree.ModuleDir(s.Ref), p.From), k, p.Dest, own)
		if err != nil {
			return nil, err
		}
		if why == "" {
			out = append(out, p)
		} else {
			kept = append(kept, why)
		}
	}
	if len(out) == 0 && len(kept) > 0 {
		return nil, &dkms.Error{Kind: dkms.ProvidedByKernel, Object: s.Ref.String(), Problem: "not installed: " + strings.Join(kept, "; "),
			Hint: "--force installs it all the same"}
	}
	for _, why := range kept {
		r.console.Notice(fmt.Sprintf("%s: %s", s.Ref, why))
	}
	return out, nil
}

// usualPlacements are those of all modules that are in the tree.
func (r *run) usualPlacements(k kbuild.Kernel, recipe kbuild.Recipe) []tree.Placement {
	var out []tree.Placement
	for i, m := range r.modulesOf(recipe) {
		file, ok := r.tree.BuiltFile(recipe.Ref, m.Name)
		if !ok {
			continue
		}
		out = append(out, tree.Placement{From: file, To: filepath.Join(k.ModuleDir, m.Dir, file), Dest: recipe.Modules[i].DestDir})
	}
	return out
}

// replaced are the files on ref's kernel that are to give way to ref's, whatever
// their versions: those of packages that are retired, as one is that has been
// renamed, and of another version of its own package, but for who asks for a
// version by name.
func (r *run) replaced(have tree.Snapshot, ref dkms.Ref) []string {
	var paths []string
	for _, p := range have.Packages {
		if p.Retired == nil && (p.Name != ref.Name || !r.declarative) {
			continue
		}
		for _, s := range p.Refs {
			if s.State == dkms.Installed && s.KernelID == ref.KernelID {
				paths = append(paths, r.installedPaths(s.Ref, nil)...)
			}
		}
	}
	return paths
}

// better tells whether the kernel has the module that was built in a version
// that is not to be replaced: the same, or a newer one. Our own files do not
// count.
func (r *run) better(built string, k kbuild.Kernel, dest string, own []string) (string, error) {
	name, _ := tree.ModuleName(built)
	there, ok := r.tree.Locate(k.Release, name, dest)
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
		return fmt.Sprintf("%s is the same (version %s)", there, or(theirs.Version, "unnamed")), nil
	case ko.Newer:
		return fmt.Sprintf("%s is newer (version %s, this is %s)", there, theirs.Version, mine.Version), nil
	}
	return "", nil
}

// forced reports whether p is to be installed whatever the kernel has: the call
// is about p and says so, or a line of a file in forceDir, or the file's name, is
// NAME or NAME_version-override.
func (r *run) forced(p dkms.Package) bool {
	if r.call.ForceVersion {
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

// resolved returns what is known of a ref that is registered.
func (r *run) resolved(ref dkms.Ref) (*candidate, kbuild.Kernel, kbuild.Recipe, error) {
	k, err := r.kernel(ref.KernelID)
	if err != nil {
		return nil, k, kbuild.Recipe{}, err
	}
	c := r.candidateIn(ref.Package, r.tree.SourceLink(ref.Package), true)
	recipe, err := r.recipe(c, k)
	return c, k, recipe, err
}
