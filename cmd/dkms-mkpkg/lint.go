package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/pkgfmt/lint"
)

// findings is the status of a lint that found something; what it found has been
// printed.
type findings int

// Error returns what the status means.
func (f findings) Error() string {
	if f == foundErrors {
		return "errors were found"
	}
	return "warnings were found"
}

// The statuses of lint.
const (
	foundWarnings findings = 1
	foundErrors   findings = 2
)

func lintPaths(c *cli.Context) error {
	if c.Bool("rules") {
		return listRules(c)
	}
	if c.Bool("json") && c.Bool("sarif") {
		return usage("--json and --sarif", "only one can be printed", "")
	}
	paths := c.Args().Slice()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var all []lint.Finding
	for _, path := range paths {
		found, err := lint.Path(c.Context, path)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	write := lint.WriteText
	switch {
	case c.Bool("json"):
		write = lint.WriteJSON
	case c.Bool("sarif"):
		write = lint.WriteSARIF
	}
	if err := write(c.App.Writer, all); err != nil {
		return err
	}
	return verdict(all)
}

// verdict is nil when nothing was found that somebody has to mend.
func verdict(all []lint.Finding) error {
	switch lint.Worst(all) {
	case lint.Error:
		return foundErrors
	case lint.Warning:
		return foundWarnings
	}
	return nil
}

func listRules(c *cli.Context) error {
	for _, r := range lint.Rules() {
		if _, err := fmt.Fprintf(c.App.Writer, "%-24s %-8s %s\n", r.Name, r.Severity, r.Text); err != nil {
			return err
		}
	}
	return nil
}
