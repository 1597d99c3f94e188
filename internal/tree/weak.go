package tree

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Weak is a package whose modules are used by a kernel they were not built
// for: weak-modules(8) of RHEL and SUSE linked them into
// INSTALLTREE/RELEASE/weak-updates.
type Weak struct {
	dkms.Ref        // the borrower: its Release is not the one built for
	From     string // the release it was built and installed for
}

// scanWeak looks at the weak-updates of every kernel. The row is that of
// `dkms status` 3.0: NAME, VER, RELEASE, ARCH: installed-weak from RELEASE2.
func (t Tree) scanWeak(s *Snapshot) []Weak {
	dirs, _ := filepath.Glob(filepath.Join(t.InstallDir, "*", "weak-updates"))
	if len(dirs) == 0 {
		return nil
	}
	owners := t.owners(s)
	if len(owners) == 0 {
		return nil
	}
	seen := map[Weak]bool{}
	root, err := filepath.EvalSymlinks(t.InstallDir)
	if err != nil {
		return nil
	}
	for _, dir := range dirs {
		release := filepath.Base(filepath.Dir(dir))
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Type() != fs.ModeSymlink {
				return nil
			}
			target, err := filepath.EvalSymlinks(path)
			if err != nil {
				return nil
			}
			from, _, ok := strings.Cut(strings.TrimPrefix(target, root+"/"), "/")
			name, isModule := ModuleName(path)
			if owner, known := owners[from+"/"+name]; ok && isModule && known && from != release {
				ref := owner
				ref.Release = release
				seen[Weak{ref, from}] = true
			}
			return nil
		})
	}
	list := make([]Weak, 0, len(seen))
	for w := range seen {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b Weak) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
			strings.Compare(a.Release, b.Release), strings.Compare(a.Arch, b.Arch), strings.Compare(a.From, b.From))
	})
	return list
}

// owners maps "RELEASE/module" to the installed ref that has such a module.
func (t Tree) owners(s *Snapshot) map[string]dkms.Ref {
	owners := map[string]dkms.Ref{}
	for _, p := range s.Packages {
		for _, r := range p.Refs {
			if r.State != dkms.Installed {
				continue
			}
			files, _ := os.ReadDir(t.ModuleDir(r.Ref))
			for _, f := range files {
				if name, ok := ModuleName(f.Name()); ok {
					owners[r.Release+"/"+name] = r.Ref
				}
			}
		}
	}
	return owners
}
