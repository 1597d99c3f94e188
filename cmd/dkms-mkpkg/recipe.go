package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/recipe"
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
	text, err := recipe.Init(c.Context, dir, recipe.InitOptions{Makefile: c.Bool("makefile")})
	if err != nil {
		return err
	}
	files := []pkgfmt.File{{Path: "dkms.conf", Mode: 0o644, Data: text}}
	// Without a Makefile there is one C file, or Init had refused.
	if line, err := recipe.Kbuild(dir); err == nil {
		files = append(files, pkgfmt.File{Path: "Kbuild", Mode: 0o644, Data: line})
	}
	return put(c, dir, files)
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
