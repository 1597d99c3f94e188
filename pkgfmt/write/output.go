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

// Package writes p to o.Dir under its FileName and returns the path. The file
// is there when it is whole, or the old one is, or none; it comes after those
// that tell of it. Their mode is 0644, whatever the umask. The error is of Kind
// Usage when p is nothing that its format can hold, and nothing was written
// then; when ctx ends it is ctx.Err().
func Package(ctx context.Context, p pkgfmt.Package, o Options) (path string, err error) {
	if err := Check(p); err != nil {
		return "", err
	}
	var records *[]record
	if o.Materials != nil {
		if err := o.Materials.check(); err != nil {
			return "", err
		}
		records = &[]record{}
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return "", &dkms.Error{Object: o.Dir, Problem: "cannot be made", Err: err}
	}
	path = filepath.Join(o.Dir, FileName(p))
	if err := free(path); err != nil {
		return "", err
	}
	f, err := newPending(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was committed, or nobody sees it
	digest := sha256.New()
	w := bufio.NewWriterSize(&counter{w: f, hash: digest}, 1<<16)
	if err := to(ctx, p, w, job{sign: o.Sign, scratch: o.Dir, records: records}); err != nil {
		return "", described(ctx, path, err)
	}
	if err := w.Flush(); err != nil {
		return "", cannotWrite(path, err)
	}
	if o.Materials == nil {
		return done(path, commit(f))
	}
	m := made{p: p, fileName: FileName(p), sha256: hex.EncodeToString(digest.Sum(nil)), records: *records}
	one, err := pendingJSON(path+".sbom.json", sbom(m, o.Materials))
	if err != nil {
		return "", err
	}
	defer one.Close() //nolint:errcheck // as above
	two, err := pendingJSON(path+".provenance.json", provenanceOf(m, o.Materials))
	if err != nil {
		return "", err
	}
	defer two.Close() //nolint:errcheck // as above
	return done(path, commit(one, two, f))
}

func done(path string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return path, nil
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

// pendingJSON begins and ends the file at path, but does not commit it.
func pendingJSON(path string, value any) (*pending, error) {
	f, err := newPending(path)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err = e.Encode(value); err == nil {
		err = w.Flush()
	}
	if err != nil {
		f.Close() //nolint:errcheck // nobody has seen it
		return nil, cannotWrite(path, err)
	}
	return f, nil
}
