package view

import (
	"fmt"
	"io"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Finding is something odd in the tree, and what became of it.
type Finding struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
	Safe    bool   `json:"safe"`            // --fix mends it
	Did     string `json:"did,omitempty"`   // what --fix did
	Error   string `json:"error,omitempty"` // why it could not

	Mended bool `json:"-"`
}

// Doctor prints what was found in the tree dir.
func Doctor(w io.Writer, all []Finding, dir string) {
	for _, f := range all {
		fmt.Fprintf(w, "%s: %s\n", f.Path, f.Problem)
		switch {
		case f.Error != "":
			fmt.Fprintf(w, "  could not be mended: %s\n", f.Error)
		case f.Did != "":
			fmt.Fprintf(w, "  mended: %s\n", f.Did)
		case f.Safe:
			fmt.Fprintf(w, "  --fix: %s\n", f.Remedy)
		default:
			fmt.Fprintf(w, "  by hand: %s\n", f.Remedy)
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(w, dir+": all is well")
	}
}

// DoctorJSON prints it for programs.
func DoctorJSON(w io.Writer, all []Finding) error {
	return JSON(w, struct {
		Schema   int       `json:"schema"`
		Findings []Finding `json:"findings"`
	}{1, all})
}

// Left is the exit status of `doctor` as an error: what is not mended. mending
// says that it was tried.
func Left(all []Finding, dir string, mending bool) error {
	left, safe := 0, 0
	for _, f := range all {
		if !f.Mended {
			left++
		}
		if f.Safe && !mending {
			safe++
		}
	}
	if left == 0 {
		return nil
	}
	e := &dkms.Error{Kind: dkms.ModulesMissing, Object: "doctor", Problem: fmt.Sprintf("%s in %s", counted(left, "finding"), dir)}
	if safe > 0 {
		e.Hint = "dkms-hook doctor --fix mends what is safe to mend"
	}
	return e
}
