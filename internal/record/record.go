package record

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Schema is the version of a run's record. It rises when a field changes its
// meaning or goes; new fields do not raise it.
const Schema = 1

// Run is the record of one run. Fields with omitempty or omitzero are missing
// from the records of versions that did not know them.
type Run struct {
	Schema   int       `json:"schema"`
	Event    string    `json:"event"` // "hook dpkg-triggered dkms-hook", "install it87/eol"
	Version  string    `json:"version"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Outcomes []Outcome `json:"outcomes"` // in the order in which they ended
	Notes    []Note    `json:"notes"`

	Interrupted bool   `json:"interrupted,omitempty"` // by a signal, before all was tried
	Jobs        int    `json:"jobs,omitempty"`        // compilers at a time
	JobsWhy     string `json:"jobs_why,omitempty"`    // what that number comes from, in words
	// Kernels is what was done to a kernel as a whole: depmod, initramfs.
	Kernels []KernelStep `json:"kernels,omitempty"`
}

// Outcome is what became of one step.
type Outcome struct {
	Package string  `json:"package"`
	Version string  `json:"version"`
	Release string  `json:"release,omitempty"` // empty: the package as such
	Arch    string  `json:"arch,omitempty"`
	Did     Did     `json:"did"`
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"` // in one line

	Step   string    `json:"step,omitempty"`   // the verb, which a failure's Did does not tell: build, install
	Why    string    `json:"why,omitempty"`    // reason in words: "no module for this kernel yet"
	Began  time.Time `json:"began,omitzero"`   // zero for what was not tried
	Phases []Phase   `json:"phases,omitempty"` // of a build, in order, also of one that failed
	From   string    `json:"from,omitempty"`   // where modules came from instead of a compiler: "cache"
	// Retried says why a build was tried once more: "alone, with one job: the
	// first was killed for memory". The phases are those of all tries.
	Retried string `json:"retried,omitempty"`

	Class string `json:"class,omitempty"` // what kind of failure: "kernel API change"
	First string `json:"first,omitempty"` // first error of the log: "a.c:3: message"
	Log   string `json:"log,omitempty"`   // absolute path
	Hint  string `json:"hint,omitempty"`  // what to do next
	Still string `json:"still,omitempty"` // what stays in place: "it87/1 is still installed"
}

// Did is what a step has done.
type Did string

// What steps do. There is one Built for each time a package was built.
const (
	Added       Did = "added"
	Built       Did = "built"
	Installed   Did = "installed"
	Uninstalled Did = "uninstalled"
	Unbuilt     Did = "unbuilt"
	Removed     Did = "removed"
	Failed      Did = "failed"
	Interrupted Did = "interrupted" // the run was, while the step was under way
	NotTried    Did = "not-tried"   // another's failure blocked it, or, with Class "interrupted", the run ended first
)

// Phase is a part of a build.
type Phase struct {
	Name    string  `json:"name"`  // "copy", "make", …
	After   float64 `json:"after"` // seconds from the step's beginning
	Seconds float64 `json:"seconds"`
}

// KernelStep is one step on a kernel as a whole.
type KernelStep struct {
	Release string    `json:"release,omitempty"` // empty: post-transaction
	Arch    string    `json:"arch,omitempty"`
	Step    string    `json:"step"` // "depmod", "initramfs", "post-transaction"
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Error   string    `json:"error,omitempty"`
}

// Note is something wanted that was not done.
type Note struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"`
	Reason  string `json:"reason"` // a plan.Reason
	Text    string `json:"text"`
}

// Ref is what the outcome is about.
func (o Outcome) Ref() dkms.Ref {
	return dkms.Ref{Package: dkms.Package{Name: o.Package, Version: o.Version}, KernelID: dkms.KernelID{Release: o.Release, Arch: o.Arch}}
}

// Encode returns the record as JSON, with Schema set.
func (r Run) Encode() ([]byte, error) {
	r.Schema = Schema
	if r.Outcomes == nil {
		r.Outcomes = []Outcome{}
	}
	if r.Notes == nil {
		r.Notes = []Note{}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}

// Decode reads a record. Fields that are unknown are passed over; a schema that
// is newer is an error.
func Decode(text []byte) (Run, error) {
	var r Run
	if err := json.Unmarshal(text, &r); err != nil {
		return Run{}, err
	}
	if r.Schema != Schema {
		return Run{}, fmt.Errorf("schema %d is not understood, only %d", r.Schema, Schema)
	}
	return r, nil
}
