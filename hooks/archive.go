package hooks

import (
	"errors"
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// mktarball packs a package with what is built of it.
func (r *run) mktarball() error {
	p, err := r.call.Exactly()
	if err != nil {
		return err
	}
	have, err := r.scan()
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
		if ids, err = r.call.Targets(); err != nil {
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
	loaded, err := r.finder.Load(r.ctx, archive)
	if err != nil {
		return err
	}
	return r.afterLoad(loaded)
}

// afterLoad does what follows the registration of a package from an archive.
func (r *run) afterLoad(loaded tree.Loaded) error {
	c := r.machine.Candidate(loaded.Package, loaded.Source, true)
	k, err := r.finder.Kernel()
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
	loaded, err := r.finder.Load(r.ctx, archive)
	if err != nil {
		return nil, err
	}
	return r.machine.Candidate(loaded.Package, loaded.Source, true), r.afterLoad(loaded)
}
