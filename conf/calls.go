package conf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

var (
	errDiscard = errors.New("bad substitution")
	errTooDeep = errors.New("functions call each other without end")
	errTooBig  = errors.New("its variables grow beyond 4 MiB")
)

// depthLimit is how many frames of Go a program may stack up: some thousands
// of nested calls, far below what a Go stack can hold.
const depthLimit = 12000

// variableLimit bounds what all variables hold together.
const variableLimit = 4 << 20

// call sees every simple command before it runs, and gives builtins of
// mvdan.cc/sh the options of bash that they lack. What it returns runs
// instead; `eval` with prepared text is how it assigns variables.
func (e *evaluation) call(ctx context.Context, args []string) ([]string, error) {
	hc := interp.HandlerCtx(ctx)
	switch args[0] {
	case tickCommand:
		return []string{resultCommand, strconv.Itoa(hc.LastExitStatus)}, e.tick(hc, args)
	case statusCommand:
		return e.savePipeStatus(args), nil
	case returnCommand:
		e.returned = true
		return append([]string{"exit"}, args[1:]...), nil
	case "builtin", "command":
		return e.wrapped(ctx, args)
	case "exit":
		e.exitAt = int(hc.Pos.Line())
	case "eval":
		return e.evalText(hc, args)
	case "source", ".":
		return e.sourceFile(hc, args)
	case "echo":
		return echoFlags(args), nil
	case "printf":
		return printf(hc, args), nil
	case "read":
		return readMore(hc, args), nil
	case "mapfile", "readarray":
		return mapfile(hc, args), nil
	case "shopt":
		return shopt(args), nil
	case "set":
		return e.set(args), nil
	case "cd":
		return changeDirectory(args), nil
	case "pushd", "popd":
		return directoryStack(args), nil
	case "test", "[":
		return textOrder(args), nil
	case "trap":
		return trap(args), nil
	case "hash":
		return hash(args), nil
	case "type":
		return slices.DeleteFunc(args, func(s string) bool { return s == "-a" || s == "-f" }), nil
	case "umask", "ulimit", "enable", "bind", "complete", "compopt", "wait", "disown", "history", "jobs":
		return []string{":"}, nil
	default:
		return args, e.depth()
	}
	return args, nil
}

// tick ends programs that eat memory. Those that eat time end by the context.
func (e *evaluation) tick(hc interp.HandlerContext, args []string) error {
	size := 0
	hc.Env.Each(func(_ string, v expand.Variable) bool {
		size += len(v.Str) + 16*len(v.List)
		for _, s := range v.List {
			size += len(s)
		}
		return true
	})
	if size > variableLimit || len(args) > 1 {
		return e.fail(errTooBig)
	}
	return e.depth()
}

// depth ends programs that recurse for ever.
func (e *evaluation) depth() error {
	var pc [1]uintptr
	if runtime.Callers(depthLimit, pc[:]) > 0 {
		return e.fail(errTooDeep)
	}
	return nil
}

// fail ends the evaluation: the error of a handler inside $(…) would only end
// that.
func (e *evaluation) fail(err error) error {
	e.cancel(err)
	return err
}

// wrapped gives `builtin x` and `command x` the same care as x.
func (e *evaluation) wrapped(ctx context.Context, args []string) ([]string, error) {
	rest := args[1:]
	if args[0] == "command" && len(rest) > 0 && rest[0] == "-p" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return []string{":"}, nil
	}
	if args[0] == "command" && rest[0] == "-V" {
		return append([]string{"type"}, rest[1:]...), nil
	}
	if strings.HasPrefix(rest[0], "-") {
		return args, nil
	}
	replaced, err := e.call(ctx, rest)
	if err != nil || len(replaced) == 0 {
		return replaced, err
	}
	return append([]string{args[0]}, replaced...), nil
}

// savePipeStatus leaves PIPESTATUS behind where somebody asks for it.
func (e *evaluation) savePipeStatus(args []string) []string {
	if !e.asksPipeStatus {
		return args
	}
	statuses := strings.Join(args[1:], " ")
	return []string{"eval", "PIPESTATUS=(" + statuses + "); " + resultCommand + " " + statuses}
}

// evalText rewrites what `eval` runs.
func (e *evaluation) evalText(hc interp.HandlerContext, args []string) ([]string, error) {
	if err := e.depth(); err != nil {
		return nil, err
	}
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	text, err := e.rewritten([]byte(strings.Join(args[1:], " ")), "", nil)
	return []string{"eval", string(e.atLine(hc, text))}, err
}

// rewritten returns shell text with the rewriter's changes.
func (e *evaluation) rewritten(text []byte, file string, where positions) ([]byte, error) {
	p := parse(text, file)
	if p.broken != nil && len(text) > sourceLimit {
		return nil, e.fail(errTooBig)
	}
	e.rewriter.changed = false
	before := len(p.stmts)
	stmts := e.rewriter.file(p, where, false)
	if !e.rewriter.changed && p.broken == nil && len(stmts) == before {
		return []byte(encode(string(text))), nil
	}
	var out bytes.Buffer
	if err := syntax.NewPrinter().Print(&out, &syntax.File{Stmts: stmts}); err != nil {
		return nil, fmt.Errorf("cannot rewrite: %w", err)
	}
	if p.broken != nil {
		fmt.Fprintf(&out, "\necho %s >&2; %s 1\n", quote(p.broken.String()), statusCommand)
	}
	return out.Bytes(), nil
}

