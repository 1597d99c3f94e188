package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// failureSchema is raised when a record changes so that older programs would
// misread it.
const failureSchema = 1

// Failure is what is remembered of a ref that could not be built or installed:
// NAME/VER/.log/RELEASE/ARCH/failure.json. It lasts until Publish succeeds for
// the ref, until the ref or its kernel is given up, or until ForgetFailure, as when
// a run finds the ref to be as it should be; so the same inputs need not be tried
// again at every event.
type Failure struct {
	Schema int `json:"schema"`
	dkms.Ref
	Step    string `json:"step,omitempty"`    // what was being done: "build", "install", …
	Class   string `json:"class,omitempty"`   // the caller's sort of failure
	First   string `json:"first,omitempty"`   // first error of the log, as FILE:LINE: text
	Problem string `json:"problem,omitempty"` // of the dkms.Error, with its cause
	Hint    string `json:"hint,omitempty"`    // of the dkms.Error
	Log     string `json:"log,omitempty"`     // absolute path
	// Fingerprint is the caller's word for what was tried; while it is the
	// same, another try would end the same way.
	Fingerprint string `json:"fingerprint,omitempty"`

	Began time.Time `json:"began"` // first failure with this fingerprint
	Last  time.Time `json:"last"`  // newest one
	Count int       `json:"count"` // how many, with this fingerprint
}

// String tells of f in one line: "make failed (since 2006-01-02 15:04, tried 2
// times)".
func (f Failure) String() string {
	text := f.Problem
	if text == "" {
		text = f.Step + " failed"
	}
	text = fmt.Sprintf("%s (since %s", text, f.Began.Format("2006-01-02 15:04"))
	if f.Count > 1 {
		text += fmt.Sprintf(", tried %d times", f.Count)
	}
	return text + ")"
}

// FailurePath is where the failure record of r is kept: beside LogPath(r).
func (t Tree) FailurePath(r dkms.Ref) string {
	return filepath.Join(filepath.Dir(t.LogPath(r)), failureFile)
}

// RecordFailure remembers f for f.Ref, durably. A Last that is zero is now, and so
// is one from before r was built (what failed is what came after). Began and
// Count are not the caller's: where the record that is kept has the same
// fingerprint, its Began stays and its Count grows by one; else they are Last
// and 1. On an error the former record is still there. Kind NotInTree: the
// package is not registered.
func (t Tree) RecordFailure(f Failure) error {
	if err := checkRef(f.Ref); err != nil {
		return err
	}
	if !system.Exists(t.PackageDir(f.Package)) {
		return notInTree(f.Package)
	}
	if f.Last.IsZero() || t.builtSince(f) {
		f.Last = time.Now()
	}
	f.Schema, f.Began, f.Count = failureSchema, f.Last, 1
	if former, ok := t.Failure(f.Ref); ok && former.Fingerprint == f.Fingerprint {
		f.Began, f.Count = former.Began, former.Count+1
	}
	if err := t.keepLog(f.Ref, t.FailurePath(f.Ref), encode(f)); err != nil {
		return problem(f.Ref.String(), "failure cannot be recorded", err)
	}
	return nil
}

// keepLog writes a file in NAME/VER/.log/RELEASE/ARCH. On an error there is what
// was there.
func (t Tree) keepLog(r dkms.Ref, path string, data []byte) error {
	var err error
	for range 100 {
		// Builds of the same package that succeed at this moment prune the
		// directories that all of them use.
		if err = t.writeLog(path, data); !isPruned(err) {
			break
		}
	}
	if err != nil {
		system.PruneEmpty(filepath.Dir(path), t.PackageDir(r.Package))
	}
	return err
}

