package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/kmod"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// sourceTree is where the sources of registered packages lie.
const sourceTree = "/usr/src"

func packModules(c *cli.Context) error {
	o, err := readOutput(c, pkgfmt.Deb, pkgfmt.RPM)
	if err != nil {
		return err
	}
	dir, err := moduleSource(c)
	if err != nil {
		return err
	}
	d, err := describe(c, dir)
	if err != nil {
		return err
	}
	options, err := kmodOptions(c, d, o)
	if err != nil {
		return err
	}
	if err := write.Writable(o.options.Dir); err != nil {
		return err
	}
	if options.Scratch, err = os.MkdirTemp("", "dkms-mkpkg-"); err != nil {
		return &dkms.Error{Object: os.TempDir(), Problem: "cannot be built in", Err: err, Hint: "set TMPDIR to a directory that can"}
	}
	defer os.RemoveAll(options.Scratch) //nolint:errcheck // it is in /tmp
	built, err := kmod.Build(c.Context, d, options)
	if err != nil {
		return keepLog(c.Context, err, options.Scratch)
	}
	warnOf(c, built)
	packages, err := composeModules(d, built, o.formats, options)
	if err != nil {
		return err
	}
	return o.write(c, packages, modulesMaterials(c, d, options, built))
}

func composeModules(d *source.Description, built []kmod.Built, formats []pkgfmt.Format, o kmod.Options) (packages []pkgfmt.Package, err error) {
	for _, f := range formats {
		more, err := kmod.Compose(d, built, f, o)
		if err != nil {
			return nil, err
		}
		packages = append(packages, more...)
	}
	return packages, nil
}

// warnOf says what was odd about the builds.
func warnOf(c *cli.Context, built []kmod.Built) {
	if c.Bool("quiet") {
		return
	}
	for _, b := range built {
		for _, w := range b.Warnings {
			console(c.App.ErrWriter).Warn(b.Recipe.Package.String() + " for " + b.Kernel.Release + ": " + w)
		}
	}
}

// moduleSource is the directory of the operand, which NAME/VER names, too.
func moduleSource(c *cli.Context) (string, error) {
	given, err := operand(c, ".")
	if err != nil || isDir(given) {
		return given, err
	}
	name, version, ok := strings.Cut(given, "/")
	if dir := filepath.Join(sourceTree, name+"-"+version); ok && isDir(dir) {
		return dir, nil
	}
	return "", usage(given, "is neither a directory nor NAME/VER of a directory in "+sourceTree, "")
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// kmodOptions are the flags of building, and what dkms-mkpkg.yaml says instead.
func kmodOptions(c *cli.Context, d *source.Description, out output) (kmod.Options, error) {
	o := kmod.Options{
		Kernels: c.StringSlice("kernel"), InstallTree: c.String("installtree"), Headers: c.String("kernelsourcedir"),
		ImageVersion: c.String("image-version"), Debug: c.Bool("debug"), NoMeta: c.Bool("no-meta"), Jobs: c.Int("j"),
		Key: ko.KeyPair{Key: c.String("key"), Cert: c.String("cert")},
	}
	if len(o.Kernels) == 0 {
		o.Kernels = d.Kmod.Kernels
	}
	if (o.Key.Key == "") != (o.Key.Cert == "") {
		return o, usage("--key and --cert", "one is given without the other", "the certificate goes with the private key")
	}
	abi := c.String("abi")
	if !c.IsSet("abi") && d.Kmod.ABI != "" {
		abi = d.Kmod.ABI
	}
	if c.Bool("verbose") {
		o.Progress = func(line string) { fmt.Fprintln(c.App.ErrWriter, line) }
	}
	for _, text := range c.StringSlice("symvers") {
		depend, err := kmod.ParseDepend(text)
		if err != nil {
			return o, err
		}
		o.Depends = append(o.Depends, depend)
	}
	var err error
	if o.ABI, err = kmod.ParseABI(abi); err != nil {
		return o, err
	}
	if c.IsSet("abi") && o.ABI == kmod.Ksym && !slices.Contains(out.formats, pkgfmt.RPM) {
		return o, usage("--abi ksym", "is for RPMs: a .deb is for one kernel", "leave it out, or make an rpm")
	}
	o.Ready = func(planned []kmod.Built) error {
		packages, err := composeModules(d, planned, out.formats, o)
		if err != nil {
			return err
		}
		return out.check(packages)
	}
	return o, o.Check(out.formats...)
}

// keepLog moves the log of a build that failed out of the directory that was
// built in, and has err say so. Who interrupted it wants none.
func keepLog(ctx context.Context, err error, scratch string) error {
	var failed *kbuild.BuildError
	if !errors.As(err, &failed) || !strings.HasPrefix(failed.Log, scratch) {
		return err
	}
	log := scratch + ".log"
	if ctx.Err() != nil || os.Rename(failed.Log, log) != nil {
		log = ""
	}
	failed.Log = log
	return err
}

// modulesMaterials says of each package which kernel its modules are for.
func modulesMaterials(c *cli.Context, d *source.Description, o kmod.Options, built []kmod.Built) func(pkgfmt.Package) write.Materials {
	return func(p pkgfmt.Package) write.Materials {
		m := materials(c, d)
		m.Parameters["abi"] = string(o.ABI)
		i := slices.IndexFunc(built, func(b kmod.Built) bool { return holdsModulesOf(p, b.Kernel.Release) })
		if i >= 0 {
			b := built[i]
			m.Parameters["kernel"] = b.Kernel.Release
			for name, hash := range b.Against {
				m.Parameters["symvers of "+name] = hash
			}
			m.Kernel = &write.KernelMaterial{
				Release: b.Kernel.Release, Arch: b.Kernel.Arch,
				Config: b.ConfigHash, Symvers: b.SymversHash, Compiler: b.Fingerprint.Compiler,
			}
		}
		return m
	}
}

func holdsModulesOf(p pkgfmt.Package, release string) bool {
	return slices.ContainsFunc(p.Files, func(f pkgfmt.File) bool {
		return strings.Contains(f.Path, "/modules/"+release+"/")
	})
}
