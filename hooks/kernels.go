package hooks

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// scope are the kernels that the call names, or else all that shall have
// modules.
func (r *run) scope() ([]dkms.KernelID, error) {
	if len(r.call.Kernels) > 0 && !r.call.AllKernels {
		return r.call.targets()
	}
	r.call.AllKernels = true
	return r.wantedKernels()
}

// wantedKernels are the kernels on disk that shall have modules: each with
// headers, and each with an image, which then waits for headers. With
// autoinstall_all_kernels=no they are the running and the newest one only.
func (r *run) wantedKernels() ([]dkms.KernelID, error) {
	all, err := r.onDisk()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(k kbuild.Kernel) bool { return k.Vanished() || r.tree.WasRemoved(k.Release) })
	if !r.framework.AutoinstallAllKernels && len(all) > 1 {
		running, _, _ := system.Uname()
		newest := all[len(all)-1].Release
		all = slices.DeleteFunc(all, func(k kbuild.Kernel) bool { return k.Release != running && k.Release != newest })
	}
	ids := make([]dkms.KernelID, 0, len(all))
	for _, k := range all {
		ids = append(ids, k.KernelID)
	}
	return ids, nil
}

// onDisk reads about each kernel that has a directory, in version order.
func (r *run) onDisk() ([]kbuild.Kernel, error) {
	arch, err := kbuild.HostArch()
	if err != nil {
		return nil, err
	}
	releases, err := kbuild.Releases(r.tree.InstallDir)
	if err != nil {
		return nil, err
	}
	all := make([]kbuild.Kernel, 0, len(releases))
	for _, release := range releases {
		k, err := r.kernel(dkms.KernelID{Release: release, Arch: arch})
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}
