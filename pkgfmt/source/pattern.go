package source

import (
	"path"
	"regexp"
	"strings"
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
		switch {
		case i == 0 && strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 3
		case strings.HasPrefix(rest, "/**/"):
			b.WriteString(`/(?:.*/)?`)
			for i++; strings.HasPrefix(s[i:], "**/"); {
				i += 3
			}
		case rest == "/**":
			b.WriteString(`/.+`)
			i += 3
		case rest[0] == '*':
			for i < len(s) && s[i] == '*' {
				i++
			}
			b.WriteString(`[^/]*`)
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
		case rest[0] == '\\':
			if len(rest) == 1 {
				return "", false
			}
			n := runeLen(rest[1:])
			b.WriteString(regexp.QuoteMeta(rest[1 : 1+n]))
			i += 1 + n
		default:
			n := runeLen(rest)
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			i += n
		}
	}
	return b.String() + `\z`, true
}

// runeLen is the length in bytes of the first character.
func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// translateClass makes one of [a-z], [!a-z] or [[:alpha:]] at the beginning of
// s, and returns its length; 0 when there is no end to it. No class matches a
// slash: fnmatch(3), FNM_PATHNAME.
func translateClass(s string) (expr string, n int) {
	i, open := 1, "["
	if len(s) > 1 && (s[1] == '!' || s[1] == '^') {
		i, open = 2, "[^/"
	}
	b := strings.Builder{}
	b.WriteString(open)
	for first := i; i < len(s); {
		switch c := s[i]; {
		case c == ']' && i > first:
			return b.String() + "]", i + 1
		case strings.HasPrefix(s[i:], "[:") && strings.Contains(s[i:], ":]"):
			end := i + strings.Index(s[i:], ":]") + 2
			b.WriteString(s[i:end])
			i = end
			continue
		case c == '/':
			return "", 0
		case c == '-' && i > first && i+1 < len(s) && s[i+1] != ']':
			b.WriteByte('-')
			i++
			continue
		case c == '\\' && i+1 < len(s):
			i++
		}
		k := runeLen(s[i:])
		if k == 1 && strings.Contains(`[]^-\`, s[i:i+1]) {
			b.WriteByte('\\')
		}
		b.WriteString(s[i : i+k])
		i += k
	}
	return "", 0
}
