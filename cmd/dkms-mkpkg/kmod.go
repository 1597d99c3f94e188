package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
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
	options, err := kmodOptions(c, d)
	if err != nil {
		return err
	}
	if err := options.Check(o.formats...); err != nil {
		return err
	}
	if options.Scratch, err = os.MkdirTemp("", "dkms-mkpkg-"); err != nil {
		return err
	}
	built, err := kmod.Build(c.Context, d, options)
	if err != nil {
		return keepLog(err, options.Scratch)
	}
	defer os.RemoveAll(options.Scratch) //nolint:errcheck // it is in /tmp
	var packages []pkgfmt.Package
	for _, f := range o.formats {
		more, err := kmod.Compose(d, built, f, options)
		if err != nil {
			return err
		}
		packages = append(packages, more...)
	}
	return o.write(c, packages, modulesMaterials(c, d, options, built))
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
func kmodOptions(c *cli.Context, d *source.Description) (kmod.Options, error) {
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
	var err error
	o.ABI, err = kmod.ParseABI(abi)
	return o, err
}

// keepLog returns err, and removes the directory that was built in, unless err
// names a log in there.
func keepLog(err error, scratch string) error {
	var problem *dkms.Error
	if errors.As(err, &problem) && strings.HasPrefix(problem.Log, scratch) {
		return err
	}
	return errors.Join(err, os.RemoveAll(scratch))
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
