package hooks

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// retry makes the kernels match once more, without regard to what has failed
// before.
func (r *run) retry() error {
	only, err := r.call.Spelled()
	if err != nil {
		return err
	}
	ids, err := r.scope()
	if err != nil {
		return err
	}
	have, err := r.scan()
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(have.Packages, func(p tree.PackageState) bool {
		return p.Name == only.Name && (only.Version == "" || p.Version == only.Version)
	})
	if only.Name != "" && !known {
		return &dkms.Error{Kind: dkms.NotInTree, Object: only.Name, Problem: "is not in the tree", Hint: "dkms status lists what is"}
	}
	r.maker.Only, r.maker.Again = only.Name, true
	return r.reconcile(ids, "tried again")
}
