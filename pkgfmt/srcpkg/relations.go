package srcpkg

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// What dkms itself has to be: the first that knows common.postinst with five
// arguments, and the first that knows the directives below. Debian's dh_dkms
// asks for the same.
const (
	dkmsAnyhow    = "2.1.0.0"
	dkmsExclusive = "3.0.11"
)

// exclusive are the directives that only newer ones heed; older ones would
// build what is not to be built.
var exclusive = []string{"BUILD_EXCLUSIVE_CONFIG", "BUILD_EXCLUSIVE_KERNEL_MIN", "BUILD_EXCLUSIVE_KERNEL_MAX"}

// relations are those that every package of module sources has, and the
// source's own.
func relations(d *source.Description, f pkgfmt.Format, base string, v pkgfmt.Version) pkgfmt.Relations {
	least := dkmsAnyhow
	if slices.ContainsFunc(exclusive, func(name string) bool { return d.Uses[name] }) {
		least = dkmsExclusive
	}
	v.Revision = ""
	var r pkgfmt.Relations
	if f == pkgfmt.Deb {
		r = pkgfmt.Relations{
			Depends: []string{"dkms-hook | dkms (>= " + least + ")"},
			// Debian's and Ubuntu's headers for any architecture are called, or
			// provide, the first; others' the second.
			Recommends: []string{"linux-headers-generic | linux-headers"},
			Provides:   []string{base + "-modules (= " + v.String() + ")"},
		}
	} else {
		engine := "(dkms-hook or dkms >= " + least + ")"
		r = pkgfmt.Relations{
			Depends:    []string{engine},
			ForScripts: []string{engine},
			// Headers of the very kernels that are there, which kernel-devel by
			// itself does not promise: of Fedora and its kin, of SUSE.
			Recommends: []string{"(kernel-devel-matched if kernel-core)", "(kernel-default-devel if kernel-default)"},
			Provides:   []string{base + "-kmod = " + v.String()},
		}
	}
	return joined(r, d.Relations[f])
}

// joined are the relations of both, none twice.
func joined(a, b pkgfmt.Relations) pkgfmt.Relations {
	both := func(a, b []string) []string {
		out := slices.Clone(a)
		for _, s := range b {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out
	}
	return pkgfmt.Relations{
		Depends:     both(a.Depends, b.Depends),
		Recommends:  both(a.Recommends, b.Recommends),
		Suggests:    both(a.Suggests, b.Suggests),
		Conflicts:   both(a.Conflicts, b.Conflicts),
		Breaks:      both(a.Breaks, b.Breaks),
		Replaces:    both(a.Replaces, b.Replaces),
		Provides:    both(a.Provides, b.Provides),
		Enhances:    both(a.Enhances, b.Enhances),
		Supplements: both(a.Supplements, b.Supplements),
		ForScripts:  both(a.ForScripts, b.ForScripts),
	}
}
