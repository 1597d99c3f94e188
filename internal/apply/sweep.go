package apply

import (
	"context"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Sweep clears away what a killed run left, and runs the depmod it still owed.
func (a *Applier) Sweep(ctx context.Context) error {
	swept, err := a.tree.Sweep(ctx)
	for _, note := range swept.Notes {
		a.console.Notice(note)
	}
	if err != nil {
		return err
	}
	arch, err := kbuild.HostArch()
	if err != nil {
		return err
	}
	for _, release := range swept.Depmod {
		k, err := a.machine.Kernel(dkms.KernelID{Release: release, Arch: arch})
		if err == nil {
			err = kbuild.Depmod(ctx, k)
		}
		if err != nil {
			a.console.Warn(err.Error())
			continue
		}
		if err := a.tree.DepmodDone(release); err != nil {
			return err
		}
	}
	return nil
}
