package tree

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

const retirementSchema = 1

// Retirement marks a package that is to go, but only once something has taken
// its place: NAME/VER/.retired.json. Until then its modules stay as they are,
// source or not.
type Retirement struct {
	By    string    `json:"by,omitempty"`  // distribution package that gave it up; may be empty
	Why   string    `json:"why,omitempty"` // in words
	Since time.Time `json:"since"`
}

// retirementFile is a Retirement on disk.
type retirementFile struct {
	Schema int `json:"schema"`
	Retirement
}

func (t Tree) retirementPath(p dkms.Package) string {
	return filepath.Join(t.PackageDir(p), retiredFile)
}

// Retire marks p. A Since that is zero is now; a package that is retired
// already keeps the Since it has. Register does not take the mark away:
// Unretire does. Kind NotInTree: there is no p.
func (t Tree) Retire(p dkms.Package, r Retirement) error {
	if err := checkPackage(p); err != nil {
		return err
	}
	if !system.Exists(t.PackageDir(p)) {
		return notInTree(p)
	}
	if r.Since.IsZero() {
		r.Since = time.Now()
	}
	if former, err := t.retirement(p); err == nil {
		r.Since = former.Since
	}
	err := t.at("retire")
	if err == nil {
		err = system.WriteFile(t.retirementPath(p), encode(retirementFile{retirementSchema, r}), 0o644)
	}
	if err != nil {
		return problem(p.String(), "cannot be retired", err)
	}
	return nil
}

// Unretire takes the mark away. That there is none is no error.
func (t Tree) Unretire(p dkms.Package) error {
	if err := checkPackage(p); err != nil {
		return err
	}
	err := t.at("unretire")
	if err == nil {
		err = removeIf(t.retirementPath(p))
	}
	if err != nil {
		return problem(p.String(), "cannot be taken out of retirement", err)
	}
	return nil
}

func (t Tree) retirement(p dkms.Package) (*Retirement, error) {
	data, err := os.ReadFile(t.retirementPath(p))
	if err != nil {
		return nil, err
	}
	var f retirementFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.Schema != retirementSchema {
		return nil, &schemaError{f.Schema, retirementSchema}
	}
	return &f.Retirement, nil
}

// scanRetirement reads the mark that is there. One that cannot be read retires
// nothing: what stays too long does no harm.
func (t Tree) scanRetirement(s *Snapshot, p dkms.Package) *Retirement {
	r, err := t.retirement(p)
	if err != nil {
		s.problem(t.retirementPath(p), "cannot be read", err)
		return nil
	}
	return r
}
