package makefile

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// makeFunctions are make's functions, as far as they can be followed without
// running anything. What others return is opaque.
func makeFunctions() map[string]function {
	all := map[string]function{
		"strip":      {arguments: 1, text: each(func(s string) string { return s })},
		"addprefix":  {arguments: 2, text: fixed(func(fix, s string) string { return fix + s })},
		"addsuffix":  {arguments: 2, text: fixed(func(fix, s string) string { return s + fix })},
		"patsubst":   {arguments: 3, text: patsubst},
		"lastword":   {arguments: 1, text: pick(func(words []string) string { return words[len(words)-1] })},
		"firstword":  {arguments: 1, text: pick(func(words []string) string { return words[0] })},
		"dir":        {arguments: 1, exact: true, text: each(dirOf)},
		"notdir":     {arguments: 1, exact: true, text: each(func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] })},
		"basename":   {arguments: 1, exact: true, text: each(func(s string) string { return strings.TrimSuffix(s, path.Ext(s)) })},
		"suffix":     {arguments: 1, exact: true, text: each(path.Ext)},
		"abspath":    {arguments: 1, exact: true, text: each(path.Clean)},
		"realpath":   {arguments: 1, exact: true, text: each(path.Clean)},
		"subst":      {arguments: 3, exact: true, text: subst},
		"findstring": {arguments: 2, exact: true, text: findstring},
		"filter":     {arguments: 2, exact: true, text: filter(true)},
		"filter-out": {arguments: 2, exact: true, text: filter(false)},
		"sort":       {arguments: 1, exact: true, text: sorted},
		"words":      {arguments: 1, exact: true, text: count},
		"word":       {arguments: 2, exact: true, text: nth},
		"wordlist":   {arguments: 3, exact: true, text: wordlist},
		"wildcard":   {arguments: 1, exact: true, text: wildcard},
	}
	for name, special := range map[string]function{
		"if":      {arguments: 3, special: conditionalFunction},
		"or":      {special: orFunction},
		"and":     {special: andFunction},
		"foreach": {arguments: 3, special: foreachFunction},
		"call":    {special: callFunction},
		"eval":    {arguments: 1, special: evalFunction},
		"shell":   {arguments: 1, special: shellFunction},
		"info":    {arguments: 1, special: silent},
		"warning": {arguments: 1, special: silent},
		"error":   {arguments: 1, special: silent},
		"value":   {arguments: 1, text: unknown},
		"origin":  {arguments: 1, text: unknown},
		"flavor":  {arguments: 1, text: unknown},
		"file":    {arguments: 2, text: unknown},
		"guile":   {arguments: 1, text: unknown},
		"join":    {arguments: 2, text: unknown},
		"let":     {arguments: 3, text: unknown},
		"intcmp":  {arguments: 5, text: unknown},
	} {
		all[name] = special
	}
	return all
}

// textFunction works on expanded arguments; ok is false for what it cannot do.
type textFunction = func(m *machine, args []string) (result string, ok bool)

func unknown(*machine, []string) (string, bool) { return "", false }

func each(f func(string) string) textFunction {
	return func(_ *machine, args []string) (string, bool) {
		words := strings.Fields(args[0])
		for i := range words {
			words[i] = f(words[i])
		}
		return strings.Join(words, " "), true
	}
}

func fixed(f func(fix, s string) string) textFunction {
	return func(m *machine, args []string) (string, bool) {
		if len(args) < 2 || len(args[0])*len(args[1]) > 8*maxBytes {
			return "", false
		}
		return each(func(s string) string { return f(args[0], s) })(m, args[1:])
	}
}

// pick is one word of a list, if no symbol hides what that is.
func pick(f func([]string) string) textFunction {
	return func(_ *machine, args []string) (string, bool) {
		words := strings.Fields(args[0])
		if len(words) == 0 {
			return "", true
		}
		word := f(words)
		return word, !strings.Contains(word, "\x00")
	}
}

