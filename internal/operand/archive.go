package operand

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// Load registers the package in an archive, and takes over what is built in it.
func (f *Finder) Load(ctx context.Context, archive string) (tree.Loaded, error) {
	archive, err := filepath.Abs(archive)
	if err != nil {
		return tree.Loaded{}, err
	}
	p, err := f.call.Named()
	if err != nil {
		return tree.Loaded{}, err
	}
	return f.tree.Load(ctx, tree.LoadRequest{Archive: archive, Package: p, Force: f.call.Force, Identify: func(file string, named dkms.Package) (dkms.Package, error) {
		found, err := f.identify(ctx, file, named)
		return found, inArchive(archive, err)
	}})
}

// inArchive tells of a dkms.conf in an archive what is wrong with it, without
// the name of the scratch directory that it was read in.
func inArchive(archive string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	var invalid *conf.Invalid
	var e *dkms.Error
	switch {
	case errors.As(err, &invalid):
		var texts []string
		for _, p := range invalid.Problems {
			texts = append(texts, p.Text)
		}
		text = strings.Join(texts, "; ")
	case errors.As(err, &e):
		text = e.Problem
	}
	return &dkms.Error{Kind: dkms.ArchiveInvalid, Object: archive, Problem: "the dkms.conf in it is invalid: " + text}
}
