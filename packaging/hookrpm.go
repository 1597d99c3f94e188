package main

import "github.com/dkms-hook/dkms-hook/pkgfmt"

// hookRPM is what only RPM knows of dkms-hook.
var hookRPM = dialect{
	section: "System/Kernel",
	relations: pkgfmt.Relations{
		// No Obsoletes: whoever has dkms keeps it until asking for us (dnf
		// swap), and can swap back.
		Provides:   []string{"dkms = " + dkmsLevel, "/sbin/dkms"},
		Conflicts:  []string{"dkms"},
		Depends:    hookRequires,
		Recommends: []string{"openssl", "(kernel-default-devel if kernel-default)"},
	},
	events: hookRPMEvents,
}

// hookRequires are what a build of a module needs besides a kernel's headers:
// what Makefiles call, and what kbuild compiles itself. The headers have to be
// those of the very kernels, which only kernel-devel-matched promises.
var hookRequires = []string{
	"bash", "binutils", "coreutils", "diffutils", "findutils", "gawk", "gcc", "grep", "kmod", "make", "patch", "sed",
	"(elfutils-libelf-devel or libelf-devel)",
	"(kernel-devel-matched if kernel-core)",
	"(kernel-debug-devel-matched if kernel-debug-core)",
}

func hookRPMEvents(p *pkgfmt.Package) error {
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
