package lint

import (
	"regexp"
	"strings"
)

// An origin is where a Makefile asks uname for the kernel that runs.
type origin struct {
	path string
	line int
}

// A makeVar is a variable of a Makefile.
type makeVar struct {
	text  string
	lazy  bool    // text is expanded when it is used
	known bool    // text is the value, where it is not lazy
	from  *origin // the value depends on uname
	at    origin  // where it was assigned
}

// makeVars are what a Makefile's variables are worth.
type makeVars struct {
	command map[string]string  // of the command line: they win
	tainted map[string]*origin // those of the command line that depend on uname
	env     map[string]string
	file    map[string]makeVar
	left    *int // expansions that may yet be done, for all Makefiles together
	kbuild  bool // what nobody set may have been set by the kernel's Makefiles
}

// A makeValue is the text of an expansion, as far as it is known.
type makeValue struct {
	text  string
	known bool
	from  *origin
}

// The limits of what a hostile Makefile can ask for.
const (
	expansionLimit = 100_000
	valueLimit     = 1 << 17 // bytes of one value
)

var (
	unameInMake = regexp.MustCompile("(\\$\\(shell[^)]*|`[^`]*|\\$\\$\\([^)]*)\\buname\\s+(-[a-z]*[ra]\\b|--kernel-release)")
	shellPwd    = regexp.MustCompile(`^shell\s+(/bin/)?pwd(\s+-P)?$`)
	plainName   = regexp.MustCompile(`^[A-Za-z0-9_.@%<>?^+*-]+$`)
)

// expand expands text that stands at a place.
func (v *makeVars) expand(text string, at origin, depth int) makeValue {
	out := makeValue{known: true}
	if unameInMake.MatchString(text) {
		out.from = &at
	}
	if *v.left--; *v.left < 0 || depth > 20 || len(text) > textLimit/8 {
		return makeValue{text: unknown, from: out.from}
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		if c != '$' || i+1 == len(text) {
			if c == '`' {
				out.known = false
			}
			b.WriteByte(c)
			i++
			continue
		}
		inner, end := reference(text, i)
		if inner == "$" {
			b.WriteByte('$')
			i = end
			continue
		}
		value := v.reference(inner, at, depth+1)
		b.WriteString(value.text)
		out.known = out.known && value.known
		if out.from == nil {
			out.from = value.from
		}
		if b.Len() > valueLimit {
			return makeValue{text: unknown, from: out.from}
		}
		i = end
	}
	out.text = b.String()
	return out
}

// reference returns what stands in the $(…), ${…} or $x at i, and where it ends.
func reference(text string, i int) (inner string, end int) {
	open := text[i+1]
	closing := map[byte]byte{'(': ')', '{': '}'}[open]
	if closing == 0 {
		return text[i+1 : i+2], i + 2
	}
	depth := 0
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case open:
			depth++
		case closing:
			if depth--; depth == 0 {
				return text[i+2 : j], j + 1
			}
		}
	}
	return text[i+2:], len(text)
}

// reference is the value of a variable, or of a function that is not known.
func (v *makeVars) reference(inner string, at origin, depth int) makeValue {
	switch {
	case shellPwd.MatchString(inner):
		inner = "CURDIR"
	case !plainName.MatchString(inner):
		// A function: what it depends on may depend on uname.
		return makeValue{text: unknown, from: v.expand(inner, at, depth).from}
	}
	if text, ok := v.command[inner]; ok {
		return makeValue{text: text, known: !strings.Contains(text, unknown), from: v.tainted[inner]}
	}
	if f, ok := v.file[inner]; ok {
		if f.lazy {
			return v.expand(f.text, f.at, depth)
		}
		return makeValue{text: f.text, known: f.known, from: f.from}
	}
	if text, ok := v.env[inner]; ok {
		return makeValue{text: text, known: !strings.Contains(text, unknown)}
	}
	if inner == "MAKE" {
		return makeValue{text: "make", known: true}
	}
	if v.kbuild || len(inner) == 1 {
		return makeValue{text: unknown}
	}
	return makeValue{known: true}
}

// defined reports whether a variable has a value, and whether that is certain.
func (v *makeVars) defined(name string) (defined, certain bool) {
	if _, ok := v.command[name]; ok {
		return v.command[name] != "", true
	}
	if f, ok := v.file[name]; ok {
		return f.text != "", f.known || f.lazy
	}
	if text, ok := v.env[name]; ok {
		return text != "", true
	}
	return name == "MAKE", !v.kbuild
}

var makeAssignment = regexp.MustCompile(`^\s*((?:export|override|private|unexport)\s+)*([^\s:#=!?+()]+|[A-Za-z0-9_.-]*\$[({][^\s:=]*[)}][^\s:=]*)\s*(\?=|\+=|:{1,3}=|!=|=)\s*(.*)$`)

// assign reads a line as an assignment; ok tells that it is one.
func (v *makeVars) assign(text string, at origin) (name string, value makeValue, ok bool) {
	m := makeAssignment.FindStringSubmatch(text)
	if m == nil {
		return "", makeValue{}, false
	}
	words, name, op, right := m[1], m[2], m[3], m[4]
	if strings.Contains(name, "$") {
		name = v.expand(name, at, 0).text
	}
	value = v.expand(right, at, 0)
	if op == "!=" {
		value.known = false
		if asksUname.MatchString(right) {
			value.from = &at
		}
		value.text = unknown
	}
	if strings.Contains(words, "override") {
		delete(v.command, name)
	}
	if _, fixed := v.command[name]; fixed {
		return name, makeValue{}, true
	}
	old, was := v.file[name]
	switch op {
	case "?=":
		if _, fromEnv := v.env[name]; fromEnv || was {
			return name, makeValue{}, true
		}
		v.file[name] = makeVar{text: right, lazy: true, at: at}
	case "=":
		v.file[name] = makeVar{text: right, lazy: true, at: at}
	case "+=":
		if len(old.text) > valueLimit {
			break
		}
		from := value.from
		if from == nil {
			from = old.from
		}
		if old.lazy {
			v.file[name] = makeVar{text: old.text + " " + right, lazy: true, at: old.at}
			break
		}
		v.file[name] = makeVar{text: strings.TrimSpace(old.text + " " + value.text), known: value.known && (old.known || !was), from: from, at: at}
	default:
		v.file[name] = makeVar{text: value.text, known: value.known, from: value.from, at: at}
	}
	return name, value, true
}
