package source

import (
	"regexp"
	"strconv"
	"strings"
)

// A cText is a C source as far as it takes to read string macros of it.
type cText struct {
	text    string            // without comments
	defines map[string]string // NAME, or NAME(…), and what it stands for
}

var define = regexp.MustCompile(`^#[ \t]*define[ \t]+([A-Za-z_]\w*)(\([^)]*\))?[ \t]+(.*)$`)

// parseC reads a source or a header.
func parseC(text string) cText {
	c := cText{text: withoutComments(text), defines: map[string]string{}}
	lines := strings.Split(c.text, "\n")
	for i := 0; i < len(lines); i++ {
		at := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(at, "#") || !strings.Contains(at, "define") {
			continue
		}
		for strings.HasSuffix(at, "\\") && i+1 < len(lines) {
			i++
			at = at[:len(at)-1] + " " + strings.TrimSpace(lines[i])
		}
		if m := define.FindStringSubmatch(at); m != nil {
			c.define(m[1], m[2] != "", strings.TrimSpace(m[3]))
		}
	}
	return c
}

func (c cText) define(name string, function bool, value string) {
	if function {
		name += "()"
	}
	if old, again := c.defines[name]; again && old != value {
		value = "" // which one holds is the compiler's business
	}
	c.defines[name] = value
}

// withoutComments replaces comments by a space, and leaves strings alone.
func withoutComments(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		rest, n := s[i:], 0
		switch {
		case strings.HasPrefix(rest, "/*"):
			n = len(rest)
			if end := strings.Index(rest[2:], "*/"); end >= 0 {
				n = end + 4
			}
			b.WriteByte(' ')
		case strings.HasPrefix(rest, "//"):
			n = strings.IndexByte(rest+"\n", '\n')
		case rest[0] == '"' || rest[0] == '\'':
			n = literalLen(rest)
			b.WriteString(rest[:n])
		default:
			// Up to what could begin one of those.
			if n = strings.IndexAny(rest[1:], `/"'`) + 1; n == 0 {
				n = len(rest)
			}
			b.WriteString(rest[:n])
		}
		i += n
	}
	return b.String()
}

// literalLen is the length of the string or character that s begins with; it
// ends with the line at the latest.
func literalLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		case '\n':
			return i
		}
	}
	return len(s)
}

// calls returns the arguments of each NAME(ARGUMENTS), as they stand.
func (c cText) calls(name string) []string {
	var out []string
	for rest := c.text; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return out
		}
		whole := i == 0 || !wordByte(rest[i-1])
		rest = strings.TrimLeft(rest[i+len(name):], " \t\r\n")
		if whole && strings.HasPrefix(rest, "(") {
			if arguments, ok := bracketed(rest); ok {
				out = append(out, arguments)
			}
		}
	}
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// bracketed is what is between the bracket that s begins with and its end.
func bracketed(s string) (string, bool) {
	depth := 0
	for i := 0; i < len(s); {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[1:i], true
			}
		case '"', '\'':
			i += literalLen(s[i:])
			continue
		}
		i++
	}
	return "", false
}

// What it may take to tell what an expression stands for: macros may be
// defined by one another to no end.
const (
	maxExpansions = 500
	maxString     = 4 << 10
)

var cToken = regexp.MustCompile(`"(?:\\.|[^"\\\n])*"|[A-Za-z_]\w*|[0-9][\w.]*|\S`)

// An expander tells what the expressions of a source stand for.
type expander struct {
	defines map[string]string
	lookup  func(string) string // in headers; may be nil
	left    int                 // of maxExpansions
}

// value returns the string that an expression of string literals, macros and
// stringifications stands for. It is false when that cannot be told.
func (c cText) value(expr string, lookup func(string) string) (string, bool) {
	e := &expander{c.defines, lookup, maxExpansions}
	return e.value(expr)
}

func (e *expander) value(expr string) (string, bool) {
	if e.left--; e.left < 0 || strings.TrimSpace(expr) == "" {
		return "", false
	}
	var b strings.Builder
	for expr = strings.TrimSpace(expr); expr != ""; expr = strings.TrimSpace(expr) {
		token := cToken.FindString(expr)
		expr = strings.TrimSpace(expr[len(token):])
		part, ok := "", true
		switch {
		case token[0] == '"':
			part = unquoteC(token)
		case !wordByte(token[0]) || '0' <= token[0] && token[0] <= '9':
			ok = false
		case strings.HasPrefix(expr, "("):
			var arguments string
			if arguments, ok = bracketed(expr); ok && e.stringifies(token) {
				expr = expr[len(arguments)+2:]
				part = e.expand(arguments)
				break
			}
			ok = false
		default:
			part, ok = e.value(e.macro(token))
		}
		b.WriteString(part)
		if !ok || b.Len() > maxString {
			return "", false
		}
	}
	return b.String(), true
}

// macro is what a name was defined as, here or in a header.
func (e *expander) macro(name string) string {
	if v, ok := e.defines[name]; ok || e.lookup == nil {
		return v
	}
	return e.lookup(name)
}

// stringifies tells whether NAME(x) makes a string of its argument.
func (e *expander) stringifies(name string) bool {
	if strings.Contains(strings.ToLower(name), "stringify") {
		return true // <linux/stringify.h>
	}
	body := e.macro(name + "()")
	if strings.HasPrefix(body, "#") {
		return true
	}
	inner, _, call := strings.Cut(body, "(")
	e.left--
	return call && e.left > 0 && e.stringifies(strings.TrimSpace(inner))
}

// expand returns an expression with its macros replaced, as the preprocessor
// hands it to #.
func (e *expander) expand(expr string) string {
	var b strings.Builder
	for _, token := range cToken.FindAllString(expr, -1) {
		if v := e.macro(token); v != "" && e.left > 0 {
			e.left--
			token = e.expand(v)
		}
		if b.WriteString(token); b.Len() > maxString {
			break
		}
	}
	return b.String()
}

// unquoteC reads a string literal; escapes that Go does not know stay.
func unquoteC(s string) string {
	if t, err := strconv.Unquote(s); err == nil {
		return t
	}
	return strings.TrimSuffix(s[1:], `"`)
}
