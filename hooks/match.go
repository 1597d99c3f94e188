package hooks

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// match installs on one kernel what is installed on another.
func (r *run) match() error {
	ids, err := r.call.targets()
	if err != nil {
		return err
	}
	only, err := r.call.spelled()
	if err != nil {
		return err
	}
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	want := r.want()
	for _, s := range refsOf(have) {
		if s.State != dkms.Installed || s.Release != r.call.TemplateKernel ||
			only.Name != "" && s.Name != only.Name || only.Version != "" && s.Version != only.Version {
			continue
		}
		c, ok := r.registered(have, s.Package)
		if !ok {
			continue
		}
		t, err := r.raise(c, ids[0], dkms.Installed, "as on "+r.call.TemplateKernel)
		if err != nil {
			return err
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
