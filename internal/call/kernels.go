package call

import (
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Targets are the kernels that the call names: each -k K[/ARCH] with its -a,
// or the running one where -k was left out.
func (c *Call) Targets() ([]dkms.KernelID, error) {
	arch, err := kbuild.HostArch()
	if err != nil {
		return nil, err
	}
	if len(c.Kernels) == 0 {
		return c.runningKernel(arch)
	}
	var out []dkms.KernelID
	for i, word := range c.Kernels {
		release, own, _ := strings.Cut(word, "/")
		id := dkms.KernelID{Release: release, Arch: arch}
		switch {
		case own != "":
			id.Arch = own
		case len(c.Arches) == 1:
			id.Arch = c.Arches[0]
		case len(c.Arches) > i:
			id.Arch = c.Arches[i]
		}
		if err := checkPart("kernel release", id.Release, word); err != nil {
			return nil, err
		}
		if err := dkms.CheckWord("kernel release", id.Release); err != nil {
			return nil, err
		}
		if err := dkms.CheckWord("architecture", id.Arch); err != nil {
			return nil, err
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

func (c *Call) runningKernel(arch string) ([]dkms.KernelID, error) {
	release, _, err := system.Uname()
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.KernelUnknown, Object: "running kernel", Problem: "cannot be determined", Err: err, Hint: "name one with -k"}
	}
	id := dkms.KernelID{Release: release, Arch: arch}
	if len(c.Arches) > 0 {
		id.Arch = c.Arches[0]
	}
	return []dkms.KernelID{id}, dkms.CheckWord("architecture", id.Arch)
}

// WantsKernel reports whether id passes the -k and -a filters of `status`.
func (c *Call) WantsKernel(id dkms.KernelID) bool {
	match := func(filters []string, word string) bool { return len(filters) == 0 || slices.Contains(filters, word) }
	releases := make([]string, 0, len(c.Kernels))
	arches := slices.Clone(c.Arches)
	for _, k := range c.Kernels {
		release, arch, ok := strings.Cut(k, "/")
		releases = append(releases, release)
		if ok {
			arches = append(arches, arch)
		}
	}
	return match(releases, id.Release) && match(arches, id.Arch)
}
