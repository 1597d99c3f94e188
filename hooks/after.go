package hooks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// modprobe loads what was installed on the running kernel, where that is asked
// for. A module that will not load is no reason to take it away.
func (r *run) modprobe(ctx context.Context, id dkms.KernelID) {
	release, _, err := system.Uname()
	if err != nil || release != id.Release || r.chroot {
		return
	}
	for _, recipe := range r.installedOn(id) {
		if !r.call.ModprobeOnInstall && !r.machine.Framework.ModprobeOnInstall && !recipe.ModprobeOnInstall {
			continue
		}
		for _, m := range recipe.Modules {
			if err := system.Run(ctx, system.Command{Args: []string{"modprobe", m.Dest}, Stdout: r.console.W, Stderr: r.console.W}); err != nil {
				r.console.Warn(fmt.Sprintf("%s: modprobe %s: %v", recipe.Ref, m.Dest, err))
			}
		}
	}
}

// weakModules tells Red Hat's and SUSE's weak-modules which modules came to k and
// which went, by their paths on its standard input; only where framework.conf
// asks for it. Initial RAM file systems are not its business.
func (r *run) weakModules(ctx context.Context, k kbuild.Kernel, gone []string) {
	if !r.machine.Framework.WeakModules {
		return
	}
	var came []string
	for _, recipe := range r.installedOn(k.KernelID) {
		if recipe.NoWeakModules {
			continue
		}
		for _, m := range recipe.Modules {
			if path, ok := r.machine.Tree.Locate(k.Release, m.Dest, m.DestDir); ok {
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
			Stdout: r.console.W, Stderr: r.console.W,
		})
		if err != nil {
			r.console.Warn("weak-modules: " + err.Error())
		}
	}
}

// installedOn returns what this run has installed on a kernel, by name.
func (r *run) installedOn(id dkms.KernelID) []kbuild.Recipe {
	r.mu.Lock()
	defer r.mu.Unlock()
	var recipes []kbuild.Recipe
	for ref, o := range r.did {
		if recipe, ok := r.machine.Known(ref); ok && ref.KernelID == id && o.Did == "installed" {
			recipes = append(recipes, recipe)
		}
	}
	slices.SortFunc(recipes, func(a, b kbuild.Recipe) int { return dkms.CompareRefs(a.Ref, b.Ref) })
	return recipes
}

// kernelPreinst marks what is built for a kernel that is about to be replaced
// by one of the same name: it stays in place until it has been built again.
func (r *run) kernelPreinst() error {
	ids, err := r.call.targets()
	if err != nil {
		return err
	}
	if system.Exists(switchOff) {
		return nil
	}
	return r.change(func(have tree.Snapshot) error {
		for _, s := range have.Refs() {
			if s.KernelID != ids[0] {
				continue
			}
			if err := r.machine.Tree.MarkStale(s.Ref, "the kernel was replaced by another of the same name"); err != nil {
				return &dkms.Error{Kind: dkms.HookFailed, Object: s.Ref.String(), Problem: "cannot be marked as stale", Err: err}
			}
		}
		return nil
	})
}
