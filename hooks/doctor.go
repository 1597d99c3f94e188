package hooks

import (
	"errors"

	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/view"
)

// doctor explains what is odd in the tree, and with --fix mends what is safe.
func (r *run) doctor() error {
	if !r.call.Fix {
		// What a run is in the middle of is not odd. Who may not lock looks all
		// the same.
		if end, err := r.lock(); err == nil {
			defer end()
		}
		findings, err := r.machine.Tree.Examine(r.ctx)
		if err != nil {
			return err
		}
		return r.report(findings, false)
	}
	return r.change(func(tree.Snapshot) error {
		findings, err := r.machine.Tree.Examine(r.ctx)
		if err != nil {
			return err
		}
		err = r.report(findings, true)
		return errors.Join(err, r.applier.Sweep(r.ctx)) // which runs the depmods that are due
	})
}

// report prints what was found; fix has what is safe mended first.
func (r *run) report(findings []tree.Finding, fix bool) error {
	all := make([]view.Finding, 0, len(findings))
	for _, f := range findings {
		v := view.Finding{Path: f.Path, Problem: f.Problem, Remedy: f.Remedy, Safe: f.Safe}
		if fix && f.Safe {
			did, err := f.Fix()
			if v.Did = did; err != nil {
				v.Error = err.Error()
			}
			v.Mended = err == nil
		}
		all = append(all, v)
	}
	if r.call.JSON {
		if err := view.DoctorJSON(r.Stdout, all); err != nil {
			return err
		}
	} else {
		view.Doctor(r.result, all, r.machine.Tree.Dir)
	}
	return view.Left(all, r.machine.Tree.Dir, fix)
}
