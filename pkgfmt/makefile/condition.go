package makefile

import (
	"strings"
)

// A frame is an if that is open.
type frame struct {
	on       bool  // this branch may count
	done     bool  // a branch before surely counted
	previous conds // what the branches before say: that they do not count
	conds    conds // what this branch says
}

// conditional does ifeq, ifneq, ifdef, ifndef, else and endif. It reports
// whether the line was one.
func (m *machine) conditional(s string) bool {
	word, rest := s, ""
	if i := strings.IndexAny(s, " \t("); i >= 0 {
		word, rest = s[:i], strings.Trim(s[i:], blanks)
	}
	switch word {
	case "ifeq", "ifneq", "ifdef", "ifndef":
		on := m.on()
		if len(m.frames) > maxNesting {
			m.r.err = errTooMany
			return true
		}
		m.frames = append(m.frames, frame{on: on, done: !on})
		m.branch(word, rest)
	case "else":
		if len(m.frames) == 0 {
			m.doubt("an else without an if")
			return true
		}
		m.otherwise(rest)
	case "endif":
		if len(m.frames) == 0 {
			m.doubt("an endif without an if")
			return true
		}
		m.frames = m.frames[:len(m.frames)-1]
	default:
		return false
	}
	return true
}

// otherwise is else, or else ifeq.
func (m *machine) otherwise(rest string) {
	f := &m.frames[len(m.frames)-1]
	if f.on {
		f.done = f.done || len(f.conds) == 0
		for _, c := range f.conds {
			f.previous = f.previous.and(c.negated())
		}
	}
	f.conds, f.on = nil, !f.done
	if rest == "" {
		return
	}
	word := rest
	if i := strings.IndexAny(rest, " \t("); i >= 0 {
		word, rest = rest[:i], strings.Trim(rest[i:], blanks)
	}
	m.branch(word, rest)
}

// branch decides the newest frame's present branch.
func (m *machine) branch(word, rest string) {
	f := &m.frames[len(m.frames)-1]
	if !f.on {
		return
	}
	f.on = false // while it is judged, it adds nothing
	var answer Answer
	var c cond
	switch word {
	case "ifdef", "ifndef":
		answer, c = m.defined(rest)
	default:
		a, b, ok := arguments(rest)
		if !ok {
			m.doubt("this comparison cannot be read")
			answer, c = Depends, cond{key: rest, yes: rest, no: "not " + rest}
			break
		}
		answer, c = m.equal(a, b)
	}
	if word == "ifneq" || word == "ifndef" {
		answer, c = -answer, c.negated()
	}
	if answer == Depends {
		answer = m.conds().holds(c)
	}
	f = &m.frames[len(m.frames)-1]
	f.on = answer != No
	if answer == Depends {
		f.conds = conds{c}
	}
}

// arguments are the two sides of (a,b), "a" "b" or 'a' 'b'.
func arguments(s string) (a, b string, ok bool) {
	if strings.HasPrefix(s, "(") {
		depth := 0
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '(':
				depth++
			case ')':
				depth--
			case ',':
				if end := strings.LastIndexByte(s, ')'); depth <= 0 && end > i {
					return strings.Trim(s[1:i], blanks), strings.Trim(s[i+1:end], blanks), true
				}
			}
		}
		return "", "", false
	}
	var sides [2]string
	for i := range sides {
		s = strings.TrimLeft(s, blanks)
		if s == "" || s[0] != '"' && s[0] != '\'' {
			return "", "", false
		}
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 {
			return "", "", false
		}
		sides[i], s = s[1:1+end], s[end+2:]
	}
	return sides[0], sides[1], true
}

// equal compares two texts.
func (m *machine) equal(a, b string) (Answer, cond) {
	all := m.conds()
	return m.equalValues(m.expand(a, all), m.expand(b, all), a, b, all)
}

// equalValues compares two values, which stand in the Makefile as a and b.
func (m *machine) equalValues(left, right value, a, b string, all conds) (answer Answer, c cond) {
	c = cond{key: left.String() + " = " + right.String(), yes: a + " = " + b, no: a + " != " + b}
	if a == "" || b == "" {
		c.key = left.String() + right.String() + " = "
		c.yes, c.no = a+b+" is empty", a+b+" is set"
	}
	ls, ok := left.ways(all)
	rs, ok2 := right.ways(all)
	if !ok || !ok2 {
		return Depends, c
	}
	answer, c.standard = compare(ls, rs, len(all))
	if option := configOption(left.String() + right.String()); option != "" && (a == "" || b == "") {
		set := optionSet(option)
		set.standard = -c.standard
		c = set.negated()
	}
	return answer, c
}

// optionSet is the condition that an option of the kernel is y or m.
func optionSet(option string) cond {
	return cond{key: "$(" + option + ")", yes: option, no: "!" + option, config: option}
}

// compare says whether two texts, in all their ways, are equal, in general and
// when nobody sets anything but what the first conditions, which are around,
// ask for.
func compare(ls, rs []way, around int) (answer, standard Answer) {
	const open = Answer(9)
	answer, standard = open, open
	add := func(to *Answer, one Answer) {
		if *to != open && *to != one {
			one = Depends
		}
		*to = one
	}
	for _, l := range ls {
		for _, r := range rs {
			both := l.conds.andAll(r.conds)
			if !both.possible() {
				continue
			}
			add(&answer, same(l, r))
			if both[min(around, len(both)):].standard() != No {
				add(&standard, same(l.unset(), r.unset()))
			}
		}
	}
	if answer == open {
		answer = Depends
	}
	if standard == open {
		standard = Depends
	}
	return answer, standard
}

// unset is a way without the variables that only a person would set.
func (w way) unset() way {
	if w.user {
		w.text, w.clear = w.known, true
	}
	return w
}

// same compares two texts with what is not known in them.
func same(l, r way) Answer {
	lt, rt := strings.Trim(l.text, blanks), strings.Trim(r.text, blanks)
	switch {
	case lt == rt:
		return Yes
	case l.clear && r.clear, l.clear && lt == "" && r.full, r.clear && rt == "" && l.full:
		return No
	}
	return Depends
}

// defined is ifdef: whether the value, unexpanded, is not empty.
func (m *machine) defined(name string) (Answer, cond) {
	expanded, clear := m.expand(name, m.conds()).plain()
	expanded = strings.TrimSpace(expanded)
	if !clear {
		return Depends, cond{key: "defined " + name, yes: name + " is set", no: name + " is not set"}
	}
	answer, c := m.equalValues(m.get(expanded, m.conds()), nil, reference(expanded), "", m.conds())
	return -answer, c.negated()
}
