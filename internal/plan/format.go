package plan

import (
	"bufio"
	"fmt"
	"io"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Format writes p for people: a line for each step with its reason, then a
// line for each note.
func (p Plan) Format(w io.Writer) error {
	out := bufio.NewWriter(w)
	if len(p.Steps) == 0 {
		fmt.Fprintln(out, "nothing to do")
	}
	for _, s := range p.Steps {
		fmt.Fprintf(out, "%-9s %s: %s\n", s.Verb, s.object(), s.Why)
	}
	for i, n := range p.Notes {
		if i == 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s: %s\n", object(n.Ref), n.words())
	}
	return out.Flush()
}

func (s Step) object() string {
	switch s.Verb {
	case Depmod, Initramfs:
		return s.Ref.KernelID.String()
	case PostTransaction:
		return "all kernels"
	}
	return object(s.Ref)
}

// object reads "NAME/VER" or "NAME/VER for RELEASE/ARCH".
func object(r dkms.Ref) string {
	if r.KernelID == (dkms.KernelID{}) {
		return r.Package.String()
	}
	return r.Package.String() + " for " + r.KernelID.String()
}

// words is the note without its object. A text that stands by itself is not
// preceded by its class.
func (n Note) words() string {
	switch n.Reason {
	case UpToDate, MissingDepends, FailedDepends:
		return n.Text
	case DependsCycle:
		return "circle of dependencies: " + n.Text
	case PendingHeaders:
		return "waits for headers: " + n.Text
	}
	return because(string(n.Reason), n.Text)
}
