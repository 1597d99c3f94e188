package machine

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// WantedKernels are the kernels on disk that shall have modules: each with
// headers, and each with an image, which then waits for headers. With
// autoinstall_all_kernels=no they are the running and the newest one only.
func (m *Machine) WantedKernels() ([]dkms.KernelID, error) {
	all, err := m.OnDisk()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(k kbuild.Kernel) bool { return k.Vanished() || m.Tree.WasRemoved(k.Release) })
	if !m.Framework.AutoinstallAllKernels && len(all) > 1 {
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

// OnDisk reads about each kernel that has a directory, in version order.
func (m *Machine) OnDisk() ([]kbuild.Kernel, error) {
	arch, err := kbuild.HostArch()
	if err != nil {
		return nil, err
	}
	releases, err := kbuild.Releases(m.Tree.InstallDir)
	if err != nil {
		return nil, err
	}
	all := make([]kbuild.Kernel, 0, len(releases))
	for _, release := range releases {
		k, err := m.Kernel(dkms.KernelID{Release: release, Arch: arch})
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// Kernel returns what is known of id, read once.
func (m *Machine) Kernel(id dkms.KernelID) (kbuild.Kernel, error) {
	if k, ok := m.kernels.get(id); ok {
		return k, nil
	}
	k, err := kbuild.OpenKernel(kbuild.KernelOptions{
		ID: id, InstallTree: m.Tree.InstallDir, SourceDir: m.o.KernelSource, ConfigFile: m.o.KernelConfig,
	})
	if err != nil {
		return kbuild.Kernel{}, err
	}
	m.kernels.put(id, k)
	return k, nil
}

// Bootable are the kernels with an image. On a machine that has none, one that
// builds for others, they are those with headers.
func (m *Machine) Bootable() ([]dkms.KernelID, error) {
	all, err := m.OnDisk()
	if err != nil {
		return nil, err
	}
	var ids []dkms.KernelID
	for _, k := range all {
		if k.HasImage() && !m.Tree.WasRemoved(k.Release) {
			ids = append(ids, k.KernelID)
		}
	}
	if len(ids) == 0 {
		return m.WantedKernels()
	}
	return ids, nil
}

// GoneKernels are the kernels that something was installed on, or could not be,
// and of which neither image nor headers are there. What was built for a kernel
// that never was here stays: somebody wants it elsewhere. Where there is no
// kernel at all that is said of those only that have left a directory: else
// /lib/modules itself may be missing.
func (m *Machine) GoneKernels(have tree.Snapshot) ([]string, error) {
	all, err := m.OnDisk()
	if err != nil {
		return nil, err
	}
	some := slices.ContainsFunc(all, func(k kbuild.Kernel) bool { return !k.Vanished() })
	ids := map[dkms.KernelID]bool{}
	for _, p := range have.Packages {
		for _, s := range p.Refs {
			if s.State == dkms.Installed || m.Tree.WasRemoved(s.Release) {
				ids[s.KernelID] = true
			}
		}
		for _, f := range p.Failures {
			ids[f.KernelID] = true
		}
	}
	var gone []string
	for id := range ids {
		k, err := m.Kernel(id)
		if err != nil {
			return nil, err
		}
		if k.Vanished() && (some || system.IsDir(k.ModuleDir)) && !slices.Contains(gone, id.Release) {
			gone = append(gone, id.Release)
		}
	}
	return gone, nil
}
