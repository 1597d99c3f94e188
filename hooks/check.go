package hooks

import (
	"errors"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/view"
)

// check tells whether every wanted module is there for each kernel that may be
// booted. It changes nothing.
func (r *run) check() error {
	ids, err := r.asked()
	if err != nil {
		return err
	}
	found, err := r.examine(ids)
	if err != nil {
		return err
	}
	if r.call.JSON {
		err = view.CheckJSON(r.Stdout, found, len(ids))
	} else {
		view.Check(r.result, found, len(ids), r.machine.Tree.InstallDir)
	}
	if err != nil {
		return err
	}
	return view.Sum(found)
}

// examine compares what is wanted for ids with what is there.
func (r *run) examine(ids []dkms.KernelID) ([]view.Verdict, error) {
	have, err := r.scan()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.registry.Revive(r.ctx, &have, r.writing), r.look(&have)); err != nil {
		return nil, err
	}
	var want plan.Want
	r.console.Quietly(func() { want = r.wantAll(have, ids, "") })
	return view.Judge(view.Case{
		Have: have, Plan: r.diff(want, have),
		Failure: r.machine.Tree.Failure, Headers: r.headersPackage,
	}), nil
}

// headersPackage is the name of the package that would bring a kernel's
// headers; empty: nobody knows.
func (r *run) headersPackage(release string) string {
	return r.registry.HeadersPackage(r.ctx, release)
}

// asked are the kernels of the call, or all that may be booted.
func (r *run) asked() ([]dkms.KernelID, error) {
	if len(r.call.Kernels) == 0 {
		return r.machine.Bootable()
	}
	ids, err := r.call.Targets()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if k, err := r.machine.Kernel(id); err == nil && k.Vanished() {
			return nil, &dkms.Error{Kind: dkms.NoModuleDir, Object: id.Release, Problem: "is no kernel in " + r.machine.Tree.InstallDir}
		}
	}
	return ids, nil
}
