package hooks

import (
	"errors"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// retry forgets failures and makes the kernels match once more.
func (r *run) retry() error {
	only, err := r.call.spelled()
	if err != nil {
		return err
	}
	r.call.AllKernels = len(r.call.Kernels) == 0
	ids, err := r.scope()
	if err != nil {
		return err
	}
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	known := only.Name == ""
	var errs []error
	for _, p := range have.Packages {
		if only.Name != "" && p.Name != only.Name || only.Version != "" && p.Version != only.Version {
			continue
		}
		known = true
		for _, f := range p.Failures {
			errs = append(errs, r.tree.ForgetFailure(f.Ref))
		}
	}
	if !known {
		return notInTree(dkms.Package{Name: only.Name, Version: only.Version})
	}
	if err := errors.Join(errs...); err != nil {
		return &dkms.Error{Kind: dkms.NotAllowed, Object: r.tree.Dir, Problem: "cannot be written", Err: err, Hint: "run as root"}
	}
	r.only = only.Name
	return r.reconcile(ids, "tried again")
}
