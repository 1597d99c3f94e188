package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
)

func inspectFiles(c *cli.Context) error {
	if c.NArg() == 0 {
		return usage("inspect", "no file given", "name a .deb or an .rpm")
	}
	kernels, err := openKernels(c)
	if err != nil {
		return err
	}
	options := read.Options{Kernels: kernels, Symbols: c.Bool("symbols")}
	for i, path := range c.Args().Slice() {
		r, err := options.Inspect(c.Context, path)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			err = r.WriteJSON(c.App.Writer)
		} else {
			if i > 0 {
				fmt.Fprintln(c.App.Writer)
			}
			err = r.WriteText(c.App.Writer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openKernels opens the kernels that --kernel names.
func openKernels(c *cli.Context) ([]kbuild.Kernel, error) {
	arch, err := kbuild.HostArch()
	if err != nil {
		return nil, err
	}
	var all []kbuild.Kernel
	for _, release := range c.StringSlice("kernel") {
		if err := dkms.CheckWord("kernel release", release); err != nil {
			return nil, err
		}
		k, err := kbuild.OpenKernel(kbuild.KernelOptions{
			ID:          dkms.KernelID{Release: release, Arch: arch},
			InstallTree: c.String("installtree"),
		})
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}
