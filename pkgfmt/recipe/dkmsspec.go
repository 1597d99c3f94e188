package recipe

import (
	"fmt"
	"path"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/srcpkg"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// The kinds of spec files.
const (
	KindDKMS = "dkms" // makes a package of the source
	KindKmod = "kmod" // makes packages of built modules
)

// SpecName is the file name of a spec of that kind, dkms or kmod.
func SpecName(d *source.Description, kind string) string {
	name, err := pkgfmt.RPMName(strings.TrimSuffix(d.Name, "-dkms"))
	if err != nil || name == "" {
		name = "module"
	}
	return name + "-" + kind + ".spec"
}

// DKMSSpec returns a spec file that rpmbuild makes the same package of as
// srcpkg does: the same relations, scripts and files. It wants the source as
// NAME-VERSION.tar.gz, as SourceRPM packs it. The error is a *dkms.Error: no
// package can have that name, version or file.
func DKMSSpec(d *source.Description) ([]byte, error) {
	s, err := dkmsSpec(d)
	if err != nil {
		return nil, err
	}
	return render("dkms.spec", s)
}

// A spec is what the templates of spec files are filled with.
type spec struct {
	File        string // its name
	Tags        []tag
	Sources     []tag
	Relations   []tag
	Description string
	Module      dkms.Package
	Install     []string
	Files       []string
	Scripts     []section
	Changes     string

	pkg    pkgfmt.Package
	beside []extra
}

func dkmsSpec(d *source.Description) (*spec, error) {
	if err := plainWords(d); err != nil {
		return nil, err
	}
	p, err := srcpkg.Compose(d, pkgfmt.RPM)
	if err != nil {
		return nil, err
	}
	more, err := extras(d, p)
	if err != nil {
		return nil, err
	}
	s := &spec{
		File: SpecName(d, KindDKMS), pkg: p, Module: d.DKMS, Description: paragraphs(p.Description),
		Relations: relationTags(p.Relations, p.Scripts), Scripts: scriptSections(p.Scripts, d.DKMS.Version), Changes: changelog(p.Changes, p.Maintainer),
	}
	s.Tags = identityTags(p, p.Name)
	s.addSources(more)
	s.ownVersion(p)
	const to = "%{_usrsrc}/" + tree
	s.Install = append(s.Install, "mkdir -p %{buildroot}"+to, "cp -a . %{buildroot}"+to+"/", "chmod -R u+rwX,go+rX,go-w %{buildroot}"+to)
	s.documents(p)
	s.Files = append(s.Files, to)
	s.installAll(more)
	return s, nil
}

// tree is the directory in the tarball and in /usr/src, in the words of a spec
// file.
const tree = "%{dkms_name}-%{dkms_version}"

// ownVersion has what the package provides follow its version.
func (s *spec) ownVersion(p pkgfmt.Package) {
	v := p.Version
	v.Revision = ""
	for i, t := range s.Relations {
		if name, ok := strings.CutSuffix(t.Value, " = "+oneLine(v.String())); ok && t.Name == "Provides" && strings.HasSuffix(name, "-kmod") {
			s.Relations[i].Value = name + " = %{?epoch:%{epoch}:}%{version}"
		}
	}
}

// identityTags are the first lines of a spec file.
func identityTags(p pkgfmt.Package, name string) (tags []tag) {
	add := func(name, value string) {
		if value != "" {
			tags = append(tags, tag{name, oneLine(value)})
		}
	}
	add("Name", name)
	if p.Version.Epoch > 0 {
		add("Epoch", fmt.Sprint(p.Version.Epoch))
	}
	add("Version", p.Version.Upstream)
	tags = append(tags, tag{"Release", oneLine(p.Version.Revision) + "%{?dist}"})
	add("Summary", p.Summary)
	add("License", p.License)
	add("Group", p.Section)
	add("URL", p.Homepage)
	add("Vendor", p.Vendor)
	if p.Maintainer != "" { // build services have their own
		tags = append(tags, tag{"%{!?packager:Packager", oneLine(p.Maintainer) + "}"})
	}
	return tags
}

// addSources numbers the tarball and what lies beside it.
func (s *spec) addSources(more []extra) {
	s.Sources = append(s.Sources, tag{"Source0", tree + ".tar.gz"})
	for _, e := range more {
		if e.Beside != "" {
			s.beside = append(s.beside, e)
			s.Sources = append(s.Sources, tag{fmt.Sprintf("Source%d", len(s.beside)), literal(e.Beside)})
		}
	}
}

// documents are the texts for people and those of licences, which rpmbuild puts
// where they belong.
func (s *spec) documents(p pkgfmt.Package) {
	for _, f := range p.Files {
		for kind, word := range map[pkgfmt.FileKind]string{pkgfmt.Doc: "%doc", pkgfmt.Licence: "%license"} {
			if f.Kind != kind {
				continue
			}
			for _, prefix := range []string{"/usr/share/doc/" + p.Name + "/", "/usr/share/licenses/" + p.Name + "/"} {
				if name, ok := strings.CutPrefix(f.Path, prefix); ok {
					s.Files = append(s.Files, word+" "+filePattern(name))
				}
			}
		}
	}
}

// installAll adds the extra files, and the directories above them that are the
// package's own.
func (s *spec) installAll(more []extra) {
	seen := map[string]bool{}
	for _, e := range more {
		seen[e.Path] = true
	}
	for _, e := range more {
		for dir := path.Dir(e.Path); dir != "/" && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			if write.OwnDirectory(dir) {
				s.Files = append(s.Files, "%dir "+filePattern(dir))
			}
		}
		s.install(e)
	}
}

