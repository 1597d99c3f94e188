package write

import (
	"bufio"
	"context"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

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

// Materials is what a package was made from.
type Materials struct{}

// Package writes p to o.Dir under its FileName and returns the path. The file
// is there when it is whole, or the old one is, or none; its mode is 0644,
// whatever the umask.
func Package(ctx context.Context, p pkgfmt.Package, o Options) (path string, err error) {
	path = filepath.Join(o.Dir, FileName(p))
	if err := check(p); err != nil {
		return "", err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return "", &dkms.Error{Object: o.Dir, Problem: "cannot be made", Err: err}
	}
	if err := atomically(path, func(f *os.File) error {
		w := bufio.NewWriterSize(f, 1<<16)
		if err := to(ctx, p, w, job{sign: o.Sign, scratch: o.Dir}); err != nil {
			return err
		}
		return w.Flush()
	}); err != nil {
		return "", err
	}
	return path, nil
}

// atomically makes the file at path by fn.
func atomically(path string, fn func(*os.File) error) error {
	dir := filepath.Dir(path)
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o644))
	if err != nil {
		return &dkms.Error{Object: path, Problem: "cannot be written", Err: err}
	}
	defer f.Cleanup() //nolint:errcheck // it is there, or was replaced
	if err := fn(f.File); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return &dkms.Error{Object: path, Problem: "cannot be written", Err: err}
	}
	return system.SyncDir(dir)
}