func (t Tree) writeLog(path string, data []byte) error {
	if err := t.at("log mkdir"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := t.at("log write"); err != nil {
		return err
	}
	return system.WriteFile(path, data, 0o644)
}

// Failure returns what is remembered of r. ok is false when nothing is, or
// nothing that can be read, or when r was built since: a run that was killed
// just after Publish leaves such a record.
func (t Tree) Failure(r dkms.Ref) (f Failure, ok bool) {
	if checkRef(r) != nil {
		return Failure{}, false
	}
	f, err := t.readFailure(r)
	return f, err == nil && !t.builtSince(f)
}

func (t Tree) readFailure(r dkms.Ref) (Failure, error) {
	data, err := os.ReadFile(t.FailurePath(r))
	if err != nil {
		return Failure{}, err
	}
	var f Failure
	if err := json.Unmarshal(data, &f); err != nil {
		return Failure{}, err
	}
	return f, checkRecord(f.Schema, failureSchema, f.Ref, r)
}

// builtSince asks the change time of module/, which no program chooses and
// which is right for the builds of dkms, too.
func (t Tree) builtSince(f Failure) bool {
	s, err := StampOf(t.ModuleDir(f.Ref))
	return err == nil && s.Change > f.Last.UnixNano()
}

// ForgetFailure forgets that r failed, and drops the log of it. That nothing is
// remembered is no error.
func (t Tree) ForgetFailure(r dkms.Ref) error {
	if err := checkRef(r); err != nil {
		return err
	}
	if err := t.at("failure forget"); err != nil {
		return problem(r.String(), "failure cannot be forgotten", err)
	}
	if err := t.dropLog(r); err != nil {
		return problem(r.String(), "failure cannot be forgotten", err)
	}
	return nil
}

// dropLog removes NAME/VER/.log/RELEASE/ARCH and the parents that it leaves
// empty. The record goes first: a log alone says nothing.
func (t Tree) dropLog(r dkms.Ref) error {
	if err := removeIf(t.FailurePath(r)); err != nil {
		return err
	}
	dir := filepath.Dir(t.LogPath(r))
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	system.PruneEmpty(filepath.Dir(dir), t.PackageDir(r.Package))
	return nil
}

// scanFailures reads NAME/VER/.log, which few packages have.
func (t Tree) scanFailures(s *Snapshot, p dkms.Package) []Failure {
	var list []Failure
	t.eachLog(p, func(r dkms.Ref) {
		f, err := t.readFailure(r)
		switch {
		case errors.Is(err, fs.ErrNotExist): // a log without a record
		case err != nil:
			s.problem(t.FailurePath(r), "cannot be read", err)
		case !t.builtSince(f):
			list = append(list, f)
		}
	})
	return list
}

// eachLog calls fn for every RELEASE/ARCH in NAME/VER/.log, in byte order.
func (t Tree) eachLog(p dkms.Package, fn func(dkms.Ref)) {
	top := filepath.Join(t.PackageDir(p), logDir)
	releases, _ := os.ReadDir(top)
	for _, release := range releases {
		arches, _ := os.ReadDir(filepath.Join(top, release.Name()))
		for _, arch := range arches {
			r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: release.Name(), Arch: arch.Name()}}
			if arch.IsDir() && checkRef(r) == nil {
				fn(r)
			}
		}
	}
}

// sweepLogs clears what a killed run left in NAME/VER/.log.
func (t Tree) sweepLogs(p dkms.Package) (errs []error) {
	t.eachLog(p, func(r dkms.Ref) {
		if f, err := t.readFailure(r); err == nil && t.builtSince(f) {
			errs = appendErr(errs, t.dropLog(r))
			return
		}
		dir := filepath.Dir(t.LogPath(r))
		errs = append(errs, sweepTemps(dir)...)
		system.PruneEmpty(dir, t.PackageDir(p))
	})
	return errs
}

// schemaError is about a record that another program wrote.
type schemaError struct{ schema, known int }

func (e *schemaError) Error() string { return fmt.Sprintf("schema %d is not understood", e.schema) }

// checkRecord reports whether a record that was read for want can be used.
func checkRecord(schema, known int, about, want dkms.Ref) error {
	if schema != known {
		return &schemaError{schema, known}
	}
	if about != want {
		return fmt.Errorf("it is about %s", about)
	}
	return nil
}

// encode makes the JSON of a record of ours, for people to read, too.
func encode(record any) []byte {
	data, err := json.MarshalIndent(record, "", "\t")
	if err != nil {
		panic(err) // only strings, numbers and times in it
	}
	return append(data, '\n')
}
