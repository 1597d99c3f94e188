package kmod

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// An ABI says which kernels a package of modules is for.
type ABI string

// The ABIs. Exact is for one kernel, by its release. Ksym is for all kernels
// that offer the symbols which the modules were built against, told by their
// checksums (CONFIG_MODVERSIONS); weak-modules links the modules to them.
const (
	Exact ABI = "exact"
	Ksym  ABI = "ksym"
)

// ParseABI returns the ABI of that name; an empty one is Exact. The error is
// of Kind Usage.
func ParseABI(s string) (ABI, error) {
	switch a := ABI(s); a {
	case "":
		return Exact, nil
	case Exact, Ksym:
		return a, nil
	}
	return "", &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("%q", s), Problem: "is no ABI of modules", Hint: "they are exact (one kernel) and ksym (kernels with the same symbols)"}
}

// Options say what is built, and how it is packaged.
type Options struct {
	// Kernels are releases (uname -r), at least one.
	Kernels []string
	// Arch is the kernels' architecture, as uname -m; empty: this machine's.
	Arch string
	// ABI is Exact unless set.
	ABI ABI
	// InstallTree has the kernels' module directories; empty: /lib/modules.
	InstallTree string
	// Headers is where the headers are, for one kernel whose module directory
	// has no link to them; empty: INSTALLTREE/RELEASE/build.
	Headers string
	// Scratch is an empty private directory. All that is built stays there:
	// the caller removes it after the packages have been written.
	Scratch string
	// Key signs the modules; without one they stay unsigned.
	Key ko.KeyPair
	// SignFile is a program that signs; empty: the kernel's own, else none.
	SignFile string
	// Debug asks for packages with the modules as they were before debug
	// information was removed from them.
	Debug bool
	// NoMeta leaves out the packages that follow the newest kernel: NAME-modules,
	// kmod-NAME-latest. Of kernels of more than one flavour, the first named is theirs;
	// the others have packages with the flavour in the name.
	NoMeta bool
	// Jobs is how many compilers run at a time; 0: one for each processor.
	Jobs int
	// Depends tell of each package that BUILD_DEPENDS names where the
	// Module.symvers of its build is: the file, a directory that has it, or
	// NAME/VER of a DKMS tree, which has one for each kernel.
	Depends []kbuild.Depend
	// DpkgDir is dpkg's database, which tells how the kernel's own package
	// spells its paths, and its revision; empty: /var/lib/dpkg.
	DpkgDir string
	// ImageVersion is the version of linux-image-RELEASE that the modules are
	// for. It counts for kernels without CONFIG_MODVERSIONS, in Debian packages;
	// empty: that of the headers, as dpkg knows it.
	ImageVersion string
	// Ready, if given, is asked before anything is compiled, and ends Build by
	// an error. It is given what Build will return, but for what is read from
	// the modules: of these there are the names only.
	Ready func([]Built) error
	// Progress is told of each line that a build prints; nil is allowed.
	Progress func(line string)
}

// Check reports what is wrong with o for these formats, before anything is
// built. The errors are of Kind Usage.
func (o Options) Check(formats ...pkgfmt.Format) error {
	wrong := func(object, problem, hint string) error {
		return &dkms.Error{Kind: dkms.Usage, Object: object, Problem: problem, Hint: hint}
	}
	if len(o.Kernels) == 0 {
		return wrong("--kernel", "is missing", "name the kernels that the modules are for, as uname -r does")
	}
	seen := map[string]bool{}
	for _, k := range o.Kernels {
		if err := dkms.CheckWord("kernel release", k); err != nil {
			return wrong("--kernel "+k, "is no release of a kernel", "it is what uname -r prints there")
		}
		if seen[k] {
			return wrong("--kernel "+k, "is named twice", "")
		}
		seen[k] = true
	}
	named := map[string]bool{}
	for _, d := range o.Depends {
		if named[d.Name] {
			return wrong("--symvers "+d.Name, "is given twice", "")
		}
		named[d.Name] = true
	}
	if len(o.Kernels) > 1 && o.Headers != "" {
		return wrong("--kernelsourcedir", "is for one kernel, and "+fmt.Sprint(len(o.Kernels))+" are named", "make their packages one by one")
	}
	for _, f := range formats {
		switch {
		case f == pkgfmt.SourceRPM:
			return wrong("--format src.rpm", "holds no compiled modules", "the formats are deb and rpm")
		case f == pkgfmt.RPM && o.abi() == Ksym && len(o.Kernels) > 1:
			return wrong("--abi ksym", "makes one rpm for all kernels with the same symbols, so it is built for one of them",
				"name the oldest kernel that it is for, or use --abi exact")
		}
	}
	return nil
}

func (o Options) abi() ABI {
	if o.ABI == "" {
		return Exact
	}
	return o.ABI
}
