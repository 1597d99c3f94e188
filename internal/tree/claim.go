package tree

import (
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// A claim is a file that a package of another name has installed. Two packages
// may have a module of one name, as when a package is renamed: whoever came last
// has its file there.
type claim struct {
	ref    dkms.Ref
	sha256 string
}

// claims returns, by path, what packages of other names than r's have installed
// for r's kernel, by their manifests.
func (t Tree) claims(r dkms.Ref) map[string]claim {
	found := map[string]claim{}
	names, _ := os.ReadDir(t.Dir)
	for _, e := range names {
		if !e.IsDir() || e.Name() == r.Name {
			continue
		}
		other, ok := t.activeRef(e.Name(), r.KernelID)
		if !ok {
			continue
		}
		m, err := t.Manifest(other)
		if err != nil {
			continue
		}
		for _, f := range m.Installed {
			found[f.Path] = claim{other, f.SHA256}
		}
	}
	return found
}

// holds reports whether what stands at path is what c's package has put there.
func (c claim) holds(path string) bool {
	if c.sha256 == "" {
		return false
	}
	sum, err := system.Hash(path)
	return err == nil && sum == c.sha256
}
