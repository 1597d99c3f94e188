package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/recipe"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/srcpkg"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

func packSource(c *cli.Context) error {
	o, err := readOutput(c, pkgfmt.Deb, pkgfmt.RPM, pkgfmt.SourceRPM)
	if err != nil {
		return err
	}
	d, err := describeOperand(c)
	if err != nil {
		return err
	}
	var packages []pkgfmt.Package
	for _, f := range o.formats {
		p, err := composeSource(c, d, f)
		if err != nil {
			return err
		}
		packages = append(packages, p)
	}
	return o.write(c, packages, func(pkgfmt.Package) write.Materials { return materials(c, d) })
}

func composeSource(c *cli.Context, d *source.Description, f pkgfmt.Format) (pkgfmt.Package, error) {
	if f != pkgfmt.SourceRPM {
		return srcpkg.Compose(d, f)
	}
	spec, err := recipe.DKMSSpec(d)
	if err != nil {
		return pkgfmt.Package{}, err
	}
	return recipe.SourceRPM(c.Context, d, spec)
}

// describeOperand is describe for the directory that the command line names, this
// one if it names none.
func describeOperand(c *cli.Context) (*source.Description, error) {
	dir, err := operand(c, ".")
	if err != nil {
		return nil, err
	}
	return describe(c, dir)
}

// describe reads a source, and says what is odd about it.
func describe(c *cli.Context, dir string) (*source.Description, error) {
	overrides := map[string]string{}
	for key, flag := range map[string]string{"name": "module", "version": "v", "release": "release"} {
		if c.IsSet(flag) {
			overrides[key] = c.String(flag)
		}
	}
	d, err := source.Read(c.Context, dir, source.Options{Overrides: overrides, Config: c.String("config")})
	if err != nil {
		return nil, err
	}
	if !c.Bool("quiet") {
		for _, w := range d.Warnings {
			console(c.App.ErrWriter).Warn(w)
		}
	}
	return d, nil
}

// An output is what the flags of writing say.
type output struct {
	formats     []pkgfmt.Format
	compression pkgfmt.Compression
	options     write.Options
	plain       bool // without SBOM and provenance
}

// readOutput reads the flags, before anything is done.
func readOutput(c *cli.Context, possible ...pkgfmt.Format) (output, error) {
	o := output{options: write.Options{Dir: c.String("o")}, plain: c.Bool("no-sbom")}
	for _, word := range strings.Split(c.String("format"), ",") {
		f, err := pkgfmt.ParseFormat(word)
		switch {
		case err != nil:
			return o, err
		case !slices.Contains(possible, f):
			return o, usage("--format "+word, "cannot be made by "+c.Command.Name, "")
		case !slices.Contains(o.formats, f):
			o.formats = append(o.formats, f)
		}
	}
	var err error
	if o.compression, err = readCompression(c.String("compress")); err != nil {
		return o, err
	}
	if file := c.String("sign-key"); file != "" {
		key, err := write.ReadKey(file, os.Getenv(write.PassphraseVariable))
		if err != nil {
			return o, err
		}
		o.options.Sign = key
	}
	return o, nil
}

// readCompression reads NAME[:LEVEL].
func readCompression(text string) (pkgfmt.Compression, error) {
	name, level, given := strings.Cut(text, ":")
	out := pkgfmt.Compression{Algorithm: name}
	if !given {
		return out, nil
	}
	n, err := strconv.Atoi(level)
	switch {
	case name == "none":
		return out, usage("--compress "+text, "what is not compressed has no level", "")
	case err != nil || n < 1:
		return out, usage("--compress "+text, fmt.Sprintf("the level %q is no number", level), "such as xz:6")
	}
	out.Level = n
	return out, nil
}

// check reports what keeps packages from being written, and has them compressed
// as the flags say.
func (o output) check(packages []pkgfmt.Package) error {
	for i := range packages {
		packages[i].Compression = o.compression
		if err := write.Check(packages[i]); err != nil {
			return err
		}
	}
	return nil
}

// write puts the packages into files and prints their paths; of tells what each
// is made from. None is written unless all can be.
func (o output) write(c *cli.Context, packages []pkgfmt.Package, of func(pkgfmt.Package) write.Materials) error {
	if err := o.check(packages); err != nil {
		return err
	}
	if o.plain {
		of = nil
	}
	paths, err := write.Packages(c.Context, packages, of, o.options)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.App.Writer, strings.Join(paths, "\n"))
	return err
}

// materials is what the packages are made from and by what.
func materials(c *cli.Context, d *source.Description) write.Materials {
	m := write.Materials{
		Builder:    write.Builder{Name: "dkms-mkpkg", Version: version, Go: runtime.Version()},
		Parameters: map[string]string{"command": c.Command.Name},
		Source:     write.SourceMaterial{Name: d.DKMS.Name, Version: d.DKMS.Version, SHA256: d.Hash},
	}
	if g := d.Git; g != nil {
		m.Source.Repository, m.Source.Commit, m.Source.Tag, m.Source.Dirty = g.Remote, g.Commit, g.Tag, g.Dirty
	}
	return m
}

func printSchema(c *cli.Context) error {
	if c.Args().Present() {
		return usage(c.Args().First(), "schema takes no operand", "")
	}
	_, err := c.App.Writer.Write(source.Schema())
	return err
}
