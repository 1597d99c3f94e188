package hooks

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// mktarball packs a package with what is built of it.
func (r *run) mktarball() error {
	p, err := r.call.exactly()
	if err != nil {
		return err
	}
	have, err := r.machine.Tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	state, ok := have.Find(p)
	if !ok {
		return &dkms.Error{Kind: dkms.NotInTree, Object: p.String(), Problem: "is not in the tree"}
	}
	if state.State == dkms.Broken {
		return machine.Broken(state)
	}
	var ids []dkms.KernelID
	switch {
	case r.call.SourceOnly:
	case r.call.All:
		for _, s := range state.Refs {
			ids = append(ids, s.KernelID)
		}
	default:
		if ids, err = r.call.targets(); err != nil {
			return err
		}
	}
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	path, err := r.machine.Tree.Pack(r.ctx, tree.PackRequest{
		Package: p, Kernels: ids, SourceOnly: r.call.SourceOnly, BinariesOnly: r.call.BinariesOnly, File: r.call.Archive,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(r.result, path)
	return err
}

// ldtarball loads what mktarball packed.
func (r *run) ldtarball() error {
	archive := r.call.Archive
	if archive == "" && len(r.call.Operands) == 1 {
		archive = r.call.Operands[0]
	}
	if archive == "" {
		return &dkms.Error{Kind: dkms.SourceMissing, Object: "ldtarball", Problem: "no archive given", Hint: "dkms ldtarball --archive FILE"}
	}
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	loaded, err := r.load(archive)
	if err != nil {
		return err
	}
	return r.afterLoad(loaded)
}

func (r *run) load(archive string) (tree.Loaded, error) {
	archive, err := filepath.Abs(archive)
	if err != nil {
		return tree.Loaded{}, err
	}
	p, err := r.call.named()
	if err != nil {
		return tree.Loaded{}, err
	}
	return r.machine.Tree.Load(r.ctx, tree.LoadRequest{Archive: archive, Package: p, Force: r.call.Force, Identify: func(file string, named dkms.Package) (dkms.Package, error) {
		found, err := r.identify(file, named)
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

// afterLoad does what follows the registration of a package from an archive.
func (r *run) afterLoad(loaded tree.Loaded) error {
	c := r.machine.Candidate(loaded.Package, loaded.Source, true)
	k, err := r.someKernel()
	if err != nil {
		return err
	}
	if _, err := r.machine.Recipe(r.ctx, c, k); err != nil && dkms.KindOf(err) != dkms.Excluded {
		return err
	}
	if err := r.applier.Added(r.ctx, c); err != nil {
		return errors.Join(err, r.machine.Tree.Unregister(c.Package))
	}
	r.sayLoaded(loaded)
	return nil
}

func (r *run) sayLoaded(loaded tree.Loaded) {
	for _, ref := range loaded.Refs {
		fmt.Fprintf(r.result, "%s, %s, %s: built\n", ref.Package, ref.Release, ref.Arch)
	}
	for _, ref := range loaded.Skipped {
		r.console.Notice(fmt.Sprintf("%s for %s: was built already and stays as it is", ref.Package, ref.Release))
	}
}

// fromArchive loads an archive that was given to add, build or install.
func (r *run) fromArchive(archive string) (*machine.Candidate, error) {
	loaded, err := r.load(archive)
	if err != nil {
		return nil, err
	}
	r.loaded = true
	return r.machine.Candidate(loaded.Package, loaded.Source, true), r.afterLoad(loaded)
}
