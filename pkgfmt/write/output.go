package write

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
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
	if err := check(p); err != nil {
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
	if o.Materials != nil {
		m := made{p: p, fileName: FileName(p), sha256: hex.EncodeToString(digest.Sum(nil)), records: *records}
		if err := tell(path, m, o.Materials); err != nil {
			return "", err
		}
	}
	return path, f.commit()
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

// tell writes what goes with a package.
func tell(path string, p made, m *Materials) error {
	for _, about := range []struct {
		suffix string
		value  any
	}{{".sbom.json", sbom(p, m)}, {".provenance.json", provenanceOf(p, m)}} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(about.value); err != nil {
			return cannotWrite(path+about.suffix, err)
		}
		if err := system.WriteFile(path+about.suffix, b.Bytes(), 0o644); err != nil {
			return cannotWrite(path+about.suffix, err)
		}
	}
	return nil
}
