package cmdline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// A Grammar is what a program's command line is made of.
type Grammar struct {
	Actions []*cli.Command
	// Flags are those of all actions together.
	Flags []cli.Flag
	// Anywhere takes the name of an action for one wherever it stands; else
	// only the first word that is no option names the action.
	Anywhere bool
	// Verbatim is the action after which every word is an operand; a "--" in
	// front of them may be there.
	Verbatim string
}

// Normalise puts a command line in the order that urfave/cli can read: action,
// options, "--", operands. Options and operands may come in any order, a long
// option's value as the next word or after "=", and a short option's as the next
// word only. The errors are of Kind Usage or OneActionOnly.
func (g Grammar) Normalise(args []string) ([]string, error) {
	r := reading{grammar: g, takes: valueTakers(g.Flags)}
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			return r.end(args[i+1:]), nil
		case !strings.HasPrefix(word, "-") || word == "-":
			if err := r.plain(word); err != nil {
				return nil, err
			}
			if r.action != "" && r.action == g.Verbatim {
				return r.end(withoutDashes(args[i+1:])), nil
			}
		default:
			took, err := r.option(word, args[i+1:])
			if err != nil {
				return nil, err
			}
			i += took
		}
	}
	return r.end(nil), nil
}

// A reading is a command line, as far as it has been read.
type reading struct {
	grammar           Grammar
	takes             map[string]bool
	action            string
	options, operands []string
}

// plain takes a word that is no option.
func (r *reading) plain(word string) error {
	named := isAction(word, r.grammar.Actions) && (r.grammar.Anywhere || r.action == "" && len(r.operands) == 0)
	switch {
	case !named:
		r.operands = append(r.operands, word)
	case r.action != "":
		return &dkms.Error{Kind: dkms.OneActionOnly, Object: r.action + " and " + word, Problem: "only one action can be done at a time"}
	default:
		r.action = word
	}
	return nil
}

// option takes an option and tells how many of the words after it belong to it.
func (r *reading) option(word string, rest []string) (took int, err error) {
	name, value, joined := strings.Cut(word, "=")
	valued, known := r.takes[name]
	switch {
	case !known || (joined && !strings.HasPrefix(word, "--")):
		return 0, usage(word, "unknown option")
	case joined && !valued:
		return 0, usage(name, "takes no value")
	case !valued:
		r.options = append(r.options, name)
		return 0, nil
	case joined:
		r.options = append(r.options, name, value)
		return 0, nil
	case len(rest) == 0:
		return 0, usage(name, "needs a value")
	}
	r.options = append(r.options, name, rest[0])
	return 1, nil
}

func (r *reading) end(operands []string) []string {
	return compose(r.action, r.options, append(r.operands, operands...))
}

func withoutDashes(words []string) []string {
	if len(words) > 0 && words[0] == "--" {
		return words[1:]
	}
	return words
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
