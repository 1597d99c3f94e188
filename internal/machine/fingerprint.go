package machine

import (
	"context"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Staleness says why a build of s would give something else than what is
// there; empty: it would not. What it was built from is looked at by those
// actions only that compare what is with what should be: DKMS's own say
// "already built" of whatever there is.
func (m *Machine) Staleness(ctx context.Context, s tree.RefState) string {
	ref := s.Ref
	if why, ok := m.Tree.MarkedStale(ref); ok {
		return why
	}
	if !m.o.Declarative {
		return ""
	}
	then, ok := m.builtFrom(s)
	if !ok {
		return ""
	}
	now, err := m.Fingerprint(ctx, ref)
	if dkms.KindOf(err) == dkms.HeadersMissing {
		// Of all that it is made from, the source can be compared.
		now = then
		now.Source, err = m.fingerprinter.Source(ctx, m.Tree.SourceLink(ref.Package))
	}
	if err != nil {
		return ""
	}
	return then.Changed(now)
}

// builtFrom is what s was built from. Where Compare has not told, its manifest
// does.
func (m *Machine) builtFrom(s tree.RefState) (kbuild.Fingerprint, bool) {
	text := s.Fingerprint
	if text == "" {
		manifest, err := m.Tree.Manifest(s.Ref)
		if err != nil {
			return kbuild.Fingerprint{}, false
		}
		text = manifest.Fingerprint
	}
	return kbuild.ParseFingerprint(text)
}

// Fingerprint tells what ref would be built from now. It is an error when that
// cannot be told: no headers, no source, no valid dkms.conf.
func (m *Machine) Fingerprint(ctx context.Context, ref dkms.Ref) (kbuild.Fingerprint, error) {
	if f, ok := m.fingerprints.get(ref); ok {
		return f, nil
	}
	k, err := m.Kernel(ref.KernelID)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	if err := k.RequireHeaders(); err != nil {
		return kbuild.Fingerprint{}, err
	}
	c, _, recipe, err := m.Resolved(ctx, ref)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	env, err := m.BuildEnvironment(ctx, k.Release)
	if err != nil {
		return kbuild.Fingerprint{}, err
	}
	f, err := m.fingerprinter.Of(ctx, recipe, k, c.Source, EtcDir, env)
	if err == nil {
		m.fingerprints.put(ref, f)
	}
	return f, err
}
