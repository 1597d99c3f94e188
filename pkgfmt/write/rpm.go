package write

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"

	"github.com/google/rpmpack"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// writeRPM writes an .rpm or a .src.rpm: lead, signatures, header, payload.
// The payload comes first, since the header has its digest.
func writeRPM(ctx context.Context, p pkgfmt.Package, w io.Writer, j job) error {
	p.Compression = usual(p.Format, p.Compression)
	if p.Format == pkgfmt.SourceRPM {
		p.Files = baseNames(p.Files)
	} else {
		p.Files = withParents(p.Files, OwnDirectory)
	}
	var facts rpmFacts
	data, err := newPayload(j.scratch, p.Compression, func(w io.Writer) (err error) {
		facts, err = payloadCpio(newPacker(ctx, j.records), p, w)
		return err
	})
	if err != nil {
		return err
	}
	defer data.close()
	lead, header, err := rpmHeader(p, facts, data)
	if err != nil {
		return err
	}
	signatures, err := rpmSignatures(p, header, data, j.sign)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{lead, signatures, header} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	_, err = io.Copy(w, data.reader())
	return err
}

// baseNames are the files of a source package: rpm -i puts all into %_sourcedir
// but the spec file.
func baseNames(files []pkgfmt.File) []pkgfmt.File {
	out := make([]pkgfmt.File, len(files))
	for i, f := range files {
		f.Path = path.Base(f.Path)
		out[i] = f
	}
	return withParents(out, func(string) bool { return false })
}

// leadSize is that of the lead, which rpm has not looked at for long, but for
// file(1) and for what kind of package it is.
const (
	leadSize   = 96
	leadTypeAt = 7
	leadSource = 1
)

// rpmHeader makes the lead and the header by rpmpack, from files without
// payload.
func rpmHeader(p pkgfmt.Package, facts rpmFacts, data *payload) (lead, header []byte, err error) {
	meta, err := rpmMeta(p)
	if err != nil {
		return nil, nil, err
	}
	r, err := rpmpack.NewRPM(meta)
	if err != nil {
		return nil, nil, err
	}
	r.Provides = meta.Provides // rpmpack adds one of its own, without the epoch
	for _, f := range p.Files {
		r.AddFile(rpmFile(p, f))
	}
	addScriptlets(r, p.Scripts)
	addTags(r, p, facts, data)
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return nil, nil, err
	}
	return apart(p, b.Bytes())
}

// apart returns the lead and the header of what rpmpack has made, without what
// rpmpack always says and is not so.
func apart(p pkgfmt.Package, made []byte) (lead, header []byte, err error) {
	if len(made) < leadSize {
		return nil, nil, errors.New("rpmpack made no lead")
	}
	lead, rest := made[:leadSize], made[leadSize:]
	n, err := indexSize(rest)
	if err != nil {
		return nil, nil, err
	}
	rest = rest[min((n+7)/8*8, len(rest)):]
	if n, err = indexSize(rest); err != nil {
		return nil, nil, err
	}
	var without []int32
	if p.Format == pkgfmt.SourceRPM { // a package that has a source is none
		without = append(without, tagSourceRPM)
		lead[leadTypeAt] = leadSource
	}
	if p.Compression.Algorithm == algorithmNone { // as rpmbuild says it
		without = append(without, tagPayloadCompressor, tagPayloadFlags)
	}
	header, err = withoutTags(rest[:n], without...)
	return lead, header, err
}

// File types of inode(7), which RPM has in a file's mode.
const (
	isDirectory = 0o040000
	isLink      = 0o120000
	isRegular   = 0o100000
)

func rpmMode(f pkgfmt.File) uint {
	switch f.Kind {
	case pkgfmt.Directory:
		return isDirectory | uint(f.Mode.Perm())
	case pkgfmt.Link:
		return isLink | 0o777
	}
	return isRegular | uint(f.Mode.Perm())
}

// rpmFile is a file as rpmpack takes it: without its bytes, and a ghost, which
// keeps it out of rpmpack's payload. addTags tells the truth.
func rpmFile(p pkgfmt.Package, f pkgfmt.File) rpmpack.RPMFile {
	return rpmpack.RPMFile{
		Name: f.Path, Body: []byte(f.Target), Mode: rpmMode(f), Owner: "root", Group: "root",
		MTime: uint32(p.Time.Unix()), Type: rpmpack.GhostFile,
	}
}

// rpmFlags is what RPM knows of a file, rpmfiles.h.
func rpmFlags(f pkgfmt.File) uint32 {
	switch f.Kind {
	case pkgfmt.Config:
		return uint32(rpmpack.ConfigFile | rpmpack.NoReplaceFile)
	case pkgfmt.Doc:
		return uint32(rpmpack.DocFile)
	case pkgfmt.Licence:
		return uint32(rpmpack.LicenceFile)
	case pkgfmt.Ghost:
		return uint32(rpmpack.GhostFile)
	}
	return 0
}
