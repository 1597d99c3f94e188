package hooks

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// job is everything that one build is told.
func (r *run) job(ctx context.Context, ref dkms.Ref) (kbuild.Job, error) {
	c, k, recipe, err := r.resolved(ref)
	if err != nil {
		return kbuild.Job{}, err
	}
	source, err := filepath.EvalSymlinks(c.source)
	if err != nil {
		return kbuild.Job{}, &dkms.Error{Kind: dkms.ConfMissing, Object: c.source, Problem: "cannot be reached", Err: err}
	}
	r.keys.Lock()
	signer, err := r.signer(k)
	r.keys.Unlock()
	if err != nil {
		return kbuild.Job{}, err
	}
	env, err := r.buildEnvironment(ctx, k.Release)
	if err != nil {
		return kbuild.Job{}, err
	}
	job := kbuild.Job{
		Recipe: recipe, Kernel: k, Source: source,
		Build: r.tree.BuildDir(c.Package), Stage: r.tree.RefDir(ref),
		EtcDir:   etcDir,
		Env:      env,
		Timeout:  r.framework.BuildTimeout,
		Signer:   signer,
		Compress: r.compression(),
		Verbose:  r.talkative(),
	}
	// Some packages build in /usr/src itself; there, too, they meet the copy.
	for _, alias := range []string{r.tree.Source(c.Package), r.tree.SourceLink(c.Package)} {
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
	have, err := r.tree.Scan(r.ctx)
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
		path := filepath.Join(r.tree.ModuleDir(dkms.Ref{Package: p, KernelID: id}), "Module.symvers")
		if system.Exists(path) {
			out = append(out, kbuild.Depend{Name: p.Name, Symvers: path})
		}
	}
	return out
}

// buildEnvironment is what framework.conf's build_environment file, a shell
// script, adds to the environment of a build: NAME=VALUE each.
func (r *run) buildEnvironment(ctx context.Context, release string) ([]string, error) {
	file := r.framework.For(release).BuildEnvironment
	if file == "" {
		return nil, nil
	}
	base := []string{"PATH=" + system.SafePath}
	out, err := system.Output(ctx, system.Command{Args: []string{"bash", "-c", `set -a; . "$1" >/dev/null && exec env -0`, "bash", file}, Env: base, Stderr: r.console.W})
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.ConfInvalid, Object: file, Problem: "build_environment could not be read", Err: err}
	}
	var env []string
	for _, pair := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		name, _, _ := strings.Cut(pair, "=")
		if name != "PATH" && name != "PWD" && name != "SHLVL" && name != "_" {
			env = append(env, pair)
		}
	}
	return env, nil
}

// jobs is how many compilers may run at a time: -j, else parallel_jobs, else
// one for each processor; 0 is no limit.
func (r *run) jobs() int {
	switch {
	case r.call.Jobs >= 0:
		return r.call.Jobs
	case r.framework.ParallelJobs >= 0:
		return r.framework.ParallelJobs
	}
	return runtime.NumCPU()
}
