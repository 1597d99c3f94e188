package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/cmdline"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// version is set by the linker (-X main.version=…).
var version = "devel"

// memoryLimit has the garbage collector work harder above it, in bytes. It costs
// no time with a source of 30 MB, and keeps the peak below 100 MiB.
const memoryLimit = 64 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	cli.FlagStringer = cmdline.FlagLine
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run is the program without its end: it returns the exit status.
func run(argv []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends us at once
	app := newApp(stdout, stderr)
	grammar := cmdline.Grammar{Actions: app.Commands, Flags: allFlags(app)}
	args, err := grammar.Normalise(argv[1:])
	if err == nil {
		err = app.RunContext(ctx, append([]string{app.Name}, args...))
	}
	var found findings
	if err != nil && !errors.As(err, &found) {
		console(stderr).Problem(err)
	}
	return exitStatus(ctx, err)
}

func console(w io.Writer) report.Console {
	return report.Console{W: w, Colour: report.Colours(w)}
}

// exitStatus maps what went wrong to the numbers of exitStatusHelp.
func exitStatus(ctx context.Context, err error) int {
	var found findings
	var problem *dkms.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &found):
		return int(found)
	case ctx.Err() != nil:
		return 130
	case errors.As(err, &problem) && problem.Kind == dkms.Usage:
		return 2
	}
	return 1
}

const exitStatusHelp = `
EXIT STATUS:
   0 done; 1 it failed, and nothing was written; 2 bad option; 130 interrupted
   lint: 0 nothing found; 1 warnings only; 2 errors
`

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                      "dkms-mkpkg",
		Usage:                     "make .deb and .rpm packages of kernel modules",
		UsageText:                 "dkms-mkpkg ACTION [OPTION …] [DIRECTORY | NAME/VER | FILE]",
		Writer:                    stdout,
		ErrWriter:                 stderr,
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Flags:                     []cli.Flag{versionFlag()},
		Commands:                  commands(),
		Action:                    noAction,
		ExitErrHandler:            func(*cli.Context, error) {}, // run decides the status
		OnUsageError:              badUsage,
		CustomAppHelpTemplate:     cli.AppHelpTemplate + exitStatusHelp,
	}
	for _, c := range app.Commands {
		c.HideHelpCommand, c.OnUsageError = true, badUsage
		c.UsageText = app.Name + " " + c.Name + " [OPTION …] " + c.ArgsUsage
		c.CustomHelpTemplate = cli.CommandHelpTemplate + exitStatusHelp
	}
	return app
}

func versionFlag() cli.Flag {
	return &cli.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "print the version and stop"}
}

// allFlags are those of the program and of all its actions.
func allFlags(app *cli.App) []cli.Flag {
	all := app.Flags
	for _, c := range app.Commands {
		all = append(all, c.Flags...)
	}
	return all
}

// noAction is what happens when no known action was named.
func noAction(c *cli.Context) error {
	const hint = "--help lists the actions"
	switch {
	case c.Bool("version"):
		_, err := fmt.Fprintln(c.App.Writer, "dkms-mkpkg", version)
		return err
	case c.Args().First() == "help":
		return cli.ShowAppHelp(c)
	case c.Args().Present():
		return usage(c.Args().First(), "unknown action", hint)
	}
	return usage(c.App.Name, "no action given", hint)
}

// badUsage is for flags that the action does not have, and values that are none
// of their flag's.
func badUsage(c *cli.Context, err error, _ bool) error {
	object := "command line"
	if c.Command != nil && c.Command.Name != "" {
		object = c.Command.Name
	}
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		if len(name) > 1 {
			name = "-" + name
		}
		return usage(object, "has no option -"+name, "--help lists the options")
	}
	return usage(object, err.Error(), "--help lists the options")
}

func usage(object, problem, hint string) error {
	return &dkms.Error{Kind: dkms.Usage, Object: object, Problem: problem, Hint: hint}
}
