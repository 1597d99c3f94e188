package kmod

import (
	"path"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// deb makes the Debian packages: NAME-modules-RELEASE for each kernel and
// NAME-modules for the newest. The ABI does not matter: each is for one kernel,
// whose package keeps its name for as long as its symbols stay the same.
func (c composer) deb(built []Built) ([]pkgfmt.Package, error) {
	var packages, debugs, rest []pkgfmt.Package
	for _, b := range built {
		p, err := c.debModules(b)
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
		if c.o.Debug {
			for _, dbg := range c.debug(p, p.Name+"-dbgsym", b, path.Join("updates", c.name), ".ko") {
				dbg.Section = "debug"
				dbg.Relations.Depends = []string{p.Name + " (= " + p.Version.String() + ")"}
				debugs = append(debugs, dbg)
			}
		}
	}
	if len(c.extra()) > 0 {
		p := c.common(c.name + "-modules-common")
		p.Arch, p.Fields["Multi-Arch"] = "all", "foreign"
		rest = append(rest, p)
	}
	for _, l := range c.metas(built) {
		p, err := c.debMeta(packages, l)
		if err != nil {
			return nil, err
		}
		rest = append(rest, p)
	}
	return append(append(packages, debugs...), rest...), nil
}

// debDir is where a Debian package's modules lie: in updates/, which depmod
// prefers to the kernel's own, and not where the modules that are built on the
// machine lie.
func (c composer) debDir(b Built) string {
	return path.Join(b.Native.Prefix, b.Kernel.Release, "updates", c.name)
}

func (c composer) debName(b Built) (string, error) {
	return pkgfmt.DebName(c.name + "-modules-" + b.Kernel.Release)
}

func (c composer) debModules(b Built) (pkgfmt.Package, error) {
	name, err := c.debName(b)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	dir := c.debDir(b)
	p := c.modules(name, b, dir)
	if p.Arch, err = debArch(b.Kernel.Arch); err != nil {
		return pkgfmt.Package{}, err
	}
	if p.Scripts, err = scripts("deb", dir, b, "postinst", "postrm"); err != nil {
		return pkgfmt.Package{}, err
	}
	sortFiles(&p)
	return p, c.debRelations(&p, b)
}

func (c composer) debRelations(p *pkgfmt.Package, b Built) error {
	r := &p.Relations
	kernel := "linux-image-" + b.Kernel.Release
	if !b.Modversions {
		version := or(c.o.ImageVersion, b.Native.Version)
		if version == "" {
			return &dkms.Error{Kind: dkms.Usage, Object: "kernel " + b.Kernel.Release,
				Problem: "is built without CONFIG_MODVERSIONS, so its modules are for one revision of " + kernel + " only, and which that is cannot be told",
				Hint:    "install linux-headers-" + b.Kernel.Release + ", or name it with --image-version"}
		}
		kernel += " (= " + version + ")"
		p.Version = rebuilt(p.Version, version)
		p.Changes = c.changes(p.Version)
	}
	r.Depends = append(r.Depends, kernel, "kmod")
	for _, name := range b.Recipe.Depends {
		needed, err := pkgfmt.DebName(name + "-modules-" + b.Kernel.Release)
		if err != nil {
			return err
		}
		r.Depends = append(r.Depends, needed)
	}
	if len(c.extra()) > 0 {
		r.Depends = append(r.Depends, c.name+"-modules-common (= "+c.about.Version.String()+")")
	}
	r.Provides = append(r.Provides, c.name+"-modules (= "+p.Version.String()+")")
	r.Conflicts = append(r.Conflicts, c.about.Name)
	return nil
}

// rebuilt is the version of a package that has to be built anew for each
// revision of its kernel: it tells which, and grows with it.
func rebuilt(v pkgfmt.Version, kernel string) pkgfmt.Version {
	if _, after, ok := strings.Cut(kernel, ":"); ok {
		kernel = after
	}
	suffix := "+" + strings.ReplaceAll(kernel, "-", ".")
	if v.Revision == "" {
		v.Upstream += suffix
	} else {
		v.Revision += suffix
	}
	return v
}

// debMeta is a package without modules that follows the newest kernel.
func (c composer) debMeta(packages []pkgfmt.Package, l lead) (pkgfmt.Package, error) {
	name, err := pkgfmt.DebName(c.name + "-modules" + l.suffix)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	of, err := c.debName(l.built)
	p := c.meta(name)
	for _, made := range packages {
		if made.Name == of {
			p.Arch, p.Version, p.Changes = made.Arch, made.Version, made.Changes
		}
	}
	p.Relations.Depends = []string{of + " (= " + p.Version.String() + ")"}
	return p, err
}

// debArches are Debian's words for uname -m.
var debArches = map[string]string{
	"x86_64": "amd64", "i386": "i386", "i486": "i386", "i586": "i386", "i686": "i386", "aarch64": "arm64", "armv7l": "armhf", "armv6l": "armel",
	"ppc64le": "ppc64el", "ppc64": "ppc64", "riscv64": "riscv64", "s390x": "s390x", "loongarch64": "loong64",
}

func debArch(machine string) (string, error) {
	if arch, ok := debArches[machine]; ok {
		return arch, nil
	}
	return "", &dkms.Error{Kind: dkms.Usage, Object: machine, Problem: "is an architecture that Debian has no name for that is known here"}
}
