package makefile

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// command follows one line of a recipe: the makes that it starts.
func (f *follower) command(m *machine, c command, depth int) {
	dir := m.dir
	for _, raw := range commands(c.raw) {
		words := shellWords(strings.TrimLeft(raw, "@-+ \t"))
		for len(words) > 0 && isAssignment(words[0]) { // NAME=VALUE make
			words = words[1:]
		}
		if len(words) > 1 && words[0] == "cd" {
			if at, ok := m.path(words[1], dir); ok {
				dir = at
			}
			continue
		}
		switch {
		case len(words) == 0 || slices.Contains(harmless, words[0]) || strings.HasPrefix(words[0], "$(info "):
		case slices.Contains([]string{"$(MAKE)", "${MAKE}", "make", "gmake"}, words[0]):
			f.make(m, words[1:], dir, c.at, depth)
		case len(f.own.Calls) == 0:
			f.own.Prepares = true
		}
	}
}

// harmless are commands without which a build is the same.
var harmless = []string{"echo", "printf", ":", "true", "cd", "tput", "exit", "set", "if", "then", "else", "fi", "[", "test"}

func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && name != "" && strings.Trim(name, nameCharacters) == ""
}

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// make is one `make …` of a recipe.
func (f *follower) make(m *machine, args []string, dir string, at origin, depth int) {
	call := Call{File: at.file, Line: at.line}
	in, module := "", ""
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case (arg == "-C" || arg == "--directory" || arg == "-f" || arg == "--file") && i+1 < len(args):
			if i++; arg != "-f" && arg != "--file" {
				in = args[i]
			}
		case strings.HasPrefix(arg, "-C"):
			in = arg[2:]
		case strings.HasPrefix(arg, "--directory="):
			in = strings.TrimPrefix(arg, "--directory=")
		case strings.HasPrefix(arg, "M=") || strings.HasPrefix(arg, "SUBDIRS=") && module == "" || strings.HasPrefix(arg, "KBUILD_EXTMOD="):
			_, module, _ = strings.Cut(arg, "=")
		case isAssignment(arg):
			if known, ok := m.expand(arg, nil).plain(); ok && !strings.Contains(known, virtualRoot) && !strings.ContainsAny(known, "$`") {
				call.Set = append(call.Set, known)
			}
		case !strings.HasPrefix(arg, "-"):
			call.Goals = append(call.Goals, m.fields(m.expand(arg, nil))...)
		}
	}
	if module != "" {
		root, ok := m.path(module, dir)
		call.Root, call.Outside = root, !ok
		f.own.Calls = append(f.own.Calls, call)
		f.kernel(m, in, at, 0)
		return
	}
	sub, ok := m.path(in, dir)
	if in == "" {
		sub, ok = dir, true
	}
	if !ok {
		return
	}
	if len(call.Goals) == 0 && sub != m.dir {
		call.Goals = []string{""}
	}
	for _, goal := range call.Goals {
		if sub == m.dir {
			f.target(m, goal, depth, 1)
		} else if key := sub + "\x00make " + goal; !f.seen[key] {
			f.seen[key] = true
			f.directory(sub, goal, depth+1)
		}
	}
}

// kernel notes what an expression for the kernel's directory hangs on.
func (f *follower) kernel(m *machine, expression string, at origin, level int) {
	names := references(expression)
	if level == 0 && len(names) == 1 && (expression == "$("+names[0]+")" || expression == "${"+names[0]+"}") {
		if !slices.Contains(f.own.Directory, names[0]) {
			f.own.Directory = append(f.own.Directory, names[0])
		}
		return
	}
	if strings.Contains(expression, "uname -r") {
		f.own.Running = append(f.own.Running, Unclear{File: at.file, Line: at.line, Text: shorten(strings.TrimSpace(at.text)), Problem: "always builds for the running kernel"})
	}
	for _, name := range names {
		v := m.vars[name]
		if v == nil || level > 8 || isRelease(m.get(name, nil).String()) {
			continue
		}
		for _, e := range v.elements {
			f.kernel(m, e.raw, e.at, level+1)
		}
	}
}

// references are the names of the variables in a text, unexpanded.
func references(s string) (names []string) {
	for {
		_, rest, ok := strings.Cut(s, "$")
		if !ok || rest == "" {
			return names
		}
		name, after, ok := cutReference(rest)
		if !ok {
			return names
		}
		if strings.Trim(name, nameCharacters) == "" {
			names = append(names, name)
			s = after
			continue
		}
		s = rest
	}
}

// path is a directory of the tree that a recipe names.
func (m *machine) path(raw, dir string) (string, bool) {
	if raw == "" {
		return "", false
	}
	for _, here := range []string{"$$PWD", "$${PWD}", "`pwd`", "$$(pwd)"} {
		raw = strings.ReplaceAll(raw, here, virtual(dir))
	}
	words := m.fields(m.expand(raw, nil))
	if len(words) != 1 {
		return "", false
	}
	name := strings.Trim(words[0], "\"'")
	if at, ok := actual(name); ok {
		return at, true
	}
	if path.IsAbs(name) || strings.ContainsAny(name, "$`") || !fs.ValidPath(clean(join(dir, name))) {
		return "", false
	}
	return join(dir, name), true
}

// commands cuts a line of a recipe at ;, && and ||, outside of quotes and references.
func commands(raw string) (all []string) {
	return cut(raw, func(s string) int {
		switch {
		case strings.HasPrefix(s, "&&"), strings.HasPrefix(s, "||"):
			return 2
		case s[0] == ';', s[0] == '|', s[0] == '(', s[0] == '\n':
			return 1
		}
		return 0
	})
}

// shellWords cuts a command at blanks. Quotes around words are dropped.
func shellWords(raw string) (words []string) {
	for _, w := range cut(raw, func(s string) int {
		if strings.IndexByte(blanks, s[0]) >= 0 {
			return 1
		}
		return 0
	}) {
		if w != "" {
			words = append(words, strings.ReplaceAll(strings.ReplaceAll(w, `"`, ""), "'", ""))
		}
	}
	return words
}

// cut cuts where at finds something of a length, but not within quotes or references.
func cut(raw string, at func(string) int) (pieces []string) {
	from, depth := 0, 0
	var quote byte
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '$' && i+1 < len(raw) && (raw[i+1] == '(' || raw[i+1] == '{'):
			depth++
			i += 2
			continue
		case depth > 0:
			switch c {
			case '(', '{':
				depth++
			case ')', '}':
				depth--
			}
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		default:
			if n := at(raw[i:]); n > 0 {
				pieces = append(pieces, raw[from:i])
				i += n
				from = i
				continue
			}
		}
		i++
	}
	return append(pieces, raw[from:])
}
