package machine

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Present is what modules would be installed beside, as it was at one moment:
// the tree, and the kernels' directories, each walked once and only when it is
// asked for. It serves one goroutine.
type Present struct {
	machine *Machine
	have    func() (tree.Snapshot, error)
	locate  map[string]func(module, dest string) (path string, ok bool) // by release
}

// Present is what is there with the tree have.
func (m *Machine) Present(have tree.Snapshot) *Present {
	return m.present(func() (tree.Snapshot, error) { return have, nil })
}

func (m *Machine) present(have func() (tree.Snapshot, error)) *Present {
	return &Present{machine: m, have: have, locate: map[string]func(string, string) (string, bool){}}
}

// ProvidedByKernel reports whether an install would find that the kernel has the
// module already, in the same or a newer version.
func (now *Present) ProvidedByKernel(ctx context.Context, ref dkms.Ref) bool {
	have, err := now.have()
	if err != nil || have.Ref(ref).State != dkms.Built {
		return false
	}
	_, k, recipe, err := now.machine.Resolved(ctx, ref)
	if err != nil {
		return false
	}
	_, _, err = now.machine.placementsBeside(now, k, recipe, false)
	return dkms.KindOf(err) == dkms.ProvidedByKernel
}

// located is tree.Locate of the moment.
func (now *Present) located(release, module, dest string) (path string, ok bool) {
	locate := now.locate[release]
	if locate == nil {
		locate = now.machine.Tree.Locator(release)
		now.locate[release] = locate
	}
	return locate(module, dest)
}

// replaced are the files on ref's kernel that are to give way to ref's, whatever
// their versions: those of packages that are retired, as one is that has been
// renamed, and of another version of its own package, but for who asks for a
// version by name.
func (now *Present) replaced(ref dkms.Ref) ([]string, error) {
	have, err := now.have()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, p := range have.Packages {
		if p.Retired == nil && (p.Name != ref.Name || !now.machine.o.Declarative) {
			continue
		}
		for _, s := range p.Refs {
			if s.State == dkms.Installed && s.KernelID == ref.KernelID {
				paths = append(paths, now.machine.InstalledPaths(s.Ref, nil)...)
			}
		}
	}
	return paths, nil
}

// better tells whether the kernel has the module that was built of ref in a
// version that is not to be replaced: the same, or a newer one. Our own files do
// not count.
func (now *Present) better(ref dkms.Ref, p tree.Placement, own func() ([]string, error)) (string, error) {
	built := filepath.Join(now.machine.Tree.ModuleDir(ref), p.From)
	name, _ := tree.ModuleName(built)
	there, ok := now.located(ref.Release, name, p.Dest)
	if !ok {
		return "", nil
	}
	ours, err := own()
	if err != nil || slices.Contains(ours, there) {
		return "", err
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
		return fmt.Sprintf("%s is the same (version %s)", there, cmp.Or(theirs.Version, "unnamed")), nil
	case ko.Newer:
		return fmt.Sprintf("%s is newer (version %s, this is %s)", there, theirs.Version, mine.Version), nil
	}
	return "", nil
}
