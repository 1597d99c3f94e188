package makefile

import (
	"strconv"
	"strings"
)

// A function is one of make's. Text functions take expanded arguments, in which
// a symbol is one strange word; exact ones cannot be judged with symbols in them.
type function struct {
	arguments int // at most; 0: any number
	exact     bool
	text      textFunction
	// special functions expand their arguments themselves.
	special func(m *machine, args []string, all conds) value
}

// call is $(name arguments).
func (m *machine) call(f function, name, arguments string, all conds) value {
	args := splitArguments(arguments, f.arguments)
	whole := "$(" + name + " " + arguments + ")"
	m.nesting++
	defer func() { m.nesting-- }()
	if m.nesting > maxNesting || !m.r.spend() {
		return value{{kind: opaque, text: clip(whole)}}
	}
	if f.special != nil {
		return f.special(m, args, all)
	}
	values := make([]value, len(args))
	for i, a := range args {
		values[i] = m.expand(a, all)
	}
	return m.apply(f, whole, values, all, 0)
}

// apply calls a text function for each way in which its arguments can be read.
func (m *machine) apply(f function, whole string, args []value, all conds, depth int) value {
	for i, arg := range args {
		for k, p := range arg {
			if p.kind != choice {
				continue
			}
			if depth > 8 || !m.r.spend() {
				return value{{kind: opaque, text: clip(whole)}}
			}
			side := func(v value, c cond) value {
				changed := append([]value{}, args...)
				changed[i] = append(append(append(value{}, arg[:k]...), v...), arg[k+1:]...)
				return m.apply(f, whole, changed, all.and(c), depth+1)
			}
			return value{{kind: choice, cond: p.cond, yes: side(p.yes, p.cond), no: side(p.no, p.cond.negated())}}.under(all)
		}
	}
	var symbols []part
	texts := make([]string, len(args))
	for i, arg := range args {
		for _, p := range arg {
			if p.kind == literal {
				texts[i] += p.text
				continue
			}
			texts[i] += "\x00" + strconv.Itoa(len(symbols)) + "\x00"
			symbols = append(symbols, p)
		}
	}
	if len(symbols) == 0 || !f.exact {
		if result, ok := f.text(m, texts); ok && len(result) <= maxBytes {
			return restore(result, symbols)
		}
	}
	return value{{kind: opaque, text: clip(whole)}}
}

// restore puts symbols back for the strange words.
func restore(s string, symbols []part) (out value) {
	for i, piece := range strings.Split(s, "\x00") {
		if i%2 == 0 {
			out = append(out, text(piece)...)
		} else if n, err := strconv.Atoi(piece); err == nil && n < len(symbols) {
			out = append(out, symbols[n])
		}
	}
	return out
}

// conditionalFunction is $(if …).
func conditionalFunction(m *machine, args []string, all conds) value {
	if len(args) < 2 {
		return nil
	}
	otherwise := func(all conds) value {
		if len(args) < 3 {
			return nil
		}
		return m.expand(args[2], all)
	}
	answer, c := m.equalValues(m.expand(strings.Trim(args[0], blanks), all), nil, strings.Trim(args[0], blanks), "", all)
	switch answer {
	case Yes: // equal to nothing
		return otherwise(all)
	case No:
		return m.expand(args[1], all)
	}
	return choose(conds{c}, otherwise(all.and(c)), m.expand(args[1], all.and(c.negated()))).under(all)
}

// orFunction and andFunction are $(or …) and $(and …).
func orFunction(m *machine, args []string, all conds) value {
	if len(args) == 0 {
		return nil
	}
	v := m.expand(strings.Trim(args[0], blanks), all)
	switch answer, c := m.equalValues(v, nil, strings.Trim(args[0], blanks), "", all); answer {
	case Yes:
		return orFunction(m, args[1:], all)
	case No:
		return v
	default:
		return choose(conds{c}, orFunction(m, args[1:], all.and(c)), v).under(all)
	}
}

func andFunction(m *machine, args []string, all conds) value {
	if len(args) == 0 {
		return nil
	}
	v := m.expand(strings.Trim(args[0], blanks), all)
	answer, c := m.equalValues(v, nil, strings.Trim(args[0], blanks), "", all)
	switch {
	case answer == Yes:
		return nil
	case answer == No && len(args) == 1:
		return v
	case answer == No:
		return andFunction(m, args[1:], all)
	case len(args) == 1:
		return v
	}
	return choose(conds{c}, nil, andFunction(m, args[1:], all.and(c.negated()))).under(all)
}

// foreachFunction is $(foreach name,list,text).
func foreachFunction(m *machine, args []string, all conds) (out value) {
	if len(args) < 3 {
		return nil
	}
	name, _ := m.expand(args[0], all).plain()
	name = strings.Trim(name, blanks)
	before, had := m.vars[name]
	for i, w := range m.expand(args[1], all).words(all) {
		if i > 0 {
			out = append(out, text(" ")...)
		}
		if out = out.bounded(); !m.r.spend() {
			break
		}
		item := text(w.text)
		if !w.clear {
			item = value{{kind: opaque, text: w.text}}
		}
		m.vars[name] = &variable{simple: true, elements: []element{{value: item}}}
		out = append(out, choose(w.conds, m.expand(args[2], all.andAll(w.conds)), nil).under(all)...)
	}
	if delete(m.vars, name); had {
		m.vars[name] = before
	}
	return out
}

// callFunction is $(call name,1,2…).
func callFunction(m *machine, args []string, all conds) value {
	name, clear := m.expand(args[0], all).plain()
	name = strings.Trim(name, blanks)
	if v := m.vars[name]; !clear || v == nil || len(v.elements) != 1 || !v.elements[0].deferred {
		return value{{kind: opaque, text: "$(call " + strings.Join(args, ",") + ")"}}
	}
	saved := map[string]*variable{}
	values := make([]value, 10)
	for i := 1; i < len(args) && i < 10; i++ {
		values[i] = m.expand(args[i], all)
	}
	for i := range 10 {
		n := strconv.Itoa(i)
		saved[n] = m.vars[n]
		m.vars[n] = &variable{simple: true, elements: []element{{value: values[i]}}}
	}
	out := m.expand(m.vars[name].elements[0].raw, all)
	for n, v := range saved {
		if m.vars[n] = v; v == nil {
			delete(m.vars, n)
		}
	}
	return out
}

// evalFunction is $(eval …): assignments and rules made by a Makefile.
func evalFunction(m *machine, args []string, _ conds) value {
	m.doubt("$(eval " + shorten(strings.Join(args, ",")) + ") is not followed")
	return nil
}

// silent is $(info …), $(warning …) and $(error …).
func silent(*machine, []string, conds) value { return nil }

// shellFunction knows the few commands whose output is known.
func shellFunction(m *machine, args []string, all conds) value {
	command := m.expand(strings.Join(args, ","), all)
	plain, clear := command.plain()
	words := strings.Fields(plain)
	switch {
	case clear && m.own && len(words) == 1 && words[0] == "pwd":
		return text(virtual(m.dir))
	case clear && len(words) == 2 && words[0] == "dirname":
		if dir, ok := actual(words[1]); ok && dir != "" {
			return text(strings.TrimSuffix(words[1][:strings.LastIndexByte(words[1], '/')], "/"))
		}
	case clear && len(words) == 2 && words[0] == "echo":
		return text(strings.Trim(words[1], `"'`))
	}
	return value{{kind: opaque, text: "$(shell " + clip(command.String()) + ")"}}
}
