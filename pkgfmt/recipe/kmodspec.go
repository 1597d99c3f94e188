package recipe

import (
	"strings"

	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/srcpkg"
	"github.com/dkms-hook/dkms-hook/templates"
)

// KmodSpec returns a spec file that compiles the modules for one kernel, in the
// manner of ELRepo's templates: kmod-NAME for all kernels with the same symbols
// on RHEL and its kin, kmod-NAME-RELEASE for just one kernel elsewhere. It
// needs no kmodtool. The error is a *dkms.Error: as that of DKMSSpec, or what is
// wrong with a dkms.conf that builds nothing.
func KmodSpec(d *source.Description) ([]byte, error) {
	k, err := newKmodSpec(d)
	if err != nil {
		return nil, err
	}
	return render("kmod.spec", k)
}

// A kmodSpec is what the template of that name is filled with. Common, of spec,
// is the package with the files for all kernels.
type kmodSpec struct {
	spec
	Name        string // without kmod-
	Summary     string
	License     string
	EVR         string // with macros
	Patches     []patch
	PreBuild    string
	Make        string
	PostBuild   string // for a comment: it is not run
	Modules     []kbuild.Module
	Needs       []string // packages of modules that it depends on
	Documents   []string // lines of %files
	Exact, Ksym []section
}

func newKmodSpec(d *source.Description) (*kmodSpec, error) {
	if err := plainWords(d); err != nil {
		return nil, err
	}
	p, err := srcpkg.Compose(d, pkgfmt.RPM)
	if err != nil {
		return nil, err
	}
	b, err := anyBuild(d)
	if err != nil {
		return nil, err
	}
	k := &kmodSpec{Name: strings.TrimSuffix(p.Name, "-dkms"), License: oneLine(p.License), EVR: evr(p.Version), Patches: b.patches,
		PreBuild: b.macros(b.PreBuild), Make: parallel(b.macros(b.Make)), PostBuild: oneLine(b.PostBuild), Modules: b.Modules}
	for _, n := range b.Depends {
		k.Needs = append(k.Needs, oneLine(n)+"-kmod")
	}
	p.Summary = summaryOf(d, k.Name)
	if len(d.Changes) == 0 || d.Changes[0].Version != p.Version {
		p.Changes[0].Lines = []string{"Modules of " + d.DKMS.Name + " " + d.DKMS.Version + "."}
	}
	k.Summary = oneLine(p.Summary)
	k.spec = spec{File: SpecName(d, KindKmod), pkg: p, Module: d.DKMS, Tags: identityTags(p, k.Name+"-kmod"), Changes: changelog(p.Changes, p.Maintainer),
		Description: paragraphs(strings.TrimSpace(d.Description + "\n\nThis package has kernel modules, compiled: " + moduleList(b.Modules) + "."))}
	k.Relations = relationTags(d.Relations[pkgfmt.RPM], nil)
	more, err := extras(d, p)
	if err != nil {
		return nil, err
	}
	k.addSources(more)
	k.documents(p)
	k.Documents, k.Files = licencesOnly(k.Files), nil
	k.installAll(more)
	if k.Exact, err = k.scripts(b, "rpm-exact", "-n kmod-%{kmod_name}-%{kernel_version}"); err != nil {
		return nil, err
	}
	k.Ksym, err = k.scripts(b, "rpm-ksym", "-n kmod-%{kmod_name}")
	return k, err
}

// scripts are those of packages of modules, templates/kmodpkg, with macros for
// the kernel.
func (k *kmodSpec) scripts(b *anyKernel, kind, of string) ([]section, error) {
	const release, dir = "%{kernel_version}", "/lib/modules/%{kernel_version}/extra/%{kmod_name}"
	var paths []string
	for _, m := range b.Modules {
		paths = append(paths, dir+"/"+m.Dest+".ko")
	}
	remake := "false"
	if b.RemakeInitrd {
		remake = "true"
	}
	fill := strings.NewReplacer("@RELEASE@", release, "@DIR@", dir, "@MODULES@", strings.Join(paths, "\n"), "@REMAKE@", remake)
	var all []section
	for _, name := range scriptNames {
		text, err := templates.KmodPackages.ReadFile("kmodpkg/" + kind + "-" + name)
		if err == nil {
			all = append(all, section{"%" + name + " " + of, fill.Replace(literal(string(text)))})
		}
	}
	return all, nil
}

func licencesOnly(lines []string) (all []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "%license ") {
			all = append(all, l)
		}
	}
	return all
}

func summaryOf(d *source.Description, name string) string {
	s := strings.TrimSuffix(strings.TrimSpace(d.Summary), ".")
	if s == "" {
		return "Kernel modules of " + name
	}
	if len(s) > 79 {
		s = strings.ToValidUTF8(s[:76], "") + "..."
	}
	return s
}

func moduleList(modules []kbuild.Module) string {
	names := make([]string, len(modules))
	for i, m := range modules {
		names[i] = m.Dest
	}
	return strings.Join(names, ", ")
}

// evr is a version with its release, which the distribution completes.
func evr(v pkgfmt.Version) string {
	if v.Epoch > 0 {
		return "%{epoch}:%{version}-%{release}"
	}
	return "%{version}-%{release}"
}