// install adds an extra file to %install and %files.
func (s *spec) install(e extra) {
	to := root(e.Path)
	line, word := "", ""
	switch e.Kind {
	case pkgfmt.Directory:
		line, word = fmt.Sprintf("install -d -m %04o %s", e.Mode.Perm(), to), "%dir "
	case pkgfmt.Link:
		line = "mkdir -p " + root(path.Dir(e.Path)) + "\nln -s " + literal(shellWord(e.Target)) + " " + to
	case pkgfmt.Ghost:
		line, word = "mkdir -p "+root(path.Dir(e.Path))+"\ntouch "+to, "%ghost "
	case pkgfmt.Config:
		line, word = s.copy(e, to), "%config(noreplace) "
	default:
		line = s.copy(e, to)
	}
	s.Install = append(s.Install, line)
	s.Files = append(s.Files, word+filePattern(e.Path))
}

// root is a path below the build's root, for sh.
func root(p string) string {
	word := shellWord(p)
	if word != p { // within quotes
		return "%{buildroot}" + literal(word)
	}
	return "%{buildroot}" + rpmPath(literal(p))
}

// copy is how a file gets to its place.
func (s *spec) copy(e extra, to string) string {
	mode := fmt.Sprintf("%04o", e.Mode.Perm())
	switch {
	case e.InTree != "":
		return "install -D -m " + mode + " " + literal(shellWord(inTree(e.InTree))) + " " + to
	case e.Beside != "":
		for i, b := range s.beside {
			if b.Beside == e.Beside {
				return fmt.Sprintf("install -D -m %s %%{SOURCE%d} %s", mode, i+1, to)
			}
		}
	}
	dir := "mkdir -p " + root(path.Dir(e.Path)) + "\n"
	return dir + heredoc(to, literal(e.Inline)) + "chmod " + mode + " " + to
}

// filePattern is a path as %files has it: rpmbuild reads patterns there.
func filePattern(p string) string {
	if !plain.MatchString(strings.TrimPrefix(p, "/")) {
		p = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`).Replace(p) + `"`
	}
	return rpmPath(literal(p))
}
