package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Row is one line of `status`: a package, or a package on one kernel.
type Row struct {
	Package dkms.Package
	Kernel  dkms.KernelID // zero: the package itself, State Added or Broken
	State   dkms.State    // Added with a kernel (not built for it) is for JSON only

	Originals bool   // an in-tree module was set aside for it
	Missing   bool   // built modules are not in the kernel's module directory
	Differs   bool   // what is there is not what was built
	WeakFrom  string // release that a weak module comes from

	// Further are states that DKMS has no line for. They are in JSON and in
	// StatusFurther's output, never among the lines that scripts parse.
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
	PendingHeaders FurtherState = "pending-headers"    // waits for kernel headers
	PendingDepends FurtherState = "pending-dependency" // waits for a package in BUILD_DEPENDS
	BuildFailed    FurtherState = "failed"             // the last build or install failed
	Excluded       FurtherState = "excluded"           // BUILD_EXCLUSIVE_* leaves nothing here
	Stale          FurtherState = "stale"              // a build would give something else
	BrokenSource   FurtherState = "broken"             // the source cannot be reached
	InvalidConf    FurtherState = "invalid-conf"       // dkms.conf cannot be used
	Retired        FurtherState = "retired"            // goes as soon as another version takes its place
)

// Status writes the lines of `dkms status`, in DKMS's order.
func Status(w io.Writer, rows []Row) error {
	out := bufio.NewWriter(w)
	for _, r := range inOrder(rows) {
		if line := r.line(); line != "" {
			fmt.Fprintln(out, line)
		}
	}
	return out.Flush()
}

// line is the form that scripts everywhere parse; empty for a row that DKMS
// does not have.
func (r Row) line() string {
	p, k := r.Package, r.Kernel
	switch {
	case k == dkms.KernelID{}:
		return fmt.Sprintf("%s: %s", p, word(r.State))
	case r.WeakFrom != "":
		return fmt.Sprintf("%s, %s, %s, %s: installed-weak from %s", p.Name, p.Version, k.Release, k.Arch, r.WeakFrom)
	case r.State != dkms.Built && r.State != dkms.Installed:
		return ""
	}
	line := fmt.Sprintf("%s, %s, %s: %s", p, k.Release, k.Arch, r.State)
	if r.Originals {
		line += " (Original modules exist)"
	}
	if r.Missing {
		line += " (Built modules are missing in the kernel modules folder)"
	}
	if r.Differs {
		line += " (Differences between built and installed modules)"
	}
	return line
}

// word is the state as a word; an unknown one is not worth a panic.
func word(s dkms.State) string {
	if s < dkms.Absent || s > dkms.Broken {
		return "unknown"
	}
	return s.String()
}

// StatusFurther writes a line for each further state, for people.
func StatusFurther(w io.Writer, rows []Row) error {
	out := bufio.NewWriter(w)
	for _, r := range inOrder(rows) {
		for _, f := range r.Further {
			fmt.Fprintf(out, "%s: %s", About(dkms.Ref{Package: r.Package, KernelID: r.Kernel}), f.words())
			if !f.Since.IsZero() {
				fmt.Fprintf(out, ", since %s", f.Since.Format("2006-01-02 15:04"))
			}
			fmt.Fprintln(out)
			if f.Log != "" {
				fmt.Fprintf(out, "  log: %s\n", plain(f.Log))
			}
		}
	}
	return out.Flush()
}

func (f Further) words() string {
	state := strings.ReplaceAll(string(f.State), "-", " ")
	if f.State == PendingHeaders || f.State == PendingDepends {
		state = "waits for " + strings.TrimPrefix(state, "pending ")
	}
	if f.Reason == "" {
		return state
	}
	return state + ": " + plain(f.Reason)
}

// inOrder sorts rows as DKMS lists them: by the paths in its tree, byte by
// byte, NAME/VER first and then RELEASE/ARCH. So a-b/1 is before a/1, and
// 6.1.0-10 before 6.1.0-9.
func inOrder(rows []Row) []Row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(a.Package.String(), b.Package.String()),
			cmp.Compare(a.Kernel.String(), b.Kernel.String()),
			cmp.Compare(a.WeakFrom, b.WeakFrom),
		)
	})
	return rows
}