func dirOf(s string) string {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[:i+1]
	}
	return "./"
}

// match is a word and a pattern with one %; stem is what it stands for.
func match(pattern, word string) (stem string, ok bool) {
	before, after, wild := strings.Cut(pattern, "%")
	if !wild {
		return "", pattern == word
	}
	if len(word) < len(before)+len(after) || !strings.HasPrefix(word, before) || !strings.HasSuffix(word, after) {
		return "", false
	}
	return word[len(before) : len(word)-len(after)], true
}

func patsubst(_ *machine, args []string) (string, bool) {
	if len(args) < 3 {
		return "", false
	}
	words := strings.Fields(args[2])
	if len(words)*len(args[1]) > 8*maxBytes {
		return "", false
	}
	from, to := strings.TrimSpace(args[0]), strings.TrimSpace(args[1])
	for i, w := range words {
		stem, ok := match(from, w)
		if !ok && strings.Contains(w, "\x00") {
			return "", false
		}
		if ok {
			words[i] = strings.Replace(to, "%", stem, 1)
		}
	}
	return strings.Join(words, " "), true
}

func subst(_ *machine, args []string) (string, bool) {
	if len(args) < 3 || args[0] == "" || len(args[1])*len(args[2]) > 8*maxBytes {
		return "", false
	}
	return strings.ReplaceAll(args[2], args[0], args[1]), true
}

func findstring(_ *machine, args []string) (string, bool) {
	if len(args) < 2 || !strings.Contains(args[1], args[0]) {
		return "", true
	}
	return args[0], true
}

func filter(keep bool) textFunction {
	return func(_ *machine, args []string) (string, bool) {
		if len(args) < 2 {
			return "", false
		}
		patterns, words := strings.Fields(args[0]), strings.Fields(args[1])
		if len(patterns)*len(words) > maxBytes {
			return "", false
		}
		words = slices.DeleteFunc(words, func(w string) bool {
			return keep != slices.ContainsFunc(patterns, func(p string) bool { _, ok := match(p, w); return ok })
		})
		return strings.Join(words, " "), true
	}
}

func sorted(_ *machine, args []string) (string, bool) {
	words := strings.Fields(args[0])
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " "), true
}

func count(_ *machine, args []string) (string, bool) {
	return strconv.Itoa(len(strings.Fields(args[0]))), true
}

func nth(_ *machine, args []string) (string, bool) {
	if len(args) < 2 {
		return "", false
	}
	return wordlist(nil, []string{args[0], args[0], args[1]})
}

func wordlist(_ *machine, args []string) (string, bool) {
	if len(args) < 3 {
		return "", false
	}
	from, err := strconv.Atoi(strings.TrimSpace(args[0]))
	to, err2 := strconv.Atoi(strings.TrimSpace(args[1]))
	words := strings.Fields(args[2])
	if err != nil || err2 != nil || from < 1 {
		return "", false
	}
	to = min(to, len(words))
	if from > to {
		return "", true
	}
	return strings.Join(words[from-1:to], " "), true
}

// wildcard finds files of the tree. What is not below it only the machine knows
// that builds; and so for relative paths in kbuild, whose directory depends on
// the kernel's version.
func wildcard(m *machine, args []string) (string, bool) {
	var names []string
	for _, pattern := range strings.Fields(args[0]) {
		at, ok := actual(pattern)
		prefix := virtualRoot + "/"
		if !ok && m.own && !path.IsAbs(pattern) {
			at, ok, prefix = join(m.dir, pattern), true, ""
		}
		if !ok || strings.Count(at, "*") > 4 || !m.r.spend() {
			return "", false
		}
		found, err := fs.Glob(m.r.fs, clean(at))
		if err != nil || len(found) > maxFiles {
			return "", false
		}
		for _, name := range found {
			if prefix == "" && m.dir != "" {
				name = strings.TrimPrefix(name, m.dir+"/")
			}
			names = append(names, prefix+name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " "), true
}
