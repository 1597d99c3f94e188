package conf

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/interp"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Harmless returns the names of programs that a stranger's dkms.conf may start,
// for Request.Programs: they read and print, and neither write a file nor start
// another program. Those that could by an option (sed, sort, uniq) are refused
// that option. Left out are awk, find and xargs, which start programs; date,
// which sets the clock; getconf and pkg-config, which start or write; dpkg, rpm
// and lsb_release, whose answers are about the machine that makes a package,
// not about the package.
func Harmless() []string { return slices.Sorted(maps.Keys(guards)) }

// A guard judges a program's arguments, and says with which ones to run it.
type guard func(args []string) (safe []string, ok bool)

// guards are the programs of Harmless. They run as these guards say on every
// list of programs that names them.
var guards = map[string]guard{
	"[": anyArguments, "basename": anyArguments, "cat": anyArguments, "cut": anyArguments, "dirname": anyArguments,
	"echo": anyArguments, "egrep": anyArguments, "expr": anyArguments, "false": anyArguments, "fgrep": anyArguments,
	"grep": anyArguments, "head": anyArguments, "ls": anyArguments, "nproc": anyArguments, "paste": anyArguments,
	"printf": anyArguments, "pwd": anyArguments, "readlink": anyArguments, "realpath": anyArguments, "rev": anyArguments,
	"sed": sedArguments, "seq": anyArguments, "sort": sortArguments, "stat": anyArguments, "tac": anyArguments,
	"tail": anyArguments, "test": anyArguments, "tr": anyArguments, "true": anyArguments, "uniq": uniqArguments,
	"wc": anyArguments, "which": anyArguments,
}

func anyArguments(args []string) ([]string, bool) { return args, true }

// sedArguments refuses to edit files in place, and has sed itself refuse the
// commands e, r and w (sed(1), --sandbox).
func sedArguments(args []string) ([]string, bool) {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "--i") || shortOptions(arg, "efl", "i") {
			return nil, false
		}
	}
	return append([]string{"--sandbox"}, args...), true
}

// sortArguments refuses a file to write, a program to compress with, and a
// directory for what does not fit into memory (sort(1)).
func sortArguments(args []string) ([]string, bool) {
	for _, arg := range args {
		for _, long := range []string{"--o", "--co", "--te"} {
			if strings.HasPrefix(arg, long) {
				return nil, false
			}
		}
		if shortOptions(arg, "kSt", "oT") {
			return nil, false
		}
	}
	return args, true
}

// uniqArguments refuses operands: the second one is written to (uniq(1)).
func uniqArguments(args []string) ([]string, bool) {
	for i, arg := range args {
		option := strings.HasPrefix(arg, "-") && arg != "--"
		value := i > 0 && slices.Contains([]string{"-f", "-s", "-w"}, args[i-1])
		if !option && !value {
			return nil, false
		}
	}
	return args, true
}

// shortOptions reports whether a word of single-letter options has one of
// wanted; what follows one of withValue is no option but its value.
func shortOptions(word, withValue, wanted string) bool {
	if len(word) < 2 || word[0] != '-' || word[1] == '-' {
		return false
	}
	for _, c := range word[1:] {
		if strings.ContainsRune(wanted, c) {
			return true
		}
		if strings.ContainsRune(withValue, c) {
			return false
		}
	}
	return false
}

// listed runs a program if it is one of Request.Programs: the machine's own one,
// whatever PATH says by now, with a plain environment (LD_PRELOAD would start
// the file's own code), and on no device.
func (e *evaluation) listed(ctx context.Context, hc interp.HandlerContext, args []string) error {
	for i := range args {
		args[i] = decode(args[i])
	}
	name, known := e.listedName(args[0])
	if !known {
		return e.refuse(hc, args[0], "is not run here")
	}
	rest, ok := args[1:], true
	if g := guards[name]; g != nil {
		rest, ok = g(rest)
	}
	if !ok || slices.ContainsFunc(rest, func(arg string) bool { return isDevice(hc.Dir, arg) }) {
		return e.refuse(hc, args[0], "is not run here with these arguments")
	}
	env := []string{"PATH=" + e.path, "LC_ALL=C", "HOME=/"}
	path, err := system.LookPath(name, env)
	if err != nil {
		return notFound(hc, args[0])
	}
	return e.child(ctx, hc, args[0], append([]string{path}, rest...), env, &e.sandbox)
}

// listedName returns the name of a program on the list. One with a directory
// must lie where the machine's programs are.
func (e *evaluation) listedName(program string) (string, bool) {
	name := program
	if strings.Contains(program, "/") {
		dir := filepath.Dir(program)
		if !slices.Contains(filepath.SplitList(e.path), dir) {
			return "", false
		}
		name = filepath.Base(program)
	}
	return name, slices.Contains(e.request.Programs, name)
}

// isDevice reports whether an argument names something other than a regular
// file or a directory: some devices act when they are merely read.
func isDevice(dir, arg string) bool {
	if _, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(arg, "--") {
		arg = value
	} else if len(arg) > 2 && arg[0] == '-' && arg[2] == '/' { // -f/dev/x
		arg = arg[2:]
	}
	switch arg {
	case "", os.DevNull, "/dev/stdin":
		return false
	}
	if !filepath.IsAbs(arg) {
		arg = filepath.Join(dir, arg)
	}
	info, err := os.Stat(arg)
	return err == nil && info.Mode().Type()&^fs.ModeDir != 0
}

// refuse answers for a program that is not run, and leaves a warning.
func (e *evaluation) refuse(hc interp.HandlerContext, program, why string) error {
	program = readable(program)
	fmt.Fprintf(hc.Stderr, "%s: %s\n", program, why)
	p := e.here(hc, program)
	p.Text = program + ": " + why
	if len(e.warnings) < warningLimit && !slices.Contains(e.warnings, p) {
		e.warnings = append(e.warnings, p)
	}
	return interp.ExitStatus(127)
}

// warningLimit bounds what a loop can fill the warnings with.
const warningLimit = 1000

// here is where the running command stands, as well as it is known: functions
// of sourced files are told from the file's own by the text of the line.
func (e *evaluation) here(hc interp.HandlerContext, program string) Problem {
	if e.expanding.name != "" {
		return e.where.problem(e.request.File, e.expanding.name, e.expanding.index, "")
	}
	file, line := e.file, int(hc.Pos.Line())
	if source := hc.Env.Get("BASH_SOURCE"); len(source.List) > 0 && source.List[0] != e.file {
		return Problem{File: readable(source.List[0])}
	}
	if e.sources > 0 && !lineHas(e.text, line, filepath.Base(program)) {
		line = 0
	}
	return Problem{File: file, Line: line}
}

// lineHas reports whether line n of text, from 1, contains s.
func lineHas(text []byte, n int, s string) bool {
	lines := strings.SplitN(string(text), "\n", n+1)
	return n > 0 && len(lines) >= n && strings.Contains(lines[n-1], s)
}

// atLine lets evaluated text have its first line where the `eval` stands, for
// the warnings of refuse.
func (e *evaluation) atLine(hc interp.HandlerContext, text []byte) []byte {
	if e.request.Programs == nil || hc.Pos.Line() < 2 || int(hc.Pos.Line()) > sourceLimit {
		return text
	}
	return append([]byte(strings.Repeat("\n", int(hc.Pos.Line())-1)), text...)
}
