package ko

import "github.com/dkms-hook/dkms-hook/internal/dkms"

// Relation is how an installed module stands to a built one.
type Relation int

// The relations. Only Same and Newer keep an install from replacing the
// installed module.
const (
	// Unknown: they differ, and their versions do not tell which is newer.
	Unknown Relation = iota
	// Same: version and srcversion are equal, and not both missing.
	Same
	// Older: the installed module has the lower version.
	Older
	// Newer: the installed module has the higher version.
	Newer
)

// String returns the relation in one word.
func (r Relation) String() string {
	return [...]string{"unknown", "same", "older", "newer"}[r]
}

// Compare returns how installed stands to built, by MODULE_VERSION in version
// order and by srcversion. Where only one of them has a version there is no
// order; nor where the versions are equal and the sources differ.
func Compare(built, installed *Module) Relation {
	versions := built.Version != "" && installed.Version != ""
	sources := built.SrcVersion != "" && installed.SrcVersion != ""
	order := dkms.CompareVersions(installed.Version, built.Version)
	switch {
	case versions && order < 0:
		return Older
	case versions && order > 0:
		return Newer
	case built.Version != installed.Version || built.SrcVersion != installed.SrcVersion:
		return Unknown
	case versions || sources:
		return Same
	}
	return Unknown
}
