package report

import (
	"io"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Row is one line of `status`: a package, or a package on one kernel.
type Row struct {
	Package dkms.Package
	Kernel  dkms.KernelID // zero: the package itself, State Added or Broken
	State   dkms.State

	Originals bool   // an in-tree module was set aside for it
	Missing   bool   // built modules are not in the kernel's module directory
	Differs   bool   // what is there is not what was built
	WeakFrom  string // release that a weak module comes from

	// Further are states that DKMS has no line for. They are in JSON and in
	// Further's output, never among the lines that scripts parse.
	Further []Further
}

// Further is a state beyond those of DKMS.
type Further struct {
	State  FurtherState `json:"state"`
	Reason string       `json:"reason"`         // in words
	Log    string       `json:"log,omitempty"`  // path of a build log
	Since  time.Time    `json:"since,omitzero"` // when it began, if known
}

// FurtherState is the word for a Further.
type FurtherState string

// The further states.
const (
	PendingHeaders FurtherState = "pending-headers" // waits for kernel headers
	PendingDepends FurtherState = "pending-dependency"
	BuildFailed    FurtherState = "failed"   // the last build failed
	Excluded       FurtherState = "excluded" // BUILD_EXCLUSIVE_* leaves nothing here
	Stale          FurtherState = "stale"    // a build would give something else
	BrokenSource   FurtherState = "broken"   // why the source cannot be reached
	InvalidConf    FurtherState = "invalid-conf"
)

// Status writes the lines of `dkms status`, in DKMS's order.
func Status(w io.Writer, rows []Row) error { return nil }

// StatusFurther writes a line for each further state, for people.
func StatusFurther(w io.Writer, rows []Row) error { return nil }

// StatusSchema is the version of the JSON that StatusJSON writes.
const StatusSchema = 1

// StatusJSON writes rows as JSON; docs/status-json.md describes it.
func StatusJSON(w io.Writer, rows []Row) error { return nil }
