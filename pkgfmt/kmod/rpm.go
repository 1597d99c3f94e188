package kmod

import (
	"fmt"
	"path"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// The programs that scriptlets call, as RPMs that need them name them.
const (
	depmod      = "/usr/sbin/depmod"
	weakModules = "/usr/sbin/weak-modules"
)

// rpm makes the RPMs. Those with ABI Exact are called as RPM Fusion's are,
// kmod-NAME-RELEASE, and one with Ksym as Red Hat's driver updates, kmod-NAME.
// The metapackage of the former is kmod-NAME at RPM Fusion, too; here it is
// kmod-NAME-latest, so that both kinds can lie in one directory and in one
// repository, and none is taken for an upgrade of the other.
func (c composer) rpm(built []Built) ([]pkgfmt.Package, error) {
	var packages, debugs, rest []pkgfmt.Package
	for _, b := range built {
		p, err := c.rpmModules(b)
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
		if c.o.Debug {
			debugs = append(debugs, c.debug(p, p.Name+"-debuginfo", b, path.Join("extra", c.name), ".ko.debug")...)
		}
	}
	if len(c.extra()) > 0 {
		p := c.common(c.name + rpmCommon)
		p.Arch = "noarch"
		rest = append(rest, p)
	}
	if c.o.abi() == Exact {
		for _, l := range c.metas(built) {
			p, err := c.rpmMeta(l)
			if err != nil {
				return nil, err
			}
			rest = append(rest, p)
		}
	}
	return append(append(packages, debugs...), rest...), nil
}

// rpmDir is where an RPM's modules lie, which is where distributions with RPM
// look for those that are not the kernel's own.
func rpmDir(name string, b Built) string {
	return path.Join(plainPrefix, b.Kernel.Release, "extra", name)
}

// rpmCommon ends the name of the package with the files for all kernels.
const rpmCommon = "-kmod-common"

func (c composer) rpmModules(b Built) (pkgfmt.Package, error) {
	ksym := c.o.abi() == Ksym
	name := "kmod-" + c.name
	if !ksym {
		name += "-" + b.Kernel.Release
	}
	name, err := pkgfmt.RPMName(name)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	dir := rpmDir(c.name, b)
	p := c.modules(name, b, dir)
	p.Arch = rpmArch(b.Kernel.Arch)
	kind, names := "rpm-exact", []string{"post", "postun"}
	if ksym {
		kind, names = "rpm-ksym", []string{"post", "posttrans", "preun", "postun"}
		// Its kernel need not be there, so nobody else may have the directory.
		p.Files = append(p.Files, directory(path.Join(plainPrefix, b.Kernel.Release)))
	}
	if p.Scripts, err = scripts(kind, dir, b, names...); err != nil {
		return pkgfmt.Package{}, err
	}
	p.Files = append(p.Files, directory(path.Dir(dir)), directory(dir), pkgfmt.File{
		Path: "/etc/depmod.d/" + name + ".conf", Kind: pkgfmt.Config, Mode: 0o644, Data: []byte(overrides(b, "extra/"+c.name, "weak-updates/"+c.name, ksym)),
	})
	sortFiles(&p)
	return p, c.rpmRelations(&p, b)
}

func directory(path string) pkgfmt.File {
	return pkgfmt.File{Path: path, Kind: pkgfmt.Directory, Mode: 0o755}
}

// rpmRelations are the conventions for packages of modules, and what the
// modules say themselves.
func (c composer) rpmRelations(p *pkgfmt.Package, b Built) error {
	r, evr := &p.Relations, p.Version.String()
	var facts []Facts
	for _, m := range b.Modules {
		f := m.Facts
		f.Path = path.Join(rpmDir(c.name, b), m.File)
		facts = append(facts, f)
	}
	g := Generate(facts, b.Symvers)
	r.Provides = append(r.Provides, c.name+"-kmod = "+evr)
	r.ForScripts = append(r.ForScripts, depmod)
	if c.o.abi() == Ksym {
		c.forSymbols(p, b, g.Requires)
	} else {
		c.forKernel(p, b, g.Requires)
	}
	r.Provides = append(r.Provides, g.Provides...)
	needed, err := rpmNeeded(b)
	if err != nil {
		return err
	}
	r.Depends = append(r.Depends, needed...)
	if len(c.extra()) > 0 {
		r.Depends = append(r.Depends, c.name+rpmCommon+" = "+evr)
	}
	r.Conflicts = append(r.Conflicts, c.about.Name)
	return nil
}

// forSymbols has p, whose ABI is Ksym, go with all kernels that have the
// symbols.
func (c composer) forSymbols(p *pkgfmt.Package, b Built, symbols []string) {
	r, release := &p.Relations, b.Kernel.Release
	r.ForScripts = append(r.ForScripts, weakModules)
	r.Provides = append(r.Provides, "kernel-modules >= "+release)
	r.Depends = append(r.Depends, kernelsFrom(release, p.Arch)...)
	r.Depends = append(r.Depends, symbols...)
	// Both would bring a module of the same name for one kernel.
	r.Conflicts = append(r.Conflicts, "kmod-"+c.name+"-uname-r")
}

// forKernel has p, whose ABI is Exact, go with the one kernel.
func (c composer) forKernel(p *pkgfmt.Package, b Built, symbols []string) {
	r, release := &p.Relations, b.Kernel.Release
	r.Provides = append(r.Provides, "kernel-modules-for-kernel = "+release, "kmod-"+c.name+"-uname-r = "+release)
	r.Depends = append(r.Depends, "kernel-uname-r = "+release)
	for _, relation := range symbols { // the kernel's own are those of its release
		if strings.HasPrefix(relation, "ksym(") {
			r.Depends = append(r.Depends, relation)
		}
	}
}

// rpmNeeded are the packages of modules of BUILD_DEPENDS.
func rpmNeeded(b Built) ([]string, error) {
	var out []string
	for _, name := range b.Recipe.Depends {
		needed, err := pkgfmt.RPMName(name)
		if err != nil {
			return nil, err
		}
		if b.Modversions { // the symbols tell which, and both ABIs provide this
			out = append(out, needed+"-kmod")
		} else {
			out = append(out, "kmod-"+needed+"-uname-r = "+b.Kernel.Release)
		}
	}
	return out, nil
}

// kernelsFrom are the kernels with the same symbols that a package is for: not
// older than the one that it was built for. RELEASE is VERSION-RELEASE.ARCH of
// the kernel's package where that is an RPM, with +VARIANT for other than the
// usual kernel.
func kernelsFrom(release, arch string) []string {
	evr, variant, ok := strings.Cut(release, "."+arch)
	switch {
	case !ok || strings.Count(evr, "-") != 1:
		return []string{"kernel-uname-r >= " + release}
	case variant != "":
		return []string{"kernel-uname-r >= " + evr}
	}
	return []string{"kernel >= " + evr, "kernel-core-uname-r >= " + evr}
}

// rpmMeta is a package without files that follows the newest kernel. Who asks
// for kmod-NAME gets it, where no package is called that.
func (c composer) rpmMeta(l lead) (pkgfmt.Package, error) {
	name, err := pkgfmt.RPMName("kmod-" + c.name + "-latest" + l.suffix)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	of, err := pkgfmt.RPMName("kmod-" + c.name + "-" + l.built.Kernel.Release)
	p := c.meta(name)
	p.Arch = rpmArch(l.built.Kernel.Arch)
	p.Relations.Depends = []string{of + " = " + p.Version.String()}
	p.Relations.Provides = []string{"kmod-" + c.name + l.suffix + " = " + p.Version.String()}
	return p, err
}

// overrides is a depmod.d(5) file by which the modules win over the kernel's
// own, whatever the distribution's order of directories is.
func overrides(b Built, extra, weak string, ksym bool) string {
	var text strings.Builder
	text.WriteString("# these modules instead of the kernel's own, see depmod.d(5)\n")
	for _, m := range b.Modules {
		fmt.Fprintf(&text, "override %s %s %s\n", m.Dest, b.Kernel.Release, extra)
	}
	if ksym {
		for _, m := range b.Modules {
			fmt.Fprintf(&text, "override %s * %s\n", m.Dest, weak)
		}
	}
	return text.String()
}

// rpmArch is RPM's word for uname -m.
func rpmArch(machine string) string {
	if machine == "armv7l" {
		return "armv7hl"
	}
	return machine
}
