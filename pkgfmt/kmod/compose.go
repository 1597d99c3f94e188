package kmod

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/srcpkg"
)

// Compose makes the packages of one format from what Build built: those with
// modules, in the order of the kernels, then those with what was taken from
// them for debuggers, then what they have in common, and last those that follow
// the newest kernel. The errors are of Kind Usage.
func Compose(d *source.Description, built []Built, f pkgfmt.Format, o Options) ([]pkgfmt.Package, error) {
	if err := o.Check(f); err != nil {
		return nil, err
	}
	c := composer{d: d, o: o}
	var err error
	if c.about, err = srcpkg.Compose(d, f); err != nil {
		return nil, err
	}
	c.name = strings.TrimSuffix(c.about.Name, "-dkms")
	var out []pkgfmt.Package
	switch f {
	case pkgfmt.Deb:
		out, err = c.deb(built)
	default:
		out, err = c.rpm(built)
	}
	if err == nil {
		err = distinct(out)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// composer makes packages of one format.
type composer struct {
	d *source.Description
	o Options
	// about is the package of the source. Packages of its modules have the
	// same version, and say the same of licence, maintainer and so on.
	about pkgfmt.Package
	name  string // as the format allows it
}

// base is what all packages of d have.
func (c composer) base(name, summary, description string) pkgfmt.Package {
	p := c.about
	if p.Format == pkgfmt.RPM { // as rpmlint wants it, and lintian does not
		summary = strings.ToUpper(summary[:1]) + summary[1:]
	}
	p.Name, p.Summary, p.Description = name, summary, strings.TrimSpace(c.d.Description+"\n\n"+description)
	p.Relations, p.Scripts, p.Triggers, p.FileTriggers = pkgfmt.Relations{}, nil, nil, nil
	p.Files = c.legal(name)
	p.Fields = nil
	if priority := c.about.Fields["Priority"]; priority != "" {
		p.Fields = map[string]string{"Priority": priority}
	}
	p.Changes = c.changes(p.Version)
	return p
}

// changes are the source's, with one of this very version before them if there
// is none.
func (c composer) changes(v pkgfmt.Version) []pkgfmt.Change {
	if len(c.d.Changes) > 0 && c.d.Changes[0].Version == v {
		return c.d.Changes
	}
	line := fmt.Sprintf("Modules of %s %s.", c.d.DKMS.Name, c.d.DKMS.Version)
	return append([]pkgfmt.Change{{Version: v, Time: c.d.Time, Author: c.d.Maintainer, Lines: []string{line}}}, c.d.Changes...)
}

// legal are the files that say under which terms the package may be had, as
// the package of the source has them.
func (c composer) legal(name string) []pkgfmt.File {
	var out []pkgfmt.File
	for _, f := range c.about.Files {
		for _, dir := range []string{"/usr/share/licenses/", "/usr/share/doc/"} {
			rest, ok := strings.CutPrefix(f.Path, dir+c.about.Name+"/")
			if ok && (f.Kind == pkgfmt.Licence || rest == "copyright") {
				f.Path = dir + name + "/" + rest
				out = append(out, f)
			}
		}
	}
	return out
}

// extra are the files that a source brings besides its tree, as the package of
// the source has them.
func (c composer) extra() []pkgfmt.File {
	wanted := c.d.ExtraFor(c.about.Format)
	return slices.DeleteFunc(slices.Clone(c.about.Files), func(f pkgfmt.File) bool {
		return !slices.ContainsFunc(wanted, func(e pkgfmt.File) bool { return e.Path == f.Path })
	})
}

// modules is a package with the modules for one kernel, below dir.
func (c composer) modules(name string, b Built, dir string) pkgfmt.Package {
	names := make([]string, 0, len(b.Modules))
	for _, m := range b.Modules {
		names = append(names, m.Dest)
	}
	p := c.base(name, c.summary("for Linux "+b.Kernel.Release),
		fmt.Sprintf("This package has the kernel %s %s, compiled for Linux %s.", plural("module", len(names)), list(names), b.Kernel.Release))
	for _, m := range b.Modules {
		p.Files = append(p.Files, pkgfmt.File{Path: path.Join(dir, m.File), Kind: pkgfmt.Regular, Mode: 0o644, Source: m.Path, Size: m.Size})
	}
	p.Relations = clone(c.d.Relations[p.Format])
	return p
}

// debug is the package for debuggers of one with modules in dir, below the
// kernel's; there is none when no module has debug information.
func (c composer) debug(of pkgfmt.Package, name string, b Built, dir, suffix string) []pkgfmt.Package {
	p := c.base(name, "debug symbols of "+of.Name, "This package has the modules as they were before their debug information was removed. crash and gdb look for them here.")
	p.Version, p.Arch, p.Changes = of.Version, of.Arch, of.Changes
	any := false
	for _, m := range b.Modules {
		if m.Debug != "" {
			any = true
			p.Files = append(p.Files, pkgfmt.File{Path: path.Join("/usr/lib/debug", plainPrefix, b.Kernel.Release, dir, m.Dest+suffix), Mode: 0o644, Source: m.Debug, Size: m.DebugSize})
		}
	}
	if !any {
		return nil
	}
	sortFiles(&p)
	return []pkgfmt.Package{p}
}

// common is the package with the files that are there once for all kernels.
func (c composer) common(name string) pkgfmt.Package {
	p := c.base(name, "files for the modules of "+c.name, "This package has what the modules for all kernels have in common.")
	p.Files = append(p.Files, c.extra()...)
	sortFiles(&p)
	return p
}

// meta is a package that has nothing in it but what it depends on.
func (c composer) meta(name string) pkgfmt.Package {
	return c.base(name, c.summary("for the newest kernel"), "This is a metapackage, which is empty and depends on the modules for the newest kernel that there are modules for.")
}

// metas are the kernels that such packages follow.
func (c composer) metas(built []Built) []lead {
	if c.o.NoMeta {
		return nil
	}
	return leads(built)
}

// summary is one line that lintian and rpmlint do not complain about, unless
// the names are long.
func (c composer) summary(of string) string { return "modules of " + c.name + " " + of }

func sortFiles(p *pkgfmt.Package) {
	slices.SortFunc(p.Files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
}

// clone is a copy of r whose lists can be added to.
func clone(r pkgfmt.Relations) pkgfmt.Relations {
	for _, list := range []*[]string{
		&r.Depends, &r.Recommends, &r.Suggests, &r.Conflicts, &r.Breaks, &r.Replaces, &r.Provides, &r.Enhances, &r.Supplements, &r.ForScripts,
	} {
		*list = slices.Clone(*list)
	}
	return r
}

// distinct reports two packages of one name, as those for two kernels are
// whose releases the format does not tell apart.
func distinct(all []pkgfmt.Package) error {
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.Name] {
			return &dkms.Error{Kind: dkms.Usage, Object: p.Name, Problem: "would be the name of two packages", Hint: "make the packages of these kernels one by one"}
		}
		seen[p.Name] = true
	}
	return nil
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// list is "a", "a and b", "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
