package machine

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// patience is how long a build that has hung is not tried again: a day later the
// machine may be less busy.
const patience = 24 * time.Hour

// InputsNow is inputs for the tree as it is; empty where that cannot be told.
func (m *Machine) InputsNow(ctx context.Context, ref dkms.Ref) string {
	now, err := m.inputs(ctx, ref, func() (tree.Snapshot, error) { return m.Tree.Scan(ctx) })
	if err != nil {
		return ""
	}
	return now
}

// inputs is what ref would be built from now: its fingerprint, and what is there
// of the packages that it depends on, if it does on any.
func (m *Machine) inputs(ctx context.Context, ref dkms.Ref, scan func() (tree.Snapshot, error)) (string, error) {
	now, err := m.Fingerprint(ctx, ref)
	if err != nil {
		return "", err
	}
	words := []string{now.String()}
	recipe, _ := m.recipes.get(ref)
	if len(recipe.Depends) == 0 {
		return words[0], nil
	}
	have, err := scan()
	if err != nil {
		return "", err
	}
	for _, name := range recipe.Depends {
		version, _ := have.Active(name, ref.KernelID)
		path := filepath.Join(m.Tree.ModuleDir(dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: ref.KernelID}), "Module.symvers")
		sum, _ := system.Hash(path)
		words = append(words, name+"="+version+" "+sum)
	}
	return strings.Join(words, " "), nil
}

// FailedBefore returns the failure of ref that another try would repeat.
func (m *Machine) FailedBefore(ctx context.Context, ref dkms.Ref, have tree.Snapshot) (tree.Failure, bool) {
	f, ok := have.Failure(ref)
	switch {
	case !ok || f.Fingerprint == "":
		return f, false
	case f.Class == string(kbuild.Timeout) && time.Since(f.Last) > patience:
		return f, false
	}
	recipe, _ := m.recipes.get(ref)
	for _, name := range recipe.Depends {
		newest, ok := have.NewestOf(name) // which may come in this very run
		if version, _ := have.Active(name, ref.KernelID); ok && version != newest.Version {
			return f, false
		}
	}
	now, err := m.inputs(ctx, ref, func() (tree.Snapshot, error) { return have, nil })
	return f, err == nil && now == f.Fingerprint
}
