package apply

import (
	"context"
	"slices"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/initramfs"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// heldElsewhere reports whether the newest other kernel that has an initial RAM
// file system has one of modules in there: then it belongs into this one, too,
// which was made before the module was.
func (a *Applier) heldElsewhere(ctx context.Context, release string, modules []string) bool {
	all, err := a.machine.OnDisk()
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

// initramfs makes the kernel's initial RAM file system anew if there is one
// and it holds a module that has changed or is set up to, or a package or
// framework.conf asks for it. A module in there is loaded before that in /lib/modules is seen.
func (a *Applier) initramfs(ctx context.Context, s plan.Step) error {
	changed, ok := a.touchedBy(s.Ref.KernelID)
	if !ok {
		return a.idle(s)
	}
	image, ok := initramfs.Find(s.Ref.Release)
	if !ok {
		return a.idle(s)
	}
	needed := a.machine.Framework.Initrd == conf.Always || changed.initrd || image.Asks(changed.modules)
	if !needed {
		holds, err := image.Holds(ctx, changed.modules)
		if err != nil {
			a.console.Warn(err.Error() + "; it is made anew to be on the safe side")
		}
		needed = holds || err != nil
	}
	if !needed && !a.heldElsewhere(ctx, s.Ref.Release, changed.modules) {
		return a.idle(s)
	}
	if err := image.Refresh(ctx, a.console.W); err != nil {
		return &dkms.Error{Kind: dkms.InitramfsFailed, Object: image.Path, Problem: "could not be made anew with the modules that have changed", Err: err,
			Hint: "the old one is likely to hold the old modules; " + image.Tool + " can be run by hand"}
	}
	a.console.Notice(image.Path + ": made anew, because of modules that have changed")
	return nil
}
