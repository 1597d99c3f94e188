package srcpkg

import (
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// suffix is what names of packages of module sources end in.
const suffix = "-dkms"

// Compose returns the package of the source in the format, which is Deb or RPM.
// An error is of Kind Usage when the source cannot be one: its name or version
// is nothing that the format allows, a script is none of the format's, or a
// path is there twice. It is of Kind Incomplete when what the dkms.conf is
// registered under cannot stand in a path.
func Compose(d *source.Description, f pkgfmt.Format) (pkgfmt.Package, error) {
	if f != pkgfmt.Deb && f != pkgfmt.RPM {
		return pkgfmt.Package{}, refuse(string(f), "is no format of packages of module sources")
	}
	if err := dkms.CheckWord("module name", d.DKMS.Name); err != nil {
		return pkgfmt.Package{}, err
	}
	if err := dkms.CheckWord("module version", d.DKMS.Version); err != nil {
		return pkgfmt.Package{}, err
	}
	base, version, err := identity(d, f)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	p := pkgfmt.Package{
		Format: f, Name: base + suffix, Version: version, Summary: summary(d), Description: description(d),
		License: d.License, Homepage: d.Homepage, Maintainer: d.Maintainer, Time: d.Time,
		Relations: relations(d, f, base, version), Changes: changes(d, f, version),
	}
	if f == pkgfmt.Deb {
		p.Arch, p.Section = "all", or(d.Section, "kernel")
		p.Fields = map[string]string{"Multi-Arch": "foreign", "Priority": "optional"}
	} else {
		p.Arch, p.Section, p.Vendor = "noarch", "System/Kernel", d.Vendor
		p.License, p.Summary = or(d.License, unknownLicence), capital(p.Summary, d.DKMS.Name)
	}
	if p.Scripts, err = scripts(d, f); err != nil {
		return pkgfmt.Package{}, err
	}
	if p.Files, err = files(d, p); err != nil {
		return pkgfmt.Package{}, err
	}
	return p, nil
}

// identity returns the package's name without -dkms, and its version.
func identity(d *source.Description, f pkgfmt.Format) (string, pkgfmt.Version, error) {
	mapped := pkgfmt.RPMName
	if f == pkgfmt.Deb {
		mapped = pkgfmt.DebName
	}
	name, err := mapped(d.Name)
	if err != nil {
		return "", pkgfmt.Version{}, err
	}
	if short := strings.TrimSuffix(name, suffix); short != "" {
		name = short
	}
	v, err := pkgfmt.MapVersion(f, d.UpstreamVersion)
	if err != nil {
		return "", v, err
	}
	if d.Epoch > 0 {
		v.Epoch = d.Epoch
	}
	v.Revision = d.Release
	if f == pkgfmt.RPM {
		v.Revision = or(d.Release, "1")
	}
	return name, v, nil
}

func refuse(object, problem string) error {
	return &dkms.Error{Kind: dkms.Usage, Object: object, Problem: problem}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
