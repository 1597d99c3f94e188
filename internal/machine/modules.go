package machine

import (
	"context"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Comparison is what the tree may ask where no manifest tells.
func (m *Machine) Comparison(ctx context.Context) tree.CompareOptions {
	return tree.CompareOptions{
		Dirs:     m.addedDirs(),
		Promised: func(ref dkms.Ref) ([]tree.Module, error) { return m.promised(ctx, ref) },
		Ahead:    func(refs []dkms.Ref) { m.Ahead(ctx, refs) },
	}
}

// promised asks ref's dkms.conf for its modules. What is odd about the
// dkms.conf is not said here: that is for those who build.
func (m *Machine) promised(ctx context.Context, ref dkms.Ref) (modules []tree.Module, err error) {
	m.console.Quietly(func() {
		var recipe kbuild.Recipe
		if _, _, recipe, err = m.Resolved(ctx, ref); err == nil {
			modules = m.ModulesOf(recipe)
		}
	})
	return modules, err
}

// ModulesOf tells the tree where the modules of a recipe belong.
func (m *Machine) ModulesOf(recipe kbuild.Recipe) []tree.Module {
	distro, _ := m.distribution()
	modules := make([]tree.Module, 0, len(recipe.Modules))
	for _, module := range recipe.Modules {
		modules = append(modules, tree.Module{Name: module.Dest, Dir: moduleDir(distro, module.DestDir)})
	}
	return modules
}

// addedDirs are the directories for added modules, where the distribution has
// one for all.
func (m *Machine) addedDirs() []string {
	distro, _ := m.distribution()
	if dir := moduleDir(distro, ""); dir != "" {
		return []string{dir}
	}
	return nil
}
