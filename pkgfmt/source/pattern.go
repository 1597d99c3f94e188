package source

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A pattern is a line of a .gitignore, gitignore(5). It is matched against one
// file or directory, not against what is in it: what is in a directory that is
// left out is never looked at.
type pattern struct {
	dir      string // where it was written, relative to the tree; "." is the top
	include  bool   // it began with !
	dirOnly  bool   // it ended with /
	anchored bool   // it has a / elsewhere: the path matters, not just the name

	literal string         // the whole name or path; or
	suffix  string         // its end, of *.o; or
	re      *regexp.Regexp // anything else
}

// parsePattern reads a line of a file in the directory dir. Comments, empty
// lines and what can match nothing are no patterns.
func parsePattern(line, dir string) (pattern, bool) {
	p := pattern{dir: dir}
	text := trimSpaces(strings.TrimSuffix(line, "\r"))
	if text == "" || text[0] == '#' {
		return p, false
	}
	text, p.include = strings.CutPrefix(text, "!")
	text, p.dirOnly = strings.CutSuffix(text, "/")
	p.anchored = strings.Contains(text, "/")
	text = strings.TrimPrefix(text, "/")
	if text == "" {
		return p, false
	}
	switch rest, star := strings.CutPrefix(text, "*"); {
	case !strings.ContainsAny(text, `*?[\`):
		p.literal = text
	case star && !p.anchored && !strings.ContainsAny(rest, `*?[\`):
		p.suffix = rest
	default:
		expr, ok := translate(text)
		if !ok {
			return p, false
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return p, false
		}
		p.re = re
	}
	return p, true
}

// trimSpaces drops spaces at the end, but for one after a backslash.
func trimSpaces(s string) string {
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}

// match tells whether the pattern is about that path.
func (p pattern) match(name string, isDir bool) bool {
	if p.dirOnly && !isDir {
		return false
	}
	if p.dir != "." {
		below, ok := strings.CutPrefix(name, p.dir+"/")
		if !ok {
			return false
		}
		name = below
	}
	if !p.anchored {
		name = path.Base(name)
	}
	switch {
	case p.literal != "":
		return name == p.literal
	case p.re != nil:
		return p.re.MatchString(name)
	}
	return strings.HasSuffix(name, p.suffix)
}

// translate makes a regular expression of a pattern's text. Go's need linear
// time, whatever a stranger wrote.
func translate(s string) (expr string, ok bool) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(s); {
		rest := s[i:]
		whole := strings.HasPrefix(rest, "**") && (i == 0 || s[i-1] == '/')
		switch {
		case whole && strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 3
		case whole && rest == "**":
			b.WriteString(`.+`)
			i += 2
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
			i += len(rest) - len(strings.TrimLeft(rest, "*"))
		case rest[0] == '?':
			b.WriteString(`[^/]`)
			i++
		case rest[0] == '[':
			class, n := translateClass(rest)
			if n == 0 {
				return "", false
			}
			b.WriteString(class)
			i += n
		case rest == `\`:
			return "", false
		default:
			from := 0
			if rest[0] == '\\' {
				from = 1
			}
			_, n := utf8.DecodeRuneInString(rest[from:])
			b.WriteString(regexp.QuoteMeta(rest[from : from+n]))
			i += from + n
		}
	}
	return b.String() + `\z`, true
}

// translateClass makes one of [a-z], [!a-z] or [[:alpha:]] at the beginning of
// s, and returns its length; 0 when there is no end to it. No class matches a
// slash: fnmatch(3), FNM_PATHNAME.
func translateClass(s string) (expr string, n int) {
	i, negated := 1, len(s) > 1 && (s[1] == '!' || s[1] == '^')
	if negated {
		i++
	}
	next := func() rune {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		return r
	}
	var b strings.Builder
	for first := i; i < len(s); {
		if end := strings.Index(s[i:], ":]"); strings.HasPrefix(s[i:], "[:") && end > 0 {
			b.WriteString(s[i : i+end+2])
			i += end + 2
			continue
		}
		if s[i] == ']' && i > first {
			switch {
			case negated:
				return `[^/` + b.String() + `]`, i + 1
			case b.Len() == 0:
				return `[^\x{0}-\x{10ffff}]`, i + 1
			}
			return `[` + b.String() + `]`, i + 1
		}
		from := next()
		to := from
		if i+1 < len(s) && s[i] == '-' && s[i+1] != ']' {
			i++
			to = next()
		}
		for _, r := range [][2]rune{{from, min(to, '/'-1)}, {max(from, '/'+1), to}} {
			if r[0] <= r[1] {
				fmt.Fprintf(&b, `\x{%x}-\x{%x}`, r[0], r[1])
			}
		}
	}
	return "", 0
}
