package srcpkg

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// files are all that p brings: the tree in /usr/src, what is said of it, and
// the source's further ones.
func files(d *source.Description, p pkgfmt.Package) ([]pkgfmt.File, error) {
	dir := "/usr/src/" + d.DKMS.Name + "-" + d.DKMS.Version
	all := []pkgfmt.File{{Path: dir, Kind: pkgfmt.Directory, Mode: 0o755}}
	for _, f := range d.Files {
		f.Path = path.Join(dir, f.Path)
		all = append(all, f)
	}
	legal, err := legalFiles(d, p)
	if err != nil {
		return nil, err
	}
	all = slices.Concat(all, docs(d, p), legal)
	for _, f := range d.ExtraFor(p.Format) {
		if f.Kind == pkgfmt.Regular && strings.HasPrefix(f.Path, "/etc/") {
			f.Kind = pkgfmt.Config // it is the administrator's from then on
		}
		all = append(all, f)
	}
	for i := range all {
		all[i].Mode = usualMode(all[i])
	}
	slices.SortFunc(all, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	for i := range all[1:] {
		if all[i].Path == all[i+1].Path {
			return nil, refuse(all[i].Path, "is in the package twice")
		}
	}
	return all, nil
}

// usualMode says of f's mode only whether it is a program: what else it says
// depends on who has checked the source out.
func usualMode(f pkgfmt.File) fs.FileMode {
	switch {
	case f.Kind == pkgfmt.Link:
		return 0o777
	case f.Kind == pkgfmt.Directory, f.Mode&0o111 != 0:
		return 0o755
	}
	return 0o644
}

// readable is what people look for in the documentation of a package.
var readable = regexp.MustCompile(`(?i)^(readme|news|authors|contributors|todo|changelog|changes|history)([._-][^/]*)?$`)

// docs are the texts for people at the top of the tree.
func docs(d *source.Description, p pkgfmt.Package) []pkgfmt.File {
	var out []pkgfmt.File
	for _, f := range d.Files {
		if f.Kind != pkgfmt.Regular || !readable.MatchString(f.Path) || slices.Contains(d.Licences, f.Path) {
			continue
		}
		f.Kind, f.Mode, f.Path = pkgfmt.Doc, 0o644, docDir(p)+f.Path
		out = append(out, f)
	}
	return out
}

func docDir(p pkgfmt.Package) string { return "/usr/share/doc/" + p.Name + "/" }

// legalFiles say under which terms the source may be had: for RPM the texts
// themselves, for Debian one file that tells of them.
func legalFiles(d *source.Description, p pkgfmt.Package) ([]pkgfmt.File, error) {
	if p.Format == pkgfmt.Deb {
		text, err := copyright(d)
		return []pkgfmt.File{{Path: docDir(p) + "copyright", Kind: pkgfmt.Doc, Mode: 0o644, Data: text}}, err
	}
	var out []pkgfmt.File
	for _, f := range d.Files {
		if f.Kind == pkgfmt.Regular && slices.Contains(d.Licences, f.Path) {
			f.Kind, f.Mode = pkgfmt.Licence, 0o644
			f.Path = "/usr/share/licenses/" + p.Name + "/" + f.Path
			out = append(out, f)
		}
	}
	return out, nil
}
