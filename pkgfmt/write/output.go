package write

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Options say where a package goes and what goes with it.
type Options struct {
	// Dir is the directory for the file; it is made if it is missing.
	Dir string
	// Sign signs the package; nil: it has no signature.
	Sign *Key
	// Materials, if given, are told in FILE.provenance.json and FILE.sbom.json.
	Materials *Materials
}

// Packages writes packages to o.Dir, each under its FileName, and returns their
// paths: all of them or none. A file is there when it is whole, or the old one
// is, or none; it comes after those that tell of it. Their mode is 0644, whatever
// the umask. of, if given, tells what each is made from. The error is of Kind
// Usage when one is nothing that its format can hold; when ctx ends it is
// ctx.Err().
func Packages(ctx context.Context, packages []pkgfmt.Package, of func(pkgfmt.Package) Materials, o Options) (paths []string, err error) {
	var b batch
	defer func() { b.end(err) }()
	for _, p := range packages {
		if o.Materials = nil; of != nil {
			m := of(p)
			o.Materials = &m
		}
		if err := b.pack(ctx, p, o); err != nil {
			return nil, err
		}
		paths = append(paths, filepath.Join(o.Dir, FileName(p)))
	}
	return paths, commit(b.files...)
}

// Package is Packages of one, made from o.Materials.
func Package(ctx context.Context, p pkgfmt.Package, o Options) (path string, err error) {
	var b batch
	defer func() { b.end(err) }()
	if err := b.pack(ctx, p, o); err != nil {
		return "", err
	}
	return filepath.Join(o.Dir, FileName(p)), commit(b.files...)
}

// pack begins the file of p, and those that tell of it.
func (b *batch) pack(ctx context.Context, p pkgfmt.Package, o Options) error {
	if err := Check(p); err != nil {
		return err
	}
	var records *[]record
	if o.Materials != nil {
		if err := o.Materials.check(); err != nil {
			return err
		}
		records = &[]record{}
	}
	if err := b.folder(o.Dir); err != nil {
		return err
	}
	path := filepath.Join(o.Dir, FileName(p))
	if err := free(path); err != nil {
		return err
	}
	f, err := newPending(path)
	if err != nil {
		return err
	}
	defer func() { b.files = append(b.files, f) }() // after those that tell of it
	digest := sha256.New()
	w := bufio.NewWriterSize(&counter{w: f, hash: digest}, 1<<16)
	if err := to(ctx, p, w, job{sign: o.Sign, scratch: o.Dir, records: records}); err != nil {
		return described(ctx, path, err)
	}
	if err := w.Flush(); err != nil {
		return cannotWrite(path, err)
	}
	if o.Materials == nil {
		return nil
	}
	m := made{p: p, fileName: FileName(p), sha256: hex.EncodeToString(digest.Sum(nil)), records: *records}
	if err := b.json(path+".sbom.json", sbom(m, o.Materials)); err != nil {
		return err
	}
	return b.json(path+".provenance.json", provenanceOf(m, o.Materials))
}

// free returns an error when path cannot become a file.
func free(path string) error {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return &dkms.Error{Object: path, Problem: "is a directory, in the place of the package"}
	}
	return nil
}

func described(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return cannotWrite(path, err)
}

// json begins the file at path with a value in it.
func (b *batch) json(path string, value any) error {
	f, err := newPending(path)
	if err != nil {
		return err
	}
	b.files = append(b.files, f)
	w := bufio.NewWriterSize(f, 1<<16)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err = e.Encode(value); err == nil {
		err = w.Flush()
	}
	if err != nil {
		return cannotWrite(path, err)
	}
	return nil
}
