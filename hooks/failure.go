package hooks

import (
	"errors"
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// failure adds to o what a person wants to know of a build that failed.
func (r *run) failure(o report.Outcome) report.Outcome {
	var blocked *sched.BlockedError[plan.StepID]
	if errors.As(o.Err, &blocked) {
		o.Err = fmt.Errorf("not tried, because this failed: %s", blocked.Root)
		return o
	}
	var failed *kbuild.BuildError
	if !errors.As(o.Err, &failed) {
		return o
	}
	o.Fail = &report.Failure{Class: failed.Problem(), Log: failed.Log}
	have, err := r.machine.Tree.Scan(r.ctx)
	if err != nil {
		return o
	}
	if version, ok := have.Active(o.Ref.Name, o.Ref.KernelID); ok {
		still := dkms.Package{Name: o.Ref.Name, Version: version}
		o.Fail.Still = fmt.Sprintf("%s is still installed", still)
	}
	return o
}
