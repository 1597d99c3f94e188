package hooks

import (
	"context"
	"slices"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/initramfs"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// systemModules is where the programs that make initial RAM file systems look for
// modules.
const systemModules = "/lib/modules"

// wantsInitramfs reports whether initial RAM file systems are this run's
// business: not when the modules are installed somewhere else.
func (r *run) wantsInitramfs() bool {
	return r.machine.Framework.Initrd != conf.Never && !r.callerMakesInitramfs && sameFile(r.machine.Tree.InstallDir, systemModules)
}

// heldElsewhere reports whether the newest other kernel that has an initial RAM
// file system has one of modules in there: then it belongs into this one, too,
// which was made before the module was.
func (r *run) heldElsewhere(ctx context.Context, release string, modules []string) bool {
	all, err := r.machine.OnDisk()
	if err != nil {
		return false
	}
	for _, k := range slices.Backward(all) {
		if k.Release == release {
			continue
		}
		if image, ok := initramfs.Find(k.Release); ok {
			holds, err := image.Holds(ctx, modules)
			return err == nil && holds
		}
	}
	return false
}

// doInitramfs makes the kernel's initial RAM file system anew if there is one
// and it holds a module that has changed or is set up to, or a package or
// framework.conf asks for it. A module in there is loaded before that in /lib/modules is seen.
func (r *run) doInitramfs(ctx context.Context, s plan.Step) error {
	changed, ok := r.touchedBy(s.Ref.KernelID)
	if !ok {
		return nil
	}
	image, ok := initramfs.Find(s.Ref.Release)
	if !ok {
		return nil
	}
	needed := r.machine.Framework.Initrd == conf.Always || changed.initrd || image.Asks(changed.modules)
	if !needed {
		holds, err := image.Holds(ctx, changed.modules)
		if err != nil {
			r.console.Warn(err.Error() + "; it is made anew to be on the safe side")
		}
		needed = holds || err != nil
	}
	if !needed && !r.heldElsewhere(ctx, s.Ref.Release, changed.modules) {
		return nil
	}
	if err := image.Refresh(ctx, r.console.W); err != nil {
		return &dkms.Error{Kind: dkms.InitramfsFailed, Object: image.Path, Problem: "could not be made anew with the modules that have changed", Err: err,
			Hint: "the old one is likely to hold the old modules; " + image.Tool + " can be run by hand"}
	}
	r.console.Notice(image.Path + ": made anew, because of modules that have changed")
	return nil
}
