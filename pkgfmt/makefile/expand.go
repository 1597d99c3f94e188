package makefile

import (
	"strings"
)

// expand expands the references of a text, where all holds.
func (m *machine) expand(s string, all conds) value {
	if !strings.Contains(s, "$") {
		return text(s)
	}
	m.nesting++
	defer func() { m.nesting-- }()
	if m.nesting > maxNesting || !m.r.spend() {
		return value{{kind: opaque, text: clip(s)}}
	}
	var out value
	for s != "" {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			out = append(out, text(s)...)
			break
		}
		out = append(out, text(s[:i])...)
		s = s[i+1:]
		if s[0] == '$' {
			out, s = append(out, text("$")...), s[1:]
			continue
		}
		name, rest, ok := cutReference(s)
		if !ok {
			return append(out, part{kind: opaque, text: "$" + s})
		}
		out, s = append(out, m.reference(name, all)...), rest
	}
	return out.bounded()
}

// cutReference takes NAME of "NAME)rest", behind a $.
func cutReference(s string) (name, rest string, ok bool) {
	var closing byte
	switch s[0] {
	case '(':
		closing = ')'
	case '{':
		closing = '}'
	default:
		return s[:1], s[1:], true
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case s[0]:
			depth++
		case closing:
			if depth--; depth == 0 {
				return s[1:i], s[i+1:], true
			}
		}
	}
	return "", "", false
}

// reference is the value of $(name).
func (m *machine) reference(name string, all conds) value {
	if i := strings.IndexAny(name, " \t"); i > 0 {
		if f, ok := m.r.functions[name[:i]]; ok {
			return m.call(f, name[:i], strings.TrimLeft(name[i:], " \t"), all)
		}
	}
	if at, from, to, ok := substitution(name); ok {
		return m.call(m.r.functions["patsubst"], "patsubst", percent(from)+","+percentTo(from, to)+",$("+at+")", all)
	}
	expanded := m.expand(name, all)
	plain, clear := expanded.plain()
	if !clear {
		return m.named(expanded, name, all)
	}
	return m.get(strings.Trim(plain, blanks), all)
}

// named is the value of a variable whose name hangs on conditions.
func (m *machine) named(name value, raw string, all conds) value {
	for i, p := range name {
		if p.kind != choice {
			continue
		}
		side := func(v value) value {
			var whole value
			whole = append(append(append(whole, name[:i]...), v...), name[i+1:]...)
			if plain, clear := whole.plain(); clear {
				return m.get(strings.Trim(plain, blanks), all)
			}
			return m.named(whole, raw, all)
		}
		if m.nesting++; m.nesting > maxNesting || !m.r.spend() {
			break
		}
		defer func() { m.nesting-- }()
		return value{{kind: choice, cond: p.cond, yes: side(p.yes), no: side(p.no)}}.under(all)
	}
	return value{{kind: opaque, text: "$(" + raw + ")"}}
}

// substitution takes NAME:FROM=TO apart.
func substitution(s string) (name, from, to string, ok bool) {
	depth := 0
	colon := -1
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ':':
			if depth == 0 && colon < 0 {
				colon = i
			}
		case '=':
			if depth == 0 && colon > 0 {
				return s[:colon], s[colon+1 : i], s[i+1:], true
			}
		}
	}
	return "", "", "", false
}

func percent(from string) string {
	if strings.Contains(from, "%") {
		return from
	}
	return "%" + from
}

func percentTo(from, to string) string {
	if strings.Contains(from, "%") {
		return to
	}
	return "%" + to
}

// splitArguments cuts a function's arguments at its commas; the last takes the rest.
func splitArguments(s string, most int) (args []string) {
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ',':
			if depth == 0 && (most == 0 || len(args) < most-1) {
				args = append(args, s[from:i])
				from = i + 1
			}
		}
	}
	return append(args, s[from:])
}
