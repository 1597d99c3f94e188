package read

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// The limits of what is unpacked to evaluate a dkms.conf.
const (
	maxConf    = 1 << 20 // bytes of the file, and of each that it names
	maxSourced = 100     // files that it names
	maxSources = 100     // dkms.conf files of a package
)

// A source is a directory below /usr/src with a dkms.conf.
type source struct {
	dir  string
	text []byte
}

// sourceDir returns the source that a dkms.conf is of: where DKMS looks for it,
// /usr/src/NAME-VER/dkms.conf.
func sourceDir(file string) (string, bool) {
	dir, name := path.Split(file)
	dir = path.Clean(dir)
	return dir, name == "dkms.conf" && path.Dir(dir) == "/usr/src"
}

// plainKernel stands in where no kernel is given: it has no configuration, so
// that nothing is excluded for want of an option.
var plainKernel = kbuild.Kernel{KernelID: dkms.KernelID{Release: "6.1.0", Arch: "x86_64"}, Source: "/lib/modules/6.1.0/build", Suffix: ".ko"}

// readSources evaluates the dkms.conf files, each in a private directory with
// no more in it than it names.
func (o Options) readSources(ctx context.Context, p *Package, sources []source) (out []SourceReport, err error) {
	out = []SourceReport{}
	if len(sources) == 0 {
		return out, nil
	}
	if len(sources) > maxSources {
		return nil, named(p.Path, flawed("/usr/src", "has more than %d dkms.conf files", maxSources))
	}
	slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.dir, b.dir) })
	scratch, err := os.MkdirTemp("", "dkms-mkpkg-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := p.unpack(scratch, sources); err != nil {
		return nil, err
	}
	for _, s := range sources {
		e := evaluator{scratch: scratch, dir: s.dir, patience: cmp.Or(o.patience, 2*time.Second)}
		out = append(out, e.all(ctx, o.Kernels))
	}
	return out, nil
}

// unpack writes the dkms.conf files, and the files beside and below each whose
// names occur in it: those that it may source or read.
func (p *Package) unpack(scratch string, sources []source) error {
	wanted := map[string]bool{}
	for _, s := range sources {
		wanted[s.dir+"/dkms.conf"] = true
		n := 0
		for _, f := range p.Files {
			if strings.HasPrefix(f.Path, s.dir+"/") && f.Regular() && f.Size <= maxConf &&
				strings.Contains(string(s.text), path.Base(f.Path)) && n < maxSourced {
				wanted[f.Path] = true
				n++
			}
		}
	}
	return p.Walk(func(f File, body io.Reader) error {
		if !wanted[f.Path] {
			return nil
		}
		to := filepath.Join(scratch, strings.TrimPrefix(f.Path, "/usr/src/"))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(body, maxConf+1))
		if err == nil && len(text) > maxConf {
			err = named(p.Path, flawed(f.Path, "has more than %d bytes", maxConf))
		}
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	})
}

// An evaluator evaluates one dkms.conf.
type evaluator struct {
	scratch, dir string
	patience     time.Duration
}

// all evaluates it for each kernel; what is not about one is from the first.
// Messages name its place in the package.
func (e evaluator) all(ctx context.Context, kernels []kbuild.Kernel) SourceReport {
	r := SourceReport{Dir: e.dir, Modules: []BuiltReport{}, Depends: []string{}, Warnings: []string{}, Problems: []string{}, Kernels: []KernelReport{}}
	if len(kernels) == 0 {
		c, problems := e.load(ctx, plainKernel)
		e.describe(&r, c, problems)
		return r
	}
	for i, k := range kernels {
		c, problems := e.load(ctx, k)
		if i == 0 {
			e.describe(&r, c, problems)
		}
		r.Kernels = append(r.Kernels, e.report(c, problems, k))
	}
	return r
}

// load returns the evaluated file, nil when nothing is known of it, and what is
// wrong with it.
func (e evaluator) load(ctx context.Context, k kbuild.Kernel) (*conf.Conf, []string) {
	c, err := conf.Load(ctx, conf.Request{
		File:     filepath.Join(e.scratch, path.Base(e.dir), "dkms.conf"),
		Trees:    conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"},
		NoJobs:   true, // their number is this machine's
		Programs: conf.Harmless(), Timeout: e.patience,
	}, k)
	problems := []string{}
	var invalid *conf.Invalid
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			problems = append(problems, e.inPackage(p.String()))
		}
	case err != nil:
		problems = append(problems, e.inPackage(err.Error()))
	}
	return c, problems
}

// inPackage names the places of a message as they are in the package.
func (e evaluator) inPackage(message string) string {
	return strings.ReplaceAll(message, e.scratch, "/usr/src")
}

// describe tells what a dkms.conf says for whatever kernel.
func (e evaluator) describe(r *SourceReport, c *conf.Conf, problems []string) {
	r.Problems = problems
	if c == nil {
		return
	}
	r.Name, r.Version, r.Autoinstall = c.PackageName, c.PackageVersion, c.Autoinstall
	r.Depends = list(c.Depends)
	for _, m := range c.Modules {
		r.Modules = append(r.Modules, builtReport(m, ""))
	}
	for _, w := range c.Warnings {
		r.Warnings = append(r.Warnings, e.inPackage(w.String()))
	}
}

// report tells what a dkms.conf, evaluated for a kernel, means for it.
func (e evaluator) report(c *conf.Conf, problems []string, k kbuild.Kernel) KernelReport {
	r := KernelReport{Release: k.Release, Arch: k.Arch, Headers: k.Headers, Modules: []BuiltReport{}, Patches: []string{},
		Depends: []string{}, Scripts: []CommandReport{}}
	r.Problems = list(problems)
	if c == nil || len(problems) > 0 {
		return r
	}
	recipe, err := c.Resolve(k)
	var excluded *dkms.Error
	if errors.As(err, &excluded) {
		r.Excluded = excluded.Problem
	} else if err != nil {
		r.Problems = append(r.Problems, e.inPackage(err.Error()))
	}
	r.Make = e.inPackage(recipe.Make)
	r.Patches, r.Depends = list(recipe.Patches), list(recipe.Depends)
	for _, m := range recipe.Modules {
		r.Modules = append(r.Modules, builtReport(m, ""))
	}
	for _, s := range recipe.Skipped {
		r.Modules = append(r.Modules, builtReport(s.Module, s.Why))
	}
	for _, s := range []CommandReport{
		{"POST_ADD", recipe.PostAdd}, {"PRE_BUILD", recipe.PreBuild}, {"POST_BUILD", recipe.PostBuild},
		{"PRE_INSTALL", recipe.PreInstall}, {"POST_INSTALL", recipe.PostInstall}, {"POST_REMOVE", recipe.PostRemove},
	} {
		if s.Command != "" {
			r.Scripts = append(r.Scripts, CommandReport{s.Name, e.inPackage(s.Command)})
		}
	}
	return r
}

func builtReport(m kbuild.Module, excluded string) BuiltReport {
	return BuiltReport{Built: m.Built, BuiltDir: m.BuiltDir, Dest: m.Dest, DestDir: m.DestDir, Strip: m.Strip, Excluded: excluded}
}
