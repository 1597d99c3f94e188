package makefile

import "strings"

// A line is one logical line: continued lines are joined by one space.
type line struct {
	number int    // of its first physical line, from 1
	text   string // with its leading blanks, without a comment
	tab    bool   // begins with a tab: of a recipe, where there is a rule
	raw    string // with the comment
}

// split cuts a Makefile into logical lines; empty ones are left out.
func split(data string) (lines []line) {
	physical := strings.Split(strings.ReplaceAll(data, "\r\n", "\n"), "\n")
	for i := 0; i < len(physical); i++ {
		first := i
		var b strings.Builder
		b.WriteString(physical[i])
		joined := physical[i]
		for continues(joined) && i+1 < len(physical) {
			i++
			joined = physical[i]
			head := strings.TrimRight(strings.TrimSuffix(b.String(), `\`), " \t")
			b.Reset()
			b.WriteString(head + " " + strings.TrimLeft(joined, " \t"))
		}
		raw := b.String()
		if strings.Trim(raw, blanks) == "" {
			continue
		}
		lines = append(lines, line{number: first + 1, raw: raw, text: uncomment(raw), tab: raw[0] == '\t'})
	}
	return lines
}

// continues reports whether s ends in an odd number of backslashes.
func continues(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

// uncomment cuts a comment off. \# is a #.
func uncomment(s string) string {
	if !strings.Contains(s, "#") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '#':
			b.WriteByte('#')
			i++
		case s[i] == '#':
			return b.String()
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// An assignment is NAME OP VALUE.
type assignment struct {
	name, op, value string
	export          bool
}

// parseAssignment takes a line apart. ok is false for what is none.
func parseAssignment(s string) (a assignment, ok bool) {
	s = strings.TrimLeft(s, blanks)
	for {
		word, rest, _ := strings.Cut(s, " ")
		if tabbed, after, found := strings.Cut(word, "\t"); found {
			word, rest = tabbed, after+" "+rest
		}
		rest = strings.TrimLeft(rest, blanks)
		if !isModifier(word) || startsWithOperator(rest) {
			break
		}
		a.export = a.export || word == "export"
		s = rest
	}
	at, op := operator(s)
	if op == "" {
		return a, false
	}
	a.name, a.op = strings.Trim(s[:at], blanks), op
	a.value = strings.TrimLeft(s[at+len(op):], blanks)
	return a, a.name != ""
}

func isModifier(word string) bool {
	switch word {
	case "export", "override", "private", "unexport":
		return true
	}
	return false
}

func startsWithOperator(s string) bool {
	at, op := operator(s)
	return op != "" && at == 0
}

// operator finds the first operator of an assignment outside of references.
// A colon that comes first makes a rule.
func operator(s string) (at int, op string) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		}
		if depth > 0 {
			continue
		}
		for _, op := range []string{":::=", "::=", ":=", "?=", "+=", "!=", "="} {
			if strings.HasPrefix(s[i:], op) {
				return i, op
			}
		}
		if s[i] == ':' {
			return i, ""
		}
	}
	return 0, ""
}

// parseRule returns the targets, prerequisites and first command of a rule,
// unexpanded.
func parseRule(s string) (targets, needs, command string, ok bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ':':
			if depth <= 0 {
				rest := strings.TrimLeft(s[i:], ":&")
				rest, command, _ = strings.Cut(rest, ";")
				return strings.TrimRight(s[:i], "& \t"), rest, command, true
			}
		}
	}
	return "", "", "", false
}
