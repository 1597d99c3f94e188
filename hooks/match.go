package hooks

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// match installs on one kernel what is installed on another.
func (r *run) match() error {
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	only, err := r.call.Spelled()
	if err != nil {
		return err
	}
	return r.change(func(have tree.Snapshot) error { return r.matchFrom(have, ids[0], only) })
}

func (r *run) matchFrom(have tree.Snapshot, id dkms.KernelID, only dkms.Package) error {
	want := r.want()
	for _, s := range have.Refs() {
		if s.State != dkms.Installed || s.Release != r.call.TemplateKernel ||
			only.Name != "" && s.Name != only.Name || only.Version != "" && s.Version != only.Version {
			continue
		}
		c, ok := r.machine.Registered(have, s.Package)
		if !ok {
			continue
		}
		t, err := r.maker.Raise(r.ctx, c, id, dkms.Installed, "as on "+r.call.TemplateKernel)
		if err != nil {
			r.maker.Invalid(&t, err)
		}
		want.Targets = append(want.Targets, t)
	}
	if len(want.Targets) == 0 {
		fmt.Fprintf(r.result, "nothing is installed on %s, nothing to do\n", r.call.TemplateKernel)
		return nil
	}
	p, err := r.settle(want, have)
	r.sayUpToDate(p, dkms.Installed)
	return err
}
