package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/pkgfmt/recipe"
)

// commands are the actions, in the order of a package's life.
func commands() []*cli.Command {
	return []*cli.Command{
		{
			Name: "init", ArgsUsage: "[DIRECTORY]",
			Usage:       "write a dkms.conf for a module's source",
			Description: "Finds the modules that the Makefiles build, and their version, and explains each line that it writes.\nA dkms.conf that is there already stays, unless --force says otherwise.",
			Flags:       []cli.Flag{forceFlag("replace what is there"), &cli.BoolFlag{Name: "makefile", Usage: "for one C file without a Makefile: write a Kbuild file, too"}},
			Action:      initialise,
		},
		{
			Name: "lint", ArgsUsage: "DIRECTORY | dkms.conf | FILE.deb | FILE.rpm …",
			Usage:       "find what is wrong, or will be",
			Description: "Ends with 0 when nothing is found, 1 for warnings only, 2 for errors. A line \"# lint: ignore RULE\" in\nthe dkms.conf silences one rule.",
			Flags: []cli.Flag{
				jsonFlag(),
				&cli.BoolFlag{Name: "sarif", Usage: "print SARIF 2.1.0, for code review systems"},
				&cli.BoolFlag{Name: "rules", Usage: "list the rules and stop"},
			},
			Action: lintPaths,
		},
		{
			Name: "source", ArgsUsage: "[DIRECTORY]",
			Usage:       "package a source: it is built where it is installed",
			Description: "Makes NAME-dkms_VER_all.deb and NAME-dkms-VER-1.noarch.rpm of a directory with a dkms.conf. They work with\ndkms-hook and with dkms. dkms-mkpkg.yaml beside the dkms.conf says more: dkms-mkpkg schema.\nsrc.rpm is for rpmbuild --rebuild, mock and koji.",
			Flags:       append(describing(), writing("deb, rpm, src.rpm")...),
			Action:      packSource,
		},
		{
			Name: "kmod", ArgsUsage: "[DIRECTORY | NAME/VER]",
			Usage:       "build modules for kernels, and package them built",
			Description: "Needs the kernels' headers and a compiler here, neither where the packages are installed, and not to be root.\nNAME/VER is what lies in /usr/src/NAME-VER.",
			Flags:       append(append(building(), describing()...), writing("deb, rpm")...),
			Action:      packModules,
		},
		{
			Name: "inspect", ArgsUsage: "FILE.deb | FILE.rpm …",
			Usage:       "show what is in packages, ours or not",
			Description: "Identity, relations, scripts, triggers and files; what each module says of itself; and of a package of\nsource, what its dkms.conf means for the kernels of --kernel.",
			Flags: []cli.Flag{
				jsonFlag(),
				&cli.BoolFlag{Name: "symbols", Usage: "list the symbols that each module needs and exports, with their CRCs"},
				kernelFlag("what the dkms.conf means for the kernel `K`; may be given again"), installTreeFlag(),
			},
			Action: inspectFiles,
		},
		{
			Name: "spec", ArgsUsage: "[DIRECTORY]",
			Usage:       "write a spec file, for rpmbuild, mock, koji and OBS",
			Description: "Prints it, or writes it into the directory of -o.",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "kind", Value: recipe.KindDKMS, Usage: "`KIND` of package that it makes: dkms (the source) or kmod (built modules)"},
				outputFlag(""), forceFlag("replace what is there"), quietFlag(),
			}, describing()...),
			Action: writeSpec,
		},
		{
			Name: "debian", ArgsUsage: "[DIRECTORY]",
			Usage:       "write a debian/ directory, for dpkg-buildpackage and sbuild",
			Description: "It uses dh-dkms. Without -o it is written beside the dkms.conf.",
			Flags:       append([]cli.Flag{outputFlag(""), forceFlag("replace what is there"), quietFlag()}, describing()...),
			Action:      writeDebian,
		},
		{
			Name:   "schema",
			Usage:  "print the JSON schema of dkms-mkpkg.yaml",
			Action: printSchema,
		},
	}
}

// describing are the flags that say what a source is, whatever its files say.
func describing() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "module", Aliases: []string{"m"}, Usage: "the package is `NAME`, whatever its dkms.conf says"},
		&cli.StringFlag{Name: "v", Usage: "its version is `VER`"},
		&cli.StringFlag{Name: "release", Usage: "the packaging's own number is `N`"},
		&cli.StringFlag{Name: "config", Usage: "use `FILE` instead of DIRECTORY/dkms-mkpkg.yaml"},
	}
}

// writing are the flags that say what is written, and where.
func writing(formats string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "deb,rpm", Usage: "make `FORMAT[,FORMAT]`: " + formats},
		outputFlag("."),
		&cli.StringFlag{Name: "compress", Usage: "compress by `NAME[:LEVEL]`: gzip, xz, zstd or none"},
		&cli.StringFlag{Name: "sign-key", Usage: "sign the packages by the OpenPGP private key in `FILE`; DKMS_MKPKG_PASSPHRASE may hold its passphrase"},
		&cli.BoolFlag{Name: "no-sbom", Usage: "write neither FILE.sbom.json nor FILE.provenance.json"},
		quietFlag(),
	}
}

// building are the flags that say how modules are built.
func building() []cli.Flag {
	return []cli.Flag{
		kernelFlag("build for the kernel `K`; may be given again"),
		&cli.StringFlag{Name: "abi", Value: "exact", Usage: "`ABI`: exact for one kernel each; ksym (rpm) for all kernels with the same symbols"},
		installTreeFlag(),
		&cli.StringFlag{Name: "kernelsourcedir", Usage: "kernel headers in `DIR`, for one kernel"},
		&cli.StringFlag{Name: "image-version", Usage: "deb, for a kernel without CONFIG_MODVERSIONS: the modules are for `VER` of its image's package"},
		&cli.StringSliceFlag{Name: "symvers", Usage: "what a package of BUILD_DEPENDS exports, as `NAME=PATH`: the Module.symvers of its build, or a directory with it; may be given again"},
		&cli.StringFlag{Name: "key", Usage: "sign the modules by the private key in `FILE`"},
		&cli.StringFlag{Name: "cert", Usage: "the certificate to it is in `FILE`"},
		&cli.BoolFlag{Name: "debug", Usage: "make packages with debug information, too"},
		&cli.BoolFlag{Name: "no-meta", Usage: "leave out the package that follows the newest kernel"},
		&cli.IntFlag{Name: "j", Usage: "run `N` compilers at a time"},
		&cli.BoolFlag{Name: "verbose", Usage: "print what the build prints"},
	}
}

func kernelFlag(usage string) cli.Flag {
	return &cli.StringSliceFlag{Name: "kernel", Aliases: []string{"k"}, Usage: usage}
}

func installTreeFlag() cli.Flag {
	return &cli.StringFlag{Name: "installtree", Value: "/lib/modules", Usage: "kernels are looked for in `DIR`"}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON"}
}

func forceFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: usage}
}

func quietFlag() cli.Flag {
	return &cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print errors only"}
}

func outputFlag(value string) cli.Flag {
	return &cli.StringFlag{Name: "o", Aliases: []string{"output"}, Value: value, Usage: "write into the directory `DIR`"}
}

// operand returns the one operand that an action takes, or instead.
func operand(c *cli.Context, instead string) (string, error) {
	switch c.NArg() {
	case 0:
		return instead, nil
	case 1:
		return c.Args().First(), nil
	}
	return "", usage(strings.Join(c.Args().Slice(), " "), "too many operands", c.Command.Name+" takes one: "+c.Command.ArgsUsage)
}