// echoFlags splits -ne into -n -e.
func echoFlags(args []string) []string {
	out := []string{"echo"}
	for i, arg := range args[1:] {
		if len(arg) < 2 || arg[0] != '-' || strings.Trim(arg[1:], "neE") != "" {
			if strings.HasPrefix(arg, "-") && len(arg) == 2 && strings.Trim(arg[1:], "neE") == "" {
				break
			}
			return append(out, args[i+1:]...)
		}
		for _, c := range arg[1:] {
			out = append(out, "-"+string(c))
		}
	}
	return out
}

// shopt does -q and answers for options that make no difference here.
func shopt(args []string) []string {
	quiet, mode := false, ""
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		for _, c := range rest[0][1:] {
			switch c {
			case 'q':
				quiet = true
			case 's', 'u', 'o':
				mode += " -" + string(c)
			}
		}
		rest = rest[1:]
	}
	if quiet && mode == "" && len(rest) > 0 {
		return []string{"eval", "case $(builtin shopt " + quote(rest[0]) + ") in *on*) ;; *) " + statusCommand + " 1;; esac"}
	}
	known := slices.DeleteFunc(slices.Clone(rest), func(name string) bool {
		return !slices.Contains([]string{"dotglob", "extglob", "globstar", "nocaseglob", "nullglob", "expand_aliases"}, name)
	})
	if mode != "" && !strings.Contains(mode, "-o") {
		if len(known) == 0 {
			return []string{":"}
		}
		rest = known
	}
	return slices.Concat([]string{"shopt"}, strings.Fields(mode), rest)
}

// set drops the options that mvdan.cc/sh has not.
func (e *evaluation) set(args []string) []string {
	out := []string{"set"}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' && arg[0] != '+' || arg == "--" {
			return append(out, args[i:]...)
		}
		if arg[1] == 'o' && len(arg) == 2 && i+1 < len(args) {
			i++
			if args[i] == "pipefail" {
				e.pipefail = arg[0] == '-'
			}
			if slices.Contains([]string{"allexport", "errexit", "noexec", "noglob", "nounset", "xtrace"}, args[i]) {
				out = append(out, arg, args[i])
			}
			continue
		}
		if kept := strings.Map(func(c rune) rune {
			if strings.ContainsRune("aenfux", c) {
				return c
			}
			return -1
		}, arg[1:]); kept != "" {
			out = append(out, arg[:1]+kept)
		}
	}
	if len(out) == 1 && len(args) > 1 {
		return []string{":"}
	}
	return out
}

// changeDirectory drops the options of cd and pushd.
func changeDirectory(args []string) []string {
	for len(args) > 1 && slices.Contains([]string{"-L", "-P", "-e", "-@", "--"}, args[1]) {
		args = append([]string{args[0]}, args[2:]...)
	}
	return args
}

// directoryStack does pushd and popd on a stack of its own, because that of
// mvdan.cc/sh does not notice cd.
func directoryStack(args []string) []string {
	const stack = "__dkms_conf_dirs"
	args = changeDirectory(args)
	show := `; echo "$PWD" "${` + stack + `[@]}"`
	switch {
	case args[0] == "popd" && len(args) == 1:
		return []string{"eval", `if [ ${#` + stack + `[@]} -gt 0 ]; then builtin cd "${` + stack + `[-1]}"; unset '` + stack + `[-1]'` +
			show + "; else " + resultCommand + " 1; fi"}
	case args[0] == "pushd" && len(args) == 2 && !strings.HasPrefix(args[1], "+"):
		return []string{"eval", stack + `+=("$PWD"); if builtin cd ` + quote(args[1]) + show + "; then :; else unset '" + stack + "[-1]'; " + resultCommand + " 1; fi"}
	}
	return args
}

// textOrder does [ a \< b ], which mvdan.cc/sh refuses.
func textOrder(args []string) []string {
	rest := args[1:]
	if args[0] == "[" {
		if len(rest) != 4 || rest[3] != "]" {
			return args
		}
		rest = rest[:3]
	}
	if len(rest) != 3 || rest[1] != "<" && rest[1] != ">" {
		return args
	}
	if rest[1] == "<" && rest[0] < rest[2] || rest[1] == ">" && rest[0] > rest[2] {
		return []string{"true"}
	}
	return []string{"false"}
}

// trap keeps traps on ERR. The shell of a dkms.conf ends, with a trap on
// EXIT, only after its values were taken; and there are no signals.
func trap(args []string) []string {
	if len(args) > 2 && args[1] == "--" {
		args = append([]string{"trap"}, args[2:]...)
	}
	if len(args) < 3 || args[1] != "-" && strings.HasPrefix(args[1], "-") || !slices.Contains(args[2:], "ERR") {
		return []string{":"}
	}
	return []string{"trap", "--", args[1], "ERR"}
}

// hash says whether programs exist, quietly.
func hash(args []string) []string {
	names := slices.DeleteFunc(args[1:], func(s string) bool { return strings.HasPrefix(s, "-") })
	if len(names) == 0 {
		return []string{":"}
	}
	for i := range names {
		names[i] = "builtin type -P " + quote(names[i]) + " >/dev/null"
	}
	return []string{"eval", strings.Join(names, " && ")}
}

// quote quotes s for the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
