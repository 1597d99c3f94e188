package dkms

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Package is what one dkms.conf describes: PACKAGE_NAME and the version it is
// registered under, which need not equal PACKAGE_VERSION.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// String returns NAME/VER.
func (p Package) String() string { return p.Name + "/" + p.Version }

// KernelID names a kernel on disk: its release (uname -r) and its architecture
// (uname -m).
type KernelID struct {
	Release string `json:"release"`
	Arch    string `json:"arch"`
}

// String returns RELEASE/ARCH.
func (k KernelID) String() string { return k.Release + "/" + k.Arch }

// Ref is one package for one kernel, the unit of all work.
type Ref struct {
	Package
	KernelID
}

// String returns NAME/VER/RELEASE/ARCH, or NAME/VER for the package itself.
func (r Ref) String() string {
	if r.KernelID == (KernelID{}) {
		return r.Package.String()
	}
	return r.Package.String() + "/" + r.KernelID.String()
}

// safeWord is what may become one path element: no separators, blanks or
// control characters, and neither "." nor "..", nor a leading "-" or ".".
var safeWord = regexp.MustCompile(`^[A-Za-z0-9_+@%=,:~][A-Za-z0-9_+@%=,:~.-]*$`)

// CheckElement reports whether s can be one element of a path, and of no other
// directory than the one it is looked for in: the least that is asked of a name
// in order to find or remove what bears it. what ("module name", …) and s become
// the error's object.
func CheckElement(what, s string) error {
	switch {
	case s == "":
		return &Error{Kind: Incomplete, Object: what, Problem: "is empty"}
	case strings.ContainsAny(s, "/\x00") || s == "." || s == "..":
		return &Error{Kind: Incomplete, Object: fmt.Sprintf("%s %q", what, s), Problem: "would leave its directory"}
	case s[0] == '.' || s[0] == '-' || strings.ContainsFunc(s, unicode.IsControl):
		return badCharacters(what, s)
	}
	return nil
}

// CheckWord reports whether s may become the name of something new in the
// tree: one that no shell, Makefile or list of names can misread.
func CheckWord(what, s string) error {
	if err := CheckElement(what, s); err != nil {
		return err
	}
	if !safeWord.MatchString(s) {
		return badCharacters(what, s)
	}
	return nil
}

func badCharacters(what, s string) error {
	return &Error{Kind: Incomplete, Object: fmt.Sprintf("%s %q", what, s), Problem: "has characters that it cannot have",
		Hint: "use letters, digits and the characters _ + - . : ~"}
}

// State is how far a Ref, or a Package for all kernels, has come.
type State int

// States in the order of the life of a module; Broken is a Package whose
// source cannot be reached.
const (
	Absent State = iota
	Added
	Built
	Installed
	Broken
)

// String returns the word that `status` prints.
func (s State) String() string {
	return [...]string{"absent", "added", "built", "installed", "broken"}[s]
}
