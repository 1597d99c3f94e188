package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/recipe"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

func initialise(c *cli.Context) error {
	dir, err := operand(c, ".")
	if err != nil {
		return err
	}
	if err := recipe.Check(dir, c.Bool("force")); err != nil {
		return err
	}
	draft, err := recipe.Init(c.Context, dir, recipe.InitOptions{Makefile: c.Bool("makefile")})
	if err != nil {
		return err
	}
	files := []pkgfmt.File{{Path: "dkms.conf", Mode: 0o644, Data: draft.Text}}
	// Without a Makefile there is one C file, or Init had refused.
	if line, err := recipe.Kbuild(dir); err == nil {
		files = append(files, pkgfmt.File{Path: "Kbuild", Mode: 0o644, Data: line})
	}
	if err := put(c, dir, files); err != nil {
		return err
	}
	for _, w := range draft.Warnings {
		console(c.App.ErrWriter).Warn(w)
	}
	return nil
}

func writeSpec(c *cli.Context) error {
	makers := map[string]func(*source.Description) ([]byte, error){recipe.KindDKMS: recipe.DKMSSpec, recipe.KindKmod: recipe.KmodSpec}
	kind := c.String("kind")
	if makers[kind] == nil {
		return usage("--kind "+kind, "is no kind of spec file", "the kinds are dkms and kmod")
	}
	d, err := describeOperand(c)
	if err != nil {
		return err
	}
	text, err := makers[kind](d)
	if err != nil {
		return err
	}
	if c.String("o") == "" {
		_, err := c.App.Writer.Write(text)
		return err
	}
	return put(c, c.String("o"), []pkgfmt.File{{Path: recipe.SpecName(d, kind), Mode: 0o644, Data: text}})
}

func writeDebian(c *cli.Context) error {
	dir, err := operand(c, ".")
	if err != nil {
		return err
	}
	d, err := describe(c, dir)
	if err != nil {
		return err
	}
	files, err := recipe.Debian(d)
	if err != nil {
		return err
	}
	to := dir
	if c.String("o") != "" {
		to = c.String("o")
	}
	return put(c, to, files)
}

// put writes files below dir and prints their paths. Without --force it writes
// none if one of them is there.
func put(c *cli.Context, dir string, files []pkgfmt.File) error {
	paths, err := write.Files(dir, files, c.Bool("force"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.App.Writer, strings.Join(paths, "\n"))
	return err
}
