package main

import (
	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// flags are those of every action, as in DKMS: an action ignores what does not
// concern it.
func flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "module", Aliases: []string{"m"}, Usage: "package `NAME[/VER]`"},
		&cli.StringFlag{Name: "v", Usage: "package version `VER`"},
		&cli.StringSliceFlag{Name: "kernelver", Aliases: []string{"k"}, Usage: "kernel release `K[/ARCH]`; may be given again"},
		&cli.StringSliceFlag{Name: "arch", Aliases: []string{"a"}, Usage: "architecture `ARCH` of each -k"},
		&cli.BoolFlag{Name: "all", Usage: "every kernel the package is built for"},
		&cli.BoolFlag{Name: "all-kernels", Usage: "plan, sync: every kernel on disk, as without -k"},
		&cli.StringFlag{Name: "c", Usage: "use this dkms.conf `FILE`"},
		&cli.StringFlag{Name: "config", Usage: "kernel configuration `FILE` (.config or auto.conf)"},
		&cli.StringFlag{Name: "kernelsourcedir", Usage: "kernel headers in `DIR`"},
		&cli.StringFlag{Name: "templatekernel", Usage: "match: do as on kernel `K`"},
		&cli.StringFlag{Name: "archive", Usage: "mktarball, ldtarball: the tarball `FILE`"},
		&cli.StringSliceFlag{Name: "directive", Usage: "`NAME=VALUE` wins over dkms.conf; may be given again"},
		&cli.BoolFlag{Name: "force", Usage: "do it although it is done, or something speaks against it"},
		&cli.BoolFlag{Name: "force-version-override", Usage: "install although the kernel has the same or a newer version"},
		&cli.BoolFlag{Name: "binaries-only", Usage: "mktarball: without the source"},
		&cli.BoolFlag{Name: "source-only", Usage: "mktarball: without built modules"},
		&cli.BoolFlag{Name: "no-depmod", Usage: "do not run depmod"},
		&cli.BoolFlag{Name: "modprobe-on-install", Usage: "load the modules after installing them on the running kernel"},
		&cli.BoolFlag{Name: "rpm_safe_upgrade", Usage: "for scriptlets of RPM packages: keep what an upgrade has just installed"},
		&cli.StringFlag{Name: "dkmstree", Usage: "the tree is `DIR`"},
		&cli.StringFlag{Name: "sourcetree", Usage: "sources are in `DIR`"},
		&cli.StringFlag{Name: "installtree", Usage: "modules are in `DIR`"},
		&cli.BoolFlag{Name: "symlink-modules", Usage: "install links to the tree instead of copies"},
		&cli.IntFlag{Name: "j", Value: -1, Usage: "run `N` compilers at a time (0: one for each CPU)"},
		&cli.StringFlag{Name: "root", Usage: "work inside `DIR`, a root file system; every other path is looked up in there"},
		&cli.StringFlag{Name: "trace", Usage: "write what ran when to `FILE`, for ui.perfetto.dev (-: standard output)"},
		&cli.StringFlag{Name: "html", Usage: "report: write a page to `FILE` (-: standard output)"},
		&cli.BoolFlag{Name: "fix", Usage: "doctor: mend what is safe to mend"},
		&cli.BoolFlag{Name: "json", Usage: "machine-readable output (status, plan, check, doctor, report, cache)"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print errors only"},
		&cli.BoolFlag{Name: "verbose", Usage: "print what the build prints"},
		&cli.BoolFlag{Name: "debug", Usage: "the same as --verbose"},
		&cli.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "print the version and stop"},
		&cli.BoolFlag{Name: "no-initrd", Hidden: true},
		&cli.BoolFlag{Name: "no-clean-kernel", Hidden: true},
		&cli.BoolFlag{Name: "no-prepare-kernel", Hidden: true},
	}
}

// ignored are options of old DKMS versions that no longer mean anything.
var ignored = []string{"no-initrd", "no-clean-kernel", "no-prepare-kernel"}

// callOf reads what the flags of c say. Conflicts between options are the
// business of hooks, which knows the actions.
func callOf(c *cli.Context, compatible bool) (call.Call, error) {
	jobs := c.Int("j")
	if c.IsSet("j") && jobs < 0 {
		return call.Call{}, &dkms.Error{Kind: dkms.Usage, Object: "-j", Problem: "the number of jobs cannot be negative"}
	}
	for _, name := range []string{"trace", "html"} {
		if c.IsSet(name) && c.String(name) == "" {
			return call.Call{}, &dkms.Error{Kind: dkms.Usage, Object: "--" + name, Problem: "needs a value", Hint: "--help lists the actions and options"}
		}
	}
	return call.Call{
		Action:   c.Command.Name,
		Operands: c.Args().Slice(),
		Module:   c.String("module"),
		Version:  c.String("v"),

		Kernels:        c.StringSlice("kernelver"),
		Arches:         c.StringSlice("arch"),
		All:            c.Bool("all"),
		AllKernels:     c.Bool("all-kernels"),
		ConfFile:       c.String("c"),
		KernelConfig:   c.String("config"),
		KernelSource:   c.String("kernelsourcedir"),
		TemplateKernel: c.String("templatekernel"),
		Archive:        c.String("archive"),
		Fix:            c.Bool("fix"),
		Directives:     c.StringSlice("directive"),

		Force:             c.Bool("force"),
		ForceVersion:      c.Bool("force-version-override"),
		BinariesOnly:      c.Bool("binaries-only"),
		SourceOnly:        c.Bool("source-only"),
		NoDepmod:          c.Bool("no-depmod"),
		ModprobeOnInstall: c.Bool("modprobe-on-install"),
		RPMSafeUpgrade:    c.Bool("rpm_safe_upgrade"),

		DKMSTree:       c.String("dkmstree"),
		SourceTree:     c.String("sourcetree"),
		InstallTree:    c.String("installtree"),
		SymlinkModules: c.Bool("symlink-modules"),
		Jobs:           jobs,
		Root:           c.String("root"),
		Trace:          c.String("trace"),
		HTML:           c.String("html"),
		JSON:           c.Bool("json"),
		Quiet:          c.Bool("quiet"),
		Verbose:        c.Bool("verbose"),
		Debug:          c.Bool("debug"),
		Compatible:     compatible,
	}, nil
}
