package hooks

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// job is everything that one build is told.
func (r *run) job(ctx context.Context, ref dkms.Ref) (kbuild.Job, error) {
	c, k, recipe, err := r.machine.Resolved(r.ctx, ref)
	if err != nil {
		return kbuild.Job{}, err
	}
	source, err := filepath.EvalSymlinks(c.Source)
	if err != nil {
		return kbuild.Job{}, &dkms.Error{Kind: dkms.ConfMissing, Object: c.Source, Problem: "cannot be reached", Err: err}
	}
	r.keys.Lock()
	signer, err := r.signer(k)
	r.keys.Unlock()
	if err != nil {
		return kbuild.Job{}, err
	}
	env, err := r.machine.BuildEnvironment(ctx, k.Release)
	if err != nil {
		return kbuild.Job{}, err
	}
	job := kbuild.Job{
		Recipe: recipe, Kernel: k, Source: source,
		Build: r.machine.Tree.BuildDir(c.Package), Stage: r.machine.Tree.RefDir(ref),
		EtcDir:   machine.EtcDir,
		Env:      env,
		Timeout:  r.machine.Framework.BuildTimeout,
		Signer:   signer,
		Compress: r.compression(),
		Verbose:  r.machine.Talkative(),
	}
	// Some packages build in /usr/src itself; there, too, they meet the copy.
	for _, alias := range []string{r.machine.Tree.Source(c.Package), r.machine.Tree.SourceLink(c.Package)} {
		if resolved, err := filepath.EvalSymlinks(alias); err == nil && resolved == source {
			job.SourceAliases = append(job.SourceAliases, source)
			break
		}
	}
	return job, nil
}

// dependsOf returns the packages that recipe is built against: those the step
// names, else the active version of each of BUILD_DEPENDS.
func (r *run) dependsOf(s plan.Step, recipe kbuild.Recipe) ([]dkms.Package, error) {
	have, err := r.machine.Tree.Scan(r.ctx)
	if err != nil {
		return nil, err
	}
	var out []dkms.Package
	for _, name := range recipe.Depends {
		i := slices.IndexFunc(s.With, func(p dkms.Package) bool { return p.Name == name })
		if i >= 0 {
			out = append(out, s.With[i])
		} else if version, ok := have.Active(name, recipe.KernelID); ok {
			out = append(out, dkms.Package{Name: name, Version: version})
		}
	}
	return out, nil
}

// symversOf finds the exported symbols of what a build depends on.
func (r *run) symversOf(depends []dkms.Package, id dkms.KernelID) []kbuild.Depend {
	var out []kbuild.Depend
	for _, p := range depends {
		path := filepath.Join(r.machine.Tree.ModuleDir(dkms.Ref{Package: p, KernelID: id}), "Module.symvers")
		if system.Exists(path) {
			out = append(out, kbuild.Depend{Name: p.Name, Symvers: path})
		}
	}
	return out
}
