package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/templates"
)

// An only is a file of one format; the empty format is any.
type only struct {
	format pkgfmt.Format
	file   pkgfmt.File
}

// A text is a file whose bytes lie in templates.
type text struct {
	path, template string
	kind           pkgfmt.FileKind
	mode           fs.FileMode
	only           pkgfmt.Format
}

// common are the texts that each product has, named after it.
func (o product) common() []text {
	return []text{
		{path: "/usr/share/bash-completion/completions/" + o.name, template: "completion/" + o.name + ".bash", mode: 0o644},
		{path: "/usr/share/zsh/vendor-completions/_" + o.name, template: "completion/" + o.name + ".zsh", mode: 0o644, only: pkgfmt.Deb},
		{path: "/usr/share/zsh/site-functions/_" + o.name, template: "completion/" + o.name + ".zsh", mode: 0o644, only: pkgfmt.RPM},
		{path: "/usr/share/fish/vendor_completions.d/" + o.name + ".fish", template: "completion/" + o.name + ".fish", mode: 0o644},
		{path: "/usr/share/lintian/overrides/" + o.name, template: "deb/" + o.name + ".lintian-overrides", mode: 0o644, only: pkgfmt.Deb},
	}
}

// completionDirectories are those of shells, which need not be there. RPM removes
// only what a package names.
var completionDirectories = map[string]pkgfmt.Format{
	"/usr/share/fish": pkgfmt.RPM, "/usr/share/fish/vendor_completions.d": pkgfmt.RPM,
	"/usr/share/zsh": pkgfmt.RPM, "/usr/share/zsh/site-functions": pkgfmt.RPM,
}

// files is everything that a product's package of a format brings, by path. The
// changelog comes with the format.
func (r release) files(o product, format pkgfmt.Format) ([]pkgfmt.File, error) {
	all, err := r.brought(o)
	if err != nil {
		return nil, err
	}
	for _, t := range slices.Concat(o.common(), o.texts) {
		f, err := t.file()
		if err != nil {
			return nil, err
		}
		if format == pkgfmt.RPM && f.Kind == pkgfmt.Config {
			f.Kind = pkgfmt.Regular // there they are programs, which are replaced
		}
		all = append(all, only{t.only, f})
	}
	for path, target := range o.links {
		all = append(all, only{"", pkgfmt.File{Path: path, Kind: pkgfmt.Link, Mode: 0o777, Target: target}})
	}
	for _, directories := range []map[string]pkgfmt.Format{completionDirectories, o.directories} {
		for path, format := range directories {
			all = append(all, only{format, pkgfmt.File{Path: path, Kind: pkgfmt.Directory, Mode: 0o755}})
		}
	}
	var out []pkgfmt.File
	for _, one := range all {
		if one.format == "" || one.format == format {
			out = append(out, one.file)
		}
	}
	slices.SortFunc(out, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// brought are the files of a product whose bytes the release has: the program,
// licences and documents.
func (r release) brought(o product) ([]only, error) {
	p, ok := r.programs[o.name]
	if !ok {
		return nil, fmt.Errorf("%s: the release has no such program", o.name)
	}
	docs, licences := "/usr/share/doc/"+o.name+"/", "/usr/share/licenses/"+o.name+"/"
	all := []only{
		{"", pkgfmt.File{Path: o.path, Mode: 0o755, Data: p.bytes}},
		{pkgfmt.Deb, pkgfmt.File{Path: docs + "copyright", Mode: 0o644, Data: p.legal}},
		{pkgfmt.RPM, pkgfmt.File{Path: licences + "LICENSE", Kind: pkgfmt.Licence, Mode: 0o644, Data: r.licence}},
		{pkgfmt.RPM, pkgfmt.File{Path: licences + "copyright", Kind: pkgfmt.Licence, Mode: 0o644, Data: p.legal}},
	}
	for _, name := range o.docs {
		all = append(all, only{"", pkgfmt.File{Path: docs + name, Kind: pkgfmt.Doc, Mode: 0o644, Data: r.docs[name]}})
	}
	return all, nil
}

func (t text) file() (pkgfmt.File, error) {
	body, err := templates.Files.ReadFile(t.template)
	if err == nil && path.Ext(t.path) == ".gz" {
		body, err = compressed(body)
	}
	return pkgfmt.File{Path: t.path, Kind: t.kind, Mode: t.mode, Data: body}, err
}

// compressed is gzip without a time, so that the same is always the same.
func compressed(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// script returns a script of the packages, which lies in templates.
func script(name string) (string, error) {
	body, err := templates.Files.ReadFile(name)
	return string(body), err
}

// withHooks puts the kernel hooks into a shell script, as branches of a case,
// in the place of its line "# @HOOKS@".
func withHooks(script string) (string, error) {
	var branches strings.Builder
	for _, t := range hookTexts {
		hook, ok := strings.CutPrefix(t.template, "kernel/")
		if !ok {
			continue
		}
		f, err := t.file()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&branches, "\t%s)\n\t\tcat <<'HOOK'\n%sHOOK\n\t\t;;\n", hook, f.Data)
	}
	before, after, ok := strings.Cut(script, "\t# @HOOKS@\n")
	if !ok {
		return "", fmt.Errorf("the script has no line # @HOOKS@")
	}
	return before + branches.String() + after, nil
}
