package probe

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// programs returns the programs that command, the shell text of a probe, runs,
// sorted. It is false unless the answer depends on them and on the text alone:
// no input but /dev/null, standard input from an echo, and the probe's own
// temporary files ("$TMP").
func programs(command string) ([]string, bool) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(command), "")
	if err != nil || len(file.Stmts) == 0 {
		return nil, false
	}
	var out []string
	for _, s := range file.Stmts {
		if !statement(s, &out) {
			return nil, false
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out, len(out) > 0
}

// statement adds the programs of s to out.
func statement(s *syntax.Stmt, out *[]string) bool {
	if s.Negated || s.Background || s.Coprocess {
		return false
	}
	for _, r := range s.Redirs {
		to, ok := value(r.Word)
		if !ok || r.Op != syntax.RdrOut || r.N != nil || to != "/dev/null" && !temporary(to) {
			return false
		}
	}
	switch c := s.Cmd.(type) {
	case *syntax.BinaryCmd:
		switch c.Op {
		case syntax.AndStmt, syntax.OrStmt, syntax.Pipe:
			return statement(c.X, out) && statement(c.Y, out)
		}
	case *syntax.CallExpr:
		return call(c, out)
	}
	return false
}

// compilerName and toolName are the last elements of programs whose answers
// are remembered.
var (
	compilerName = lazily(`^([\w.]+-)*(gcc|cc|clang)(-[0-9.]+)?$`)
	toolName     = lazily(`^(([\w.]+-)*(ld|ld\.bfd|ld\.lld|ld\.gold|as|nm)(-[0-9.]+)?|grep|cmp)$`)
)

// builtins are commands of the shell.
var builtins = []string{"echo", "printf", "true", ":"}

func call(c *syntax.CallExpr, out *[]string) bool {
	if len(c.Assigns) > 0 || len(c.Args) == 0 {
		return false
	}
	var words []string
	for _, w := range c.Args {
		word, ok := value(w)
		if !ok {
			return false
		}
		words = append(words, word)
	}
	if slices.Contains(builtins, words[0]) {
		return !slices.ContainsFunc(words, reads)
	}
	if words[0] == "ccache" && len(words) > 1 { // it runs the compiler that follows
		*out = append(*out, words[0])
		words = words[1:]
	}
	program, name := words[0], path.Base(words[0])
	if name != program && !path.IsAbs(program) {
		return false
	}
	*out = append(*out, program)
	switch {
	case compilerName().MatchString(name):
		return options(words[1:])
	case name == "grep", name == "cmp":
		return !slices.ContainsFunc(words[1:], func(w string) bool { return strings.Contains(w, "/") })
	}
	return toolName().MatchString(name) && options(words[1:])
}

// takesWord are options whose value is the next word, and no file.
var takesWord = []string{"-x", "-m", "-z", "--param", "-mllvm"}

// mapsPath are options whose value is a path that nobody opens.
var mapsPath = []string{"-fmacro-prefix-map=", "-fdebug-prefix-map=", "-ffile-prefix-map="}

// opens is an option that has a file read or written, or another program run.
var opens = lazily(`^(@|-+(specs|include|imacros|wrapper|config|T|B|M|I|L|l|Wp,|Xclang$|sysroot|fplugin|fpass-plugin|fprofile-use|fauto-profile|fprofile-list|` +
	`fprofile-sample-use|fsanitize-(ignore|black)list|fdump|save-temps|march=native|mtune=native|mcpu=native))`)

// options reports whether words, the arguments of a compiler or a tool, name no
// file but what a probe may.
func options(words []string) bool {
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "/dev/null", w == "-", temporary(w):
		case w == "-o":
			if i++; i == len(words) || words[i] != "/dev/null" && !temporary(words[i]) {
				return false
			}
		case slices.Contains(takesWord, w):
			if i++; i == len(words) || strings.Contains(words[i], "/") {
				return false
			}
		case slices.ContainsFunc(mapsPath, func(p string) bool { return strings.HasPrefix(w, p) }):
		case !strings.HasPrefix(w, "-"), strings.Contains(w, "/"), opens().MatchString(w), reads(w):
			return false
		}
	}
	return true
}

// reads reports whether w, in what a compiler or assembler is fed, may have it
// open a file.
func reads(w string) bool { return strings.Contains(w, "include") || strings.Contains(w, "incbin") }

// temporary reports whether word is one of the probe's own files.
func temporary(word string) bool {
	return strings.HasPrefix(word, tmp) && !strings.Contains(word, "/")
}

// tmp stands for $TMP and $TMPO in a value.
const tmp = "\x00"

// value returns the text of w, with tmp in it perhaps. It is false for what the
// shell would expand otherwise.
func value(w *syntax.Word) (string, bool) {
	var text strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(p.Value, `*?[~\{`) {
				return "", false
			}
			text.WriteString(p.Value)
		case *syntax.SglQuoted:
			text.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, q := range p.Parts {
				if lit, ok := q.(*syntax.Lit); ok {
					text.WriteString(lit.Value)
				} else if !isTmp(q) {
					return "", false
				} else {
					text.WriteString(tmp)
				}
			}
		default:
			if !isTmp(p) {
				return "", false
			}
			text.WriteString(tmp)
		}
	}
	return text.String(), true
}

func isTmp(p syntax.WordPart) bool {
	e, ok := p.(*syntax.ParamExp)
	return ok && e.Short && (e.Param.Value == "TMP" || e.Param.Value == "TMPO")
}
