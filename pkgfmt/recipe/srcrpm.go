package recipe

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// SourceRPM returns the source RPM with a spec that DKMSSpec or KmodSpec has
// made of d, and all that it wants. write.Package puts it into a file.
func SourceRPM(ctx context.Context, d *source.Description, text []byte) (pkgfmt.Package, error) {
	s, err := dkmsSpec(d)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	archive, err := tarball(ctx, d)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	p := pkgfmt.Package{
		Format: pkgfmt.SourceRPM, Name: field(text, "Name"), Version: s.pkg.Version, Arch: "noarch",
		Summary: field(text, "Summary"), Description: s.pkg.Description, License: s.pkg.License, Homepage: s.pkg.Homepage,
		Maintainer: s.pkg.Maintainer, Vendor: s.pkg.Vendor, Section: s.pkg.Section, Time: s.pkg.Time, Changes: s.pkg.Changes,
		Files: []pkgfmt.File{
			{Path: "/SPECS/" + field(text, "Name") + ".spec", Mode: 0o644, Data: text},
			{Path: "/SOURCES/" + archiveName(d), Mode: 0o644, Data: archive},
		},
	}
	for _, e := range s.beside {
		f := e.File
		f.Kind, f.Mode, f.Path = pkgfmt.Regular, 0o644, "/SOURCES/"+e.Beside
		p.Files = append(p.Files, f)
	}
	if !bytes.Contains(text, []byte("\nBuildArch: ")) {
		p.Relations.Depends = buildRequires(text)
	}
	slices.SortFunc(p.Files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return p, nil
}

// field is the value of a tag of a spec file.
func field(text []byte, name string) string {
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.ReplaceAll(strings.TrimSpace(value), "%%", "%")
		}
	}
	return ""
}

// buildRequires are what a spec file asks for at all places.
func buildRequires(text []byte) (all []string) {
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "BuildRequires:"); ok && !strings.Contains(value, "%") {
			all = append(all, strings.Fields(value)...)
		}
	}
	return all
}

// tarball is the source as NAME-VERSION.tar.gz: the same bytes for the same
// source.
func tarball(ctx context.Context, d *source.Description) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	head := func(name string, kind byte, mode int64) *tar.Header {
		return &tar.Header{Typeflag: kind, Name: name, Mode: mode, ModTime: d.Time.UTC().Truncate(1e9), Uname: "root", Gname: "root", Format: tar.FormatPAX}
	}
	if err := t.WriteHeader(head(treeName(d)+"/", tar.TypeDir, 0o755)); err != nil {
		return nil, err
	}
	for _, f := range d.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		mode := int64(0o644)
		if f.Mode&0o111 != 0 || f.Kind == pkgfmt.Directory {
			mode = 0o755
		}
		h := head(path.Join(treeName(d), f.Path), tar.TypeReg, mode)
		switch f.Kind {
		case pkgfmt.Directory:
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		case pkgfmt.Link:
			h.Typeflag, h.Mode, h.Linkname = tar.TypeSymlink, 0o777, f.Target
		}
		if err := add(t, h, f); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// add writes one file, of just the size that it was found to have.
func add(t *tar.Writer, h *tar.Header, f pkgfmt.File) error {
	if h.Typeflag != tar.TypeReg {
		return t.WriteHeader(h)
	}
	if f.Source == "" {
		h.Size = int64(len(f.Data))
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(f.Data)
		return err
	}
	in, err := os.Open(f.Source)
	if err != nil {
		return &dkms.Error{Object: f.Source, Problem: "cannot be read", Err: err}
	}
	defer func() { _ = in.Close() }()
	h.Size = f.Size
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	if n, err := io.Copy(t, io.LimitReader(in, f.Size+1)); err != nil || n != f.Size {
		return &dkms.Error{Object: f.Source, Problem: fmt.Sprintf("has changed: it was of %d bytes", f.Size), Err: err}
	}
	return nil
}
