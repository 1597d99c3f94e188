package conf

import (
	"fmt"
	"regexp"
	"strings"
)

// translateERE turns a POSIX extended regular expression, as glibc reads it
// (regex(7)), into Go's syntax. What differs: inside brackets a backslash is
// an ordinary character; a quantifier with nothing before it is one too, and
// so is a { that begins no bound; \< and \> are word boundaries.
func translateERE(s string) (string, error) {
	t := ereTranslator{in: s}
	err := t.run()
	return t.out.String(), err
}

// compileERE compiles a POSIX extended regular expression, to be searched for
// anywhere in a string as bash's =~ does.
func compileERE(s string) (*regexp.Regexp, error) {
	expr, err := translateERE(s)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("%q is not a regular expression: %s", s, reason(err))
	}
	return re, nil
}

func reason(err error) string {
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}

// quoteERE quotes s so that it matches itself.
func quoteERE(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

type ereTranslator struct {
	in       string
	i        int
	out      strings.Builder
	atom     bool // something stands before that can be repeated
	repeated bool // the last thing written was a quantifier
}

func (t *ereTranslator) run() error {
	for t.i < len(t.in) {
		c := t.in[t.i]
		t.i++
		switch c {
		case '\\':
			if err := t.escape(); err != nil {
				return err
			}
		case '[':
			if err := t.bracket(); err != nil {
				return err
			}
			t.atom, t.repeated = true, false
		case '*', '+', '?':
			t.quantifier(string(c))
		case '{':
			t.bound()
		case '(', '|':
			t.out.WriteByte(c)
			t.atom, t.repeated = false, false
		case '^':
			t.out.WriteByte(c)
			t.atom, t.repeated = false, false
		default:
			t.out.WriteByte(c)
			t.atom, t.repeated = true, false
		}
	}
	return nil
}

// quantifier writes *, + or ?, or itself where there is nothing to repeat. Of
// several in a row, which Go refuses or reads as non-greedy, each applies to
// all before it; any mix that can match nothing and many is *.
func (t *ereTranslator) quantifier(q string) {
	switch {
	case !t.atom:
		t.out.WriteString(`\` + q)
		t.atom = true
	case t.repeated:
		s := t.out.String()
		last := s[len(s)-1:]
		if last != q && strings.Contains("*+?", last) {
			t.out.Reset()
			t.out.WriteString(s[:len(s)-1] + "*")
		}
	default:
		t.out.WriteString(q)
		t.repeated = true
	}
}

var boundForm = regexp.MustCompile(`^(\d*)(,?)(\d*)\}`)

// bound writes {n,m}, or a literal { where no bound follows.
func (t *ereTranslator) bound() {
	m := boundForm.FindStringSubmatch(t.in[t.i:])
	if m == nil || !t.atom || (m[1] == "" && m[2] == "") {
		t.out.WriteString(`\{`)
		t.atom, t.repeated = true, false
		return
	}
	t.i += len(m[0])
	low := m[1]
	if low == "" {
		low = "0"
	}
	if t.repeated { // (a*){2}
		return
	}
	t.out.WriteString("{" + low + m[2] + m[3] + "}")
	t.repeated = true
}

func (t *ereTranslator) escape() error {
	if t.i == len(t.in) {
		return fmt.Errorf("%q is not a regular expression: it ends in a backslash", t.in)
	}
	c := t.in[t.i]
	t.i++
	t.atom, t.repeated = true, false
	switch c {
	case '<', '>':
		t.out.WriteString(`\b`)
		t.atom = false
	case 'b', 'B', 'w', 'W', 's', 'S':
		t.out.WriteString(`\` + string(c))
	case '`':
		t.out.WriteString(`\A`)
	case '\'':
		t.out.WriteString(`\z`)
	default:
		// Any other escaped character is that character: \d is d.
		t.out.WriteString(regexp.QuoteMeta(string(c)))
	}
	return nil
}

// bracket copies a bracket expression; a backslash in it is ordinary.
func (t *ereTranslator) bracket() error {
	t.out.WriteByte('[')
	if t.i < len(t.in) && t.in[t.i] == '^' {
		t.out.WriteByte('^')
		t.i++
	}
	for first := true; t.i < len(t.in); first = false {
		rest := t.in[t.i:]
		if rest[0] == ']' && !first {
			t.out.WriteByte(']')
			t.i++
			return nil
		}
		if class, ok := bracketClass(rest); ok {
			t.i += len(class)
			t.out.WriteString(class)
			continue
		}
		if len(rest) > 4 && (rest[:2] == "[." || rest[:2] == "[=") && rest[3] == rest[1] && rest[4] == ']' {
			t.out.WriteString(regexp.QuoteMeta(rest[2:3]))
			t.i += 5
			continue
		}
		if strings.ContainsRune(`\[]^`, rune(rest[0])) {
			t.out.WriteByte('\\')
		}
		// A - at either end is itself in both syntaxes.
		t.out.WriteByte(rest[0])
		t.i++
	}
	return fmt.Errorf("%q is not a regular expression: missing closing ]", t.in)
}

func bracketClass(s string) (string, bool) {
	if !strings.HasPrefix(s, "[:") {
		return "", false
	}
	end := strings.Index(s, ":]")
	if end < 0 {
		return "", false
	}
	return s[:end+2], true
}
