package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/hooks"
	"github.com/dkms-hook/dkms-hook/internal/cmdline"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

// version is set by the linker (-X main.version=…).
var version = "devel"

// level is the DKMS release whose interface is offered to those who call us
// dkms; packages depend on it by number.
const level = "3.4.3"

func main() {
	collectLater()
	cli.FlagStringer = cmdline.FlagLine
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// collectLater has the heap grow to 16 MiB before it is collected for the first
// time, and from then on as usual: most runs end before that, and those that
// build need no more memory for it.
func collectLater() {
	usual := debug.SetGCPercent(400)
	type sentinel struct{ _ *byte } // one with a pointer is never put together with others
	runtime.AddCleanup(&sentinel{}, func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// run is the program without its end: it returns the exit status.
func run(argv []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends us at once
	compatible := filepath.Base(argv[0]) == "dkms"
	app := newApp(compatible, stdout, stderr)
	grammar := cmdline.Grammar{Actions: app.Commands, Flags: flags(), Anywhere: true, Verbatim: "hook"}
	args, err := grammar.Normalise(argv[1:])
	if err == nil {
		// Only who parses them gets the options: a lot is made of each.
		if c := app.Command(args[0]); c != nil {
			c.Flags = grammar.Flags
		} else {
			app.Flags = grammar.Flags
		}
		err = app.RunContext(ctx, append([]string{app.Name}, args...))
	}
	if err == nil {
		return 0
	}
	hooks.Console(stderr, false).Problem(err)
	return report.ExitStatus(err)
}

func newApp(compatible bool, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                      "dkms-hook",
		Usage:                     "keep out-of-tree kernel modules built for every kernel",
		UsageText:                 "dkms-hook ACTION [OPTION …] [NAME/VER | DIRECTORY | dkms.conf | ARCHIVE]",
		Writer:                    stdout,
		ErrWriter:                 stderr,
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {}, // run decides the status
		OnUsageError:              badValue,
		CustomAppHelpTemplate:     cli.AppHelpTemplate + exitStatusHelp,
	}
	if compatible {
		app.Name, app.UsageText = "dkms", "dkms ACTION [OPTION …] [NAME/VER | DIRECTORY | dkms.conf | ARCHIVE]"
	}
	app.Action = func(c *cli.Context) error { return noAction(c, compatible) }
	for _, a := range hooks.Actions(compatible) {
		app.Commands = append(app.Commands, command(app.Name, a, compatible))
	}
	return app
}

func command(program string, a hooks.Action, compatible bool) *cli.Command {
	return &cli.Command{
		Name:               a.Name,
		Hidden:             a.Hidden,
		Usage:              a.Usage,
		UsageText:          strings.TrimSpace(program + " " + a.Name + " [OPTION …] " + a.Operands),
		Description:        a.Help,
		HideHelpCommand:    true,
		OnUsageError:       badValue,
		CustomHelpTemplate: cli.CommandHelpTemplate + exitStatusHelp,
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				return printVersion(c.App.Writer, compatible)
			}
			request, err := callOf(c, compatible)
			if err != nil {
				return err
			}
			for _, name := range ignored {
				if c.IsSet(name) {
					fmt.Fprintf(c.App.ErrWriter, "warning: --%s: means nothing any more and is ignored\n", name)
				}
			}
			engine := hooks.Engine{Stdout: c.App.Writer, Stderr: c.App.ErrWriter, Version: version}
			return engine.Do(c.Context, request)
		},
	}
}

// badValue is for values that are none of their flag's; Normalise has seen to
// the rest.
func badValue(_ *cli.Context, err error, _ bool) error {
	return &dkms.Error{Kind: dkms.Usage, Object: "command line", Problem: err.Error(), Hint: "--help lists the actions and options"}
}

// noAction is what happens when no known action was named.
func noAction(c *cli.Context, compatible bool) error {
	if c.Bool("version") {
		return printVersion(c.App.Writer, compatible)
	}
	if c.Args().First() == "help" {
		return cli.ShowAppHelp(c)
	}
	hint := "--help lists the actions and options"
	if c.Args().Present() {
		return &dkms.Error{Kind: dkms.Usage, Object: c.Args().First(), Problem: "unknown action", Hint: hint}
	}
	return &dkms.Error{Kind: dkms.Usage, Object: c.App.Name, Problem: "no action given", Hint: hint}
}

func printVersion(w io.Writer, compatible bool) error {
	text := "dkms-hook " + version
	if compatible {
		text = "dkms-" + level
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

const exitStatusHelp = `
EXIT STATUS:
   0 done, or nothing to do; 2 bad option; 3 not in the tree; 4 broken; 7 a promised module
   was not produced; 8 dkms.conf invalid; 10 the build failed; 11 autoinstall: at least one
   package failed; 21 no kernel headers; 77 excluded by rule. All: docs/exit-status.md
`
