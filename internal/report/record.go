package report

import (
	"encoding/json"
	"time"
)

// runSchema is the version of a run's record. It rises when a field changes
// its meaning or goes; new fields do not raise it. docs/run-record.md describes
// it.
const runSchema = 1

// Run is what a run leaves on disk about itself.
type Run struct {
	Schema   int          `json:"schema"`
	Event    string       `json:"event"` // "dpkg-triggered dkms-hook", "install"
	Version  string       `json:"version"`
	Began    time.Time    `json:"began"`
	Ended    time.Time    `json:"ended"`
	Outcomes []RunOutcome `json:"outcomes"`
	Notes    []RunNote    `json:"notes"`
}

// RunOutcome is what became of one step.
type RunOutcome struct {
	Package string  `json:"package"`
	Version string  `json:"version"`
	Release string  `json:"release,omitempty"`
	Arch    string  `json:"arch,omitempty"`
	Did     string  `json:"did"` // added, built, installed, uninstalled, unbuilt, removed, failed, not-tried
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
}

// RunNote is something wanted that was not done.
type RunNote struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"`
	Reason  string `json:"reason"`
	Text    string `json:"text"`
}

// Record returns r as it is kept on disk.
func (r Run) Record() ([]byte, error) {
	r.Schema = runSchema
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}
