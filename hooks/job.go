package hooks

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
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
	signer, err := r.signer(ctx, k)
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
		Depends:  r.symversOf(recipe),
		Env:      env,
		Timeout:  r.framework.BuildTimeout,
		Signer:   signer,
		Compress: r.compression(),
		Verbose:  r.call.Verbose || r.call.Debug || r.framework.Verbose,
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

// symversOf finds the exported symbols of what recipe depends on: of the
// version that is active for the kernel, else of any that is built.
func (r *run) symversOf(recipe kbuild.Recipe) []kbuild.Depend {
	var out []kbuild.Depend
	for _, name := range recipe.Depends {
		dir := r.tree.ActiveLink(name, recipe.KernelID)
		path := filepath.Join(dir, "module", "Module.symvers")
		if system.Exists(path) {
			out = append(out, kbuild.Depend{Name: name, Symvers: path})
		}
	}
	return out
}

// recordDepends leaves, beside a package that wants to be rebuilt with its
// dependencies, the versions that it was built with, as DKMS does.
func (r *run) recordDepends(recipe kbuild.Recipe, stage string) error {
	if !recipe.RebuildOnDepends {
		return nil
	}
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	for _, name := range recipe.Depends {
		version, ok := have.Active(name, recipe.KernelID)
		if !ok {
			continue
		}
		if err := os.WriteFile(filepath.Join(stage, depPrefix+name), []byte(version+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// depPrefix begins the names of the files that hold a dependency's version.
const depPrefix = ".dep_"

// builtWith reads those files of ref.
func (r *run) builtWith(ref dkms.Ref) map[string]string {
	paths, err := filepath.Glob(filepath.Join(r.tree.RefDir(ref), depPrefix+"*"))
	if err != nil || len(paths) == 0 {
		return nil
	}
	with := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil {
			with[strings.TrimPrefix(filepath.Base(path), depPrefix)] = strings.TrimSpace(string(text))
		}
	}
	return with
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
