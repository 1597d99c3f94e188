package main

import (
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// hookDeb is what only Debian knows of dkms-hook: deb-control(5),
// deb-triggers(5).
var hookDeb = dialect{
	section: "kernel",
	relations: pkgfmt.Relations{
		// Packages of modules depend on dkms, mostly on a version of it.
		Provides:  []string{"dkms (= " + dkmsLevel + ")"},
		Conflicts: []string{"dkms"},
		Replaces:  []string{"dkms"},
		Depends:   []string{"kmod", "make", "patch"},
		// A kernel's headers bring the compiler that it was built with.
		Recommends: []string{"gcc | c-compiler", "linux-headers-amd64 | linux-headers-generic | linux-headers"},
		Suggests:   []string{"mokutil"},
	},
	events: hookDebEvents,
}

func hookDebEvents(p *pkgfmt.Package) error {
	p.Triggers = []string{
		// Packages that depend on one with modules are configured after the
		// run; kernels wait for nobody.
		"interest-await " + p.Name,
		"interest-noawait /lib/modules",
		"interest-noawait /usr/lib/modules",
	}
	for _, name := range []string{"preinst", "postinst", "prerm", "postrm"} {
		text, err := script("deb/" + name)
		if err == nil && strings.Contains(text, "@HOOKS@") {
			text, err = withHooks(text)
		}
		if err != nil {
			return err
		}
		p.Scripts[name] = text
	}
	return nil
}
