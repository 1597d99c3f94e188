package write

import "github.com/dkms-hook/dkms-hook/pkgfmt"

// check returns why p cannot be written.
func check(p pkgfmt.Package) error {
	if p.Name == "" {
		return refuse("package", "has no name")
	}
	return nil
}
