package hooks

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// examined is one line of `doctor --json`.
type examined struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
	Safe    bool   `json:"safe"`            // --fix mends it
	Did     string `json:"did,omitempty"`   // what --fix did
	Error   string `json:"error,omitempty"` // why it could not
}

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
		return errors.Join(err, r.sweep()) // which runs the depmods that are due
	})
}

func (r *run) report(findings []tree.Finding, fix bool) error {
	all := make([]examined, 0, len(findings))
	left, safe := 0, 0
	for _, f := range findings {
		e := examined{Path: f.Path, Problem: f.Problem, Remedy: f.Remedy, Safe: f.Safe}
		mended := false
		if fix && f.Safe {
			did, err := f.Fix()
			if e.Did = did; err != nil {
				e.Error = err.Error()
			}
			mended = err == nil
		}
		if !mended {
			left++
		}
		if f.Safe && !fix {
			safe++
		}
		all = append(all, e)
	}
	if err := r.printFindings(all); err != nil {
		return err
	}
	if left > 0 {
		e := &dkms.Error{Kind: dkms.ModulesMissing, Object: "doctor", Problem: fmt.Sprintf("%s in %s", counted(left, "finding"), r.machine.Tree.Dir)}
		if safe > 0 {
			e.Hint = "dkms-hook doctor --fix mends what is safe to mend"
		}
		return e
	}
	return nil
}

func (r *run) printFindings(all []examined) error {
	if r.call.JSON {
		encoder := json.NewEncoder(r.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			Schema   int        `json:"schema"`
			Findings []examined `json:"findings"`
		}{1, all})
	}
	for _, e := range all {
		fmt.Fprintf(r.result, "%s: %s\n", e.Path, e.Problem)
		switch {
		case e.Error != "":
			fmt.Fprintf(r.result, "  could not be mended: %s\n", e.Error)
		case e.Did != "":
			fmt.Fprintf(r.result, "  mended: %s\n", e.Did)
		case e.Safe:
			fmt.Fprintf(r.result, "  --fix: %s\n", e.Remedy)
		default:
			fmt.Fprintf(r.result, "  by hand: %s\n", e.Remedy)
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(r.result, r.machine.Tree.Dir+": all is well")
	}
	return nil
}
