package makefile

import (
	"path"
	"strings"
)

// include reads a file, a path in the tree.
func (m *machine) include(file string, depth int) {
	data, err := m.r.read(file)
	if err != nil {
		m.doubt(file + " cannot be read: " + err.Error())
		return
	}
	previous, at, frames := m.file, m.line, len(m.frames)
	m.file = file
	lines := split(data)
	for i := 0; i < len(lines) && m.r.spend(); i++ {
		m.line = lines[i]
		if name, ok := definition(lines[i]); ok && m.on() && !(m.inRule && lines[i].tab) {
			i = m.define(name, lines, i)
			continue
		}
		m.statement(lines[i], depth)
	}
	if len(m.frames) > frames {
		m.doubt("an if has no endif")
		m.frames = m.frames[:frames]
	}
	m.file, m.line = previous, at
}

// on reports whether the present line counts at all.
func (m *machine) on() bool {
	for _, f := range m.frames {
		if !f.on {
			return false
		}
	}
	return true
}

// statement does one line.
func (m *machine) statement(l line, depth int) {
	if m.inRule && l.tab {
		m.command(l.raw[1:])
		return
	}
	s := strings.Trim(l.text, blanks)
	if s == "" || m.conditional(s) || !m.on() {
		return
	}
	word, rest, _ := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
	switch word {
	case "include", "-include", "sinclude":
		if a, ok := parseAssignment(s); !ok || a.name == "" {
			m.includes(rest, word == "include", depth)
			return
		}
	case "undefine":
		delete(m.vars, strings.Trim(rest, blanks))
		return
	case "vpath":
		return
	}
	if a, ok := parseAssignment(s); ok {
		m.inRule = false
		m.assignTo(a)
		return
	}
	if word == "export" || word == "unexport" {
		m.exportNames(rest, word == "export")
		return
	}
	m.ruleOrText(s)
}

func (m *machine) exportNames(names string, yes bool) {
	expanded, _ := m.expand(names, m.conds()).plain()
	for _, name := range strings.Fields(expanded) {
		m.exported[name] = yes
	}
	if strings.TrimSpace(names) == "" {
		m.exportAll = yes
	}
}

// ruleOrText is a rule, or a reference that stands alone, such as $(error …).
func (m *machine) ruleOrText(s string) {
	targets, needs, first, ok := parseRule(s)
	if ok {
		m.inRule = true
		m.rules = append(m.rules, rule{m.expand(targets, m.conds()), m.expand(needs, m.conds()), nil, m.conds(), m.here()})
		if strings.TrimSpace(first) != "" {
			m.command(first)
		}
		return
	}
	v := m.expand(s, m.conds())
	if str, clear := v.plain(); !clear || strings.TrimSpace(str) != "" {
		m.doubt("is neither an assignment nor a rule")
	}
}

// command is a line of a recipe.
func (m *machine) command(raw string) {
	if len(m.rules) == 0 || !m.on() {
		return
	}
	last := &m.rules[len(m.rules)-1]
	last.commands = append(last.commands, command{raw: raw, conds: m.conds(), at: m.here()})
}

// includes reads the files of an include line.
func (m *machine) includes(names string, must bool, depth int) {
	m.inRule = false
	for _, w := range m.expand(names, m.conds()).words(m.conds()) {
		if !w.clear {
			m.doubt("which file " + w.text + " is, only make can tell")
			m.blind = true
			continue
		}
		file, ok := actual(w.text)
		if !ok && !path.IsAbs(w.text) {
			file, ok = m.relative(w.text), true
		}
		switch {
		case !ok || !m.r.isFile(file):
			if must {
				m.doubt(w.text + " is not there")
				m.blind = true
			}
		case depth >= maxDepth:
			m.doubt("files include one another without end")
		default:
			m.include(file, depth+1)
		}
	}
}

// relative is where make looks for a relative path: a make of one's own in its
// directory, kbuild in M.
func (m *machine) relative(name string) string {
	if at, ok := m.expand("$(M)", nil).plain(); ok && !m.own {
		if dir, ok := actual(at); ok {
			return join(dir, name)
		}
	}
	return join(m.dir, name)
}

// definition is `define NAME`.
func definition(l line) (name string, ok bool) {
	s := strings.Trim(l.text, blanks)
	for {
		word, rest, _ := strings.Cut(s, " ")
		if word == "define" {
			name, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
			return strings.TrimSuffix(name, "="), name != ""
		}
		if !isModifier(word) {
			return "", false
		}
		s = strings.TrimLeft(rest, blanks)
	}
}

// define takes the lines up to endef as the value of a variable, and returns
// the last one's index.
func (m *machine) define(name string, lines []line, i int) int {
	var body []string
	depth := 1
	for i++; i < len(lines); i++ {
		word, _, _ := strings.Cut(strings.Trim(lines[i].text, blanks), " ")
		if word == "define" {
			depth++
		}
		if word == "endef" {
			if depth--; depth == 0 {
				break
			}
		}
		body = append(body, lines[i].raw)
	}
	m.assign(name, assignment{name: name, op: "=", value: strings.Join(body, "\n")}, nil)
	return i
}
