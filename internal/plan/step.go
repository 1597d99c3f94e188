package plan

import (
	"encoding/json"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Verb is what a Step does.
type Verb string

// The verbs, in the order in which a Ref goes through them.
const (
	Add             Verb = "add"              // register the source
	Build           Verb = "build"            // compile, verify, publish in the tree
	Install         Verb = "install"          // copy into the kernel's module directory
	Uninstall       Verb = "uninstall"        // remove from there, put originals back
	Unbuild         Verb = "unbuild"          // remove the built modules from the tree
	Remove          Verb = "remove"           // unregister the source
	Depmod          Verb = "depmod"           // once per kernel, after the last change there
	Initramfs       Verb = "initramfs"        // make the kernel's initial RAM file system anew if it needs to be
	PostTransaction Verb = "post-transaction" // framework.conf's post_transaction, once
)

// Past is what v has done when it is done, in a word; empty for what only follows
// from other steps.
func (v Verb) Past() string {
	switch v {
	case Add:
		return "added"
	case Build:
		return "built"
	case Install:
		return "installed"
	case Uninstall:
		return "uninstalled"
	case Unbuild:
		return "unbuilt"
	case Remove:
		return "removed"
	}
	return ""
}

// StepID names a step within its plan: the verb and what it works on, such
// as "build it87/eol/6.1.0-56-amd64/x86_64". It is stable between runs.
type StepID string

// Step is one action on one object.
//
// Install of a version while another version of the same name is active on
// that kernel replaces it. Depmod, Initramfs and PostTransaction come After
// what they follow and run whatever became of it: who runs them leaves them out
// when none of those steps changed anything.
type Step struct {
	Verb  Verb     `json:"verb"`
	Ref   dkms.Ref `json:"ref"`             // Package only for Add and Remove; KernelID only for Depmod and Initramfs; empty for PostTransaction
	Why   string   `json:"why"`             // reason, in words: "no module for this kernel yet"
	Needs []StepID `json:"needs,omitempty"` // steps that must have succeeded
	After []StepID `json:"after,omitempty"` // steps that must have ended, however
	Holds []string `json:"holds,omitempty"` // resources no two running steps may share
	Force bool     `json:"force,omitempty"` // redo what is done, override the version check

	// With is what a Build is built against: each of BUILD_DEPENDS in the
	// version that will be there. Its Module.symvers is to be used, and its
	// version to be recorded for BUILD_DEPENDS_REBUILD.
	With []dkms.Package `json:"with,omitempty"`
}

// ID returns the step's name.
func (s Step) ID() StepID { return StepID(string(s.Verb) + " " + s.Subject()) }

// Subject returns what the step works on: NAME/VER/RELEASE/ARCH, NAME/VER,
// RELEASE/ARCH, or "all".
func (s Step) Subject() string {
	switch s.Verb {
	case Add, Remove:
		return s.Ref.Package.String()
	case Depmod, Initramfs:
		return s.Ref.KernelID.String()
	case PostTransaction:
		return "all"
	}
	return s.Ref.String()
}

// MarshalJSON writes the step with its "id", to which "needs" and "after" of
// others refer.
func (s Step) MarshalJSON() ([]byte, error) {
	type fields Step
	return json.Marshal(struct {
		ID StepID `json:"id"`
		fields
	}{s.ID(), fields(s)})
}

// Note is something that will not be done, with the reason: no headers,
// excluded by rule, blocked by a missing dependency. No skip is silent. A Ref
// has a note beside a step when only a part of it is left out: what is built
// is installed although it cannot be built again with its dependencies.
type Note struct {
	Ref    dkms.Ref `json:"ref"`
	Reason Reason   `json:"reason"`
	Text   string   `json:"text"`
}

// Reason is the class of a Note.
type Reason string

// The reasons for which a wanted Ref has no step.
const (
	UpToDate       Reason = "up-to-date"
	PendingHeaders Reason = "pending-headers"
	ExcludedByRule Reason = "excluded"
	NotAutoinstall Reason = "not-autoinstall"
	MissingDepends Reason = "missing-dependency" // a BUILD_DEPENDS name is not registered at all
	FailedDepends  Reason = "blocked-dependency" // it is registered, but is not and will not be built here
	DependsCycle   Reason = "dependency-cycle"
	BrokenSource   Reason = "broken"
	InvalidConf    Reason = "invalid-conf"
	FailedBefore   Reason = "failed-before" // with the same inputs; a person may have it tried again
	Conflict       Reason = "conflict"      // another target contradicts this one, or it makes no sense
)

// Schema is the version of the JSON form of a Plan. It rises when a field
// changes its meaning or goes; new fields do not raise it.
const Schema = 1

// Plan is what will be done, in an order that respects Needs and After, and
// what will not.
type Plan struct {
	Schema int    `json:"schema"`
	Steps  []Step `json:"steps"`
	Notes  []Note `json:"notes"`
}
