package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// modprobe loads what was installed on the running kernel, where that is asked
// for. A module that will not load is no reason to take it away.
func (a *Applier) modprobe(ctx context.Context, id dkms.KernelID) {
	release, _, err := system.Uname()
	if err != nil || release != id.Release || a.keys.chroot {
		return
	}
	for _, recipe := range a.installedOn(id) {
		if !a.o.Modprobe && !a.machine.Framework.ModprobeOnInstall && !recipe.ModprobeOnInstall {
			continue
		}
		for _, m := range recipe.Modules {
			if err := system.Run(ctx, system.Command{Args: []string{"modprobe", m.Dest}, Stdout: a.console.W, Stderr: a.console.W}); err != nil {
				a.console.Warn(fmt.Sprintf("%s: modprobe %s: %v", recipe.Ref, m.Dest, err))
			}
		}
	}
}

// weakModules tells Red Hat's and SUSE's weak-modules which modules came to k and
// which went, by their paths on its standard input; only where framework.conf
// asks for it. Initial RAM file systems are not its business.
func (a *Applier) weakModules(ctx context.Context, k kbuild.Kernel, gone []string) {
	if !a.machine.Framework.WeakModules {
		return
	}
	var came []string
	for _, recipe := range a.installedOn(k.KernelID) {
		if recipe.NoWeakModules {
			continue
		}
		for _, m := range recipe.Modules {
			if path, ok := a.tree.Locate(k.Release, m.Dest, m.DestDir); ok {
				came = append(came, path)
			}
		}
	}
	gone = slices.DeleteFunc(slices.Clone(gone), func(path string) bool { return slices.Contains(came, path) })
	for _, change := range []struct {
		option string
		paths  []string
	}{{"--remove-modules", gone}, {"--add-modules", came}} {
		if len(change.paths) == 0 {
			continue
		}
		err := system.Run(ctx, system.Command{
			Args: []string{"weak-modules", "--no-initramfs", change.option}, Stdin: strings.NewReader(strings.Join(change.paths, "\n") + "\n"),
			Stdout: a.console.W, Stderr: a.console.W,
		})
		if err != nil {
			a.console.Warn("weak-modules: " + err.Error())
		}
	}
}

// installedOn returns what this run has installed on a kernel, by name.
func (a *Applier) installedOn(id dkms.KernelID) []kbuild.Recipe {
	a.mu.Lock()
	defer a.mu.Unlock()
	var recipes []kbuild.Recipe
	for ref, o := range a.did {
		if recipe, ok := a.machine.Known(ref); ok && ref.KernelID == id && o.Did == "installed" {
			recipes = append(recipes, recipe)
		}
	}
	slices.SortFunc(recipes, func(a, b kbuild.Recipe) int { return dkms.CompareRefs(a.Ref, b.Ref) })
	return recipes
}
