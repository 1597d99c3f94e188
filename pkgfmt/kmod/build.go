package kmod

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// silence is how long a build may print nothing.
const silence = 30 * time.Minute

// Build builds d for each of the kernels, one after the other, in o.Scratch.
// It reads nothing of /etc/dkms and /var/lib/dkms: what comes out depends on
// the source, the kernel and the compiler.
//
// The error is a *dkms.Error, or has one in it: of Kind Usage for wrong
// options, HeadersMissing, Excluded, or what failed in the build. The log of a
// failed build lies in o.Scratch.
func Build(ctx context.Context, d *source.Description, o Options) ([]Built, error) {
	w, err := newWorkshop(d, o)
	if err != nil {
		return nil, err
	}
	kernels := make([]kbuild.Kernel, len(o.Kernels))
	for i, release := range o.Kernels { // all of them, before the first is built for
		if kernels[i], err = w.kernel(release); err != nil {
			return nil, err
		}
	}
	if err := w.unpack(); err != nil {
		return nil, err
	}
	tasks := make([]task, len(kernels))
	for i, k := range kernels { // all of them, before the first compiler runs
		if tasks[i], err = w.task(ctx, k); err != nil {
			return nil, err
		}
	}
	if err := w.ready(tasks); err != nil {
		return nil, err
	}
	out := make([]Built, len(kernels))
	for i, t := range tasks {
		if out[i], err = w.build(ctx, t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// task is the build for one kernel, ready to be begun.
type task struct {
	job kbuild.Job
	// built is what is known of the result: all but what a compiler makes.
	built Built
}

// ready asks whether the tasks are what the options want, as far as that can be
// told before they are begun.
func (w *workshop) ready(tasks []task) error {
	if err := w.allNeeded(tasks); err != nil || w.o.Ready == nil {
		return err
	}
	planned := make([]Built, len(tasks))
	for i, t := range tasks {
		planned[i] = t.built
	}
	return w.o.Ready(planned)
}

// workshop is where one source is built for some kernels.
type workshop struct {
	d       *source.Description
	o       Options
	sources string // the stand-in for /usr/src
	fingers kbuild.Fingerprinter
}

func newWorkshop(d *source.Description, o Options) (*workshop, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Arch == "" {
		arch, err := kbuild.HostArch()
		if err != nil {
			return nil, err
		}
		o.Arch = arch
	}
	o.InstallTree = or(o.InstallTree, plainPrefix)
	o.DpkgDir = or(o.DpkgDir, "/var/lib/dpkg")
	for _, dir := range []*string{&o.Scratch, &o.InstallTree, &o.Headers} {
		if *dir == "" {
			continue
		}
		absolute, err := filepath.Abs(*dir)
		if err != nil {
			return nil, err
		}
		*dir = absolute
	}
	// make takes most of these for its own, compilers the equal sign.
	if strings.ContainsAny(o.Scratch, " \t\n:;=#%$&|\\'\"`*?[]()<>") {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: o.Scratch, Problem: "is no directory that make can build in", Hint: "set TMPDIR to one with a simple name"}
	}
	if o.Jobs == 0 {
		o.Jobs = runtime.NumCPU()
	}
	return &workshop{d: d, o: o, sources: filepath.Join(o.Scratch, "src")}, nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// kernel opens a kernel and asks of it what the options need.
func (w *workshop) kernel(release string) (kbuild.Kernel, error) {
	k, err := kbuild.OpenKernel(kbuild.KernelOptions{
		ID: dkms.KernelID{Release: release, Arch: w.o.Arch}, InstallTree: w.o.InstallTree, SourceDir: w.o.Headers,
	})
	if err != nil {
		return k, err
	}
	if err := k.RequireHeaders(); err != nil {
		return k, err
	}
	if w.o.abi() == Ksym && !k.Config.Set("CONFIG_MODVERSIONS") {
		return k, &dkms.Error{Kind: dkms.Usage, Object: "kernel " + release,
			Problem: "is built without CONFIG_MODVERSIONS, so its symbols have no checksums by which another kernel could be told to fit",
			Hint:    "--abi exact makes a package for this kernel only"}
	}
	return k, nil
}

// trees are the directories that the build for k knows.
func (w *workshop) trees(k kbuild.Kernel) conf.Trees {
	return conf.Trees{DKMS: filepath.Join(w.o.Scratch, k.Release, "dkms"), Source: w.sources, Install: w.o.InstallTree}
}

func (w *workshop) source() string {
	return filepath.Join(w.sources, w.d.DKMS.Name+"-"+w.d.DKMS.Version)
}

// recipe says what is to be built for k where these trees are.
func (w *workshop) recipe(ctx context.Context, k kbuild.Kernel, trees conf.Trees) (kbuild.Recipe, error) {
	c, err := conf.Load(ctx, conf.Request{
		Package: w.d.DKMS, File: filepath.Join(w.source(), "dkms.conf"), Trees: trees, Jobs: w.o.Jobs,
	}, k)
	if err != nil {
		return kbuild.Recipe{}, err
	}
	recipe, err := c.Resolve(k)
	if err == nil && len(recipe.Modules) == 0 {
		err = &dkms.Error{Kind: dkms.ModuleNotProduced, Object: recipe.Ref.String(), Problem: "its dkms.conf names no module", Hint: "a package without modules is made by dkms-mkpkg source"}
	}
	return recipe, err
}

// task finds all that the build for k needs.
func (w *workshop) task(ctx context.Context, k kbuild.Kernel) (task, error) {
	recipe, err := w.recipe(ctx, k, w.trees(k))
	if err != nil {
		return task{}, err
	}
	t := task{}
	if t.job, err = w.job(k, recipe); err != nil {
		return task{}, err
	}
	if t.built, err = w.inputs(ctx, k, recipe); err != nil {
		return task{}, err
	}
	t.built.Against = map[string]string{}
	for _, d := range t.job.Depends {
		if t.built.Against[d.Name], err = system.Hash(d.Symvers); err != nil {
			return task{}, err
		}
	}
	return t, nil
}

func (w *workshop) build(ctx context.Context, t task) (Built, error) {
	result, err := kbuild.Build(ctx, t.job)
	if err != nil {
		return Built{}, cannotBuildIn(w.o.Scratch, err)
	}
	b := t.built
	b.Warnings, b.Phases, b.Log = append(b.Warnings, result.Warnings...), result.Phases, filepath.Join(result.Stage, "log", "make.log")
	return b, w.collect(&b, t.job, result)
}

// job is everything that the build for k is told.
func (w *workshop) job(k kbuild.Kernel, recipe kbuild.Recipe) (kbuild.Job, error) {
	signer, err := w.signer(k)
	if err != nil {
		return kbuild.Job{}, err
	}
	depends, err := w.depends(k, recipe)
	if err != nil {
		return kbuild.Job{}, err
	}
	home := filepath.Join(w.trees(k).DKMS, recipe.Name, recipe.Version)
	job := kbuild.Job{
		Recipe: recipe, Kernel: k, Source: w.source(),
		// Some packages name these outright. Where they are there, and may be
		// bound over, such a package finds the copy and nothing older.
		SourceAliases: []string{w.source(), w.installed(), filepath.Join("/var/lib/dkms", recipe.Name, recipe.Version, "build")},
		Build:         filepath.Join(home, "build"), Stage: filepath.Join(home, k.Release, k.Arch), Scratch: filepath.Join(home, ".scratch"),
		Depends: depends, Env: w.environment(k, filepath.Join(home, "build")), Timeout: silence, Signer: signer, Progress: w.o.Progress,
	}
	for _, dir := range []string{job.Build, job.Stage, job.Scratch, w.temporary()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return kbuild.Job{}, cannotBuildIn(w.o.Scratch, err)
		}
	}
	return job, nil
}

// temporary is where compilers leave what they do not need for long, and what
// they could not remove when they were killed.
func (w *workshop) temporary() string { return filepath.Join(w.o.Scratch, "tmp") }

// environment keeps the name of the scratch directory out of the modules, and
// of the build ID that is made from them with their debug information.
func (w *workshop) environment(k kbuild.Kernel, build string) []string {
	option := "-fdebug-prefix-map="
	if atLeast(k.Config.Value("CONFIG_GCC_VERSION"), 80000) || atLeast(k.Config.Value("CONFIG_CLANG_VERSION"), 100000) {
		option = "-ffile-prefix-map=" // for __FILE__, too
	}
	flag := option + build + "=" + w.installed()
	env := []string{"TMPDIR=" + w.temporary()}
	for _, name := range []string{"KCFLAGS", "KAFLAGS"} {
		env = append(env, name+"="+strings.TrimSpace(os.Getenv(name)+" "+flag))
	}
	return env
}

func atLeast(number string, least int) bool {
	n := 0
	_, err := fmt.Sscan(number, &n)
	return err == nil && n >= least
}

// installed is where a package with the source would bring it.
func (w *workshop) installed() string {
	return "/usr/src/" + w.d.DKMS.Name + "-" + w.d.DKMS.Version
}
