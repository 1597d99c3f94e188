package main

import (
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// asRPM says of the package what only RPM knows.
func (r release) asRPM(p *pkgfmt.Package) error {
	p.Arch = "x86_64"
	p.Version.Revision = "1"
	p.Section = "System/Kernel"
	p.Summary = strings.ToUpper(summary[:1]) + summary[1:]
	p.Relations = pkgfmt.Relations{
		// No Obsoletes: whoever has dkms keeps it until asking for us (dnf
		// swap), and can swap back.
		Provides:   []string{"dkms = " + dkmsLevel, "/sbin/dkms"},
		Conflicts:  []string{"dkms"},
		Depends:    requires,
		Recommends: []string{"openssl", "(kernel-default-devel if kernel-default)"},
	}
	for _, name := range []string{"post", "preun", "postun", "posttrans"} {
		text, err := script("rpm/" + name)
		if err != nil {
			return err
		}
		p.Scripts[name] = text
	}
	trigger, err := script("rpm/transfiletrigger")
	prefixes := []string{"/usr/src", "/lib/modules", "/usr/lib/modules"}
	p.FileTriggers = []pkgfmt.FileTrigger{
		{On: pkgfmt.OnInstall, Prefixes: prefixes, Script: trigger},
		// A removed kernel calls nobody when its files are gone.
		{On: pkgfmt.AfterRemoval, Prefixes: prefixes, Script: trigger},
	}
	return err
}

// requires are what a build of a module needs besides a kernel's headers: what
// Makefiles call, and what kbuild compiles itself. The headers have to be those
// of the very kernels, which only kernel-devel-matched promises.
var requires = []string{
	"bash", "binutils", "coreutils", "diffutils", "findutils", "gawk", "gcc", "grep", "kmod", "make", "patch", "sed",
	"(elfutils-libelf-devel or libelf-devel)",
	"(kernel-devel-matched if kernel-core)",
	"(kernel-debug-devel-matched if kernel-debug-core)",
}
