package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/recipe"
)

func initialise(c *cli.Context) error {
	dir, err := operand(c, ".")
	if err != nil {
		return err
	}
	text, err := recipe.Init(c.Context, dir, recipe.InitOptions{})
	if err != nil {
		return err
	}
	return put(c, dir, []pkgfmt.File{{Path: "dkms.conf", Mode: 0o644, Data: text}})
}

// put writes files below dir and prints their paths. Without --force it writes
// none if one of them is there.
func put(c *cli.Context, dir string, files []pkgfmt.File) error {
	if !c.Bool("force") {
		for _, f := range files {
			if path := filepath.Join(dir, f.Path); system.Exists(path) {
				return &dkms.Error{Object: path, Problem: "is there already", Hint: "--force replaces it"}
			}
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return cannotWrite(path, err)
		}
		if err := system.WriteFile(path, f.Data, f.Mode); err != nil {
			return cannotWrite(path, err)
		}
		if _, err := c.App.Writer.Write([]byte(path + "\n")); err != nil {
			return err
		}
	}
	return nil
}

func cannotWrite(path string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return &dkms.Error{Object: path, Problem: "cannot be written", Err: err}
}
