package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// normalise puts a command line in the order that urfave/cli can read: action,
// options, "--", operands. DKMS takes options and operands in any order, an
// action anywhere among them, a long option's value as the next word or after
// "=", and a short option's as the next word only.
func normalise(args []string, actions []*cli.Command, flags []cli.Flag) ([]string, error) {
	takes := valueTakers(flags)
	var action string
	var options, operands []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			operands = append(operands, args[i+1:]...)
			break
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			if !isAction(word, actions) {
				operands = append(operands, word)
				continue
			}
			if action != "" {
				return nil, &dkms.Error{Kind: dkms.OneActionOnly, Object: action + " and " + word, Problem: "only one action can be done at a time"}
			}
			if action = word; action == "hook" {
				// What follows are the words of whoever called the script.
				words := args[i+1:]
				if len(words) > 0 && words[0] == "--" {
					words = words[1:]
				}
				return compose(action, options, append(operands, words...)), nil
			}
			continue
		}
		name, value, joined := strings.Cut(word, "=")
		valued, known := takes[name]
		switch {
		case !known || (joined && !strings.HasPrefix(word, "--")):
			return nil, usage(word, "unknown option")
		case joined && !valued:
			return nil, usage(name, "takes no value")
		case valued && !joined:
			if i++; i == len(args) {
				return nil, usage(name, "needs a value")
			}
			value = args[i]
			fallthrough
		case valued:
			options = append(options, name, value)
		default:
			options = append(options, name)
		}
	}
	return compose(action, options, operands), nil
}

// compose leaves out the action where there is none, for --help and --version.
func compose(action string, options, operands []string) []string {
	out := []string{}
	if action != "" {
		out = append(out, action)
	}
	out = append(out, options...)
	return append(append(out, "--"), operands...)
}

func usage(object, problem string) error {
	return &dkms.Error{Kind: dkms.Usage, Object: object, Problem: problem, Hint: "--help lists the actions and options"}
}

func isAction(word string, actions []*cli.Command) bool {
	return slices.ContainsFunc(actions, func(c *cli.Command) bool { return c.HasName(word) })
}

// valueTakers maps every spelling of every flag to whether it takes a value.
func valueTakers(flags []cli.Flag) map[string]bool {
	takes := map[string]bool{"-h": false, "--help": false}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			takes[dashed(name)] = !isBool
		}
	}
	return takes
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return fmt.Sprintf("--%s", name)
}
