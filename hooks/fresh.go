package hooks

import (
	"errors"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// staleness says why a build of ref would give something else than what is
// there; empty: it would not. What ref was built from is looked at by those
// actions only that compare what is with what should be: DKMS's own say
// "already built" of whatever there is.
func (r *run) staleness(ref dkms.Ref) string {
	if why, ok := r.tree.MarkedStale(ref); ok {
		return why
	}
	if !r.declarative {
		return ""
	}
	manifest, err := r.tree.Manifest(ref)
	if err != nil {
		return ""
	}
	then, ok := kbuild.ParseFingerprint(manifest.Fingerprint)
	if !ok {
		return ""
	}
	now, err := r.fingerprint(ref)
	if kindOf(err) == dkms.HeadersMissing {
		// Of all that it is made from, the source can be compared.
		now = then
		now.Source, err = r.fingerprinter.Source(r.ctx, r.tree.SourceLink(ref.Package))
	}
	if err != nil {
		return ""
	}
	return then.Changed(now)
}

// fingerprint tells what ref would be built from now. It is an error when that
// cannot be told: no headers, no source, no valid dkms.conf.
func (r *run) fingerprint(ref dkms.Ref) (kbuild.Fingerprint, error) {
	if f, ok := r.fingerprints.get(ref); ok {
		return f, nil
	}
	k, err := r.kernel(ref.KernelID)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	if err := k.RequireHeaders(); err != nil {
		return kbuild.Fingerprint{}, err
	}
	c, _, recipe, err := r.resolved(ref)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	source, err := filepath.EvalSymlinks(c.source)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	env, err := r.buildEnvironment(r.ctx, k.Release)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	f, err := r.fingerprinter.Of(r.ctx, recipe, k, source, etcDir, env)
	if err == nil {
		r.fingerprints.put(ref, f)
	}
	return f, err
}

// adopt takes over what DKMS built, or we before we took fingerprints: from
// now on it is known what it was made from, as far as that can be told. Nothing
// is built for it.
func (r *run) adopt(p tree.PackageState) error {
	var errs []error
	for _, s := range p.Refs {
		manifest, err := r.tree.Manifest(s.Ref)
		if _, known := kbuild.ParseFingerprint(manifest.Fingerprint); err == nil && known {
			continue
		}
		now, err := r.fingerprint(s.Ref)
		if err != nil {
			continue // another time
		}
		_, k, recipe, err := r.resolved(s.Ref)
		if err != nil {
			continue
		}
		errs = append(errs, r.tree.Adopt(s.Ref, r.builtOf(s.Ref, recipe, now), r.usualPlacements(k, recipe)))
	}
	return errors.Join(errs...)
}
