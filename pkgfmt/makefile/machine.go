package makefile

import (
	"maps"
	"slices"
	"strings"
)

// An origin is the line that a word comes from.
type origin struct {
	file string
	line int
	text string
}

// An element is one assignment to a variable.
type element struct {
	add      bool // +=
	deferred bool // raw is expanded when it is asked for
	raw      string
	value    value
	conds    conds
	at       origin
}

type variable struct {
	elements []element
	simple   bool // made by :=
}

// A machine is one make that reads files.
type machine struct {
	r   *reader
	dir string // the directory of the tree that it works for
	// own is a make that a person starts in dir, and not kbuild. released says
	// that KERNELRELEASE is set there.
	own, released bool
	// blind says that a file could not be read, which may set any variable.
	blind     bool
	file      string // that is being read
	line      line
	vars      map[string]*variable
	exported  map[string]bool
	exportAll bool
	base      conds
	frames    []frame
	inRule    bool
	rules     []rule
	nesting   int
}

// A rule is what a target needs and runs, unexpanded.
type rule struct {
	targets, needs value
	commands       []command
	conds          conds
	at             origin
}

type command struct {
	raw   string
	conds conds
	at    origin
}

func newMachine(r *reader, dir string, given map[string]value, base conds) *machine {
	m := &machine{r: r, dir: dir, vars: map[string]*variable{}, exported: map[string]bool{}, base: base}
	for name, v := range given {
		m.vars[name] = &variable{elements: []element{{value: v}}, simple: true}
		m.exported[name] = true
	}
	return m
}

// virtual is the name that a directory of the tree has for a Makefile.
func virtual(dir string) string {
	if dir == "" {
		return virtualRoot
	}
	return virtualRoot + "/" + dir
}

const virtualRoot = "/@tree@"

// actual is the opposite of virtual.
func actual(name string) (dir string, ok bool) {
	rest, ok := strings.CutPrefix(name, virtualRoot)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	dir = join("/", rest)
	return strings.TrimPrefix(dir, "/"), true
}

// conds are what holds at the present line.
func (m *machine) conds() conds {
	all := m.base
	for _, f := range m.frames {
		all = all.andAll(f.previous).andAll(f.conds)
	}
	return all
}

// local are those of the conditions that this file adds.
func (m *machine) local() conds {
	var all conds
	for _, f := range m.frames {
		all = all.andAll(f.previous).andAll(f.conds)
	}
	return all
}

func (m *machine) here() origin { return origin{m.file, m.line.number, m.line.raw} }

func (m *machine) doubt(problem string) {
	m.r.doubt(m.here(), problem)
}

// assign does one assignment, to one name, under further conditions.
func (m *machine) assign(name string, a assignment, more conds) {
	e := element{raw: a.value, conds: m.local().andAll(more), at: m.here()}
	v := m.vars[name]
	if v == nil {
		v = &variable{}
	}
	switch a.op {
	case "?=":
		m.assignDefault(name, v, e)
		return
	case "+=":
		e.add, e.deferred = true, !v.simple
	case "=":
		e.deferred = true
	case "!=":
		e.value = value{{kind: opaque, text: "$(shell " + a.value + ")"}}
	}
	if !e.deferred && e.value == nil {
		e.value = m.expand(a.value, m.conds().andAll(more))
	}
	if !e.add {
		v.simple = !e.deferred
		if len(e.conds) == 0 {
			v.elements = nil
		}
	}
	v.elements = append(v.elements, e)
	m.vars[name] = v
}

// assignDefault is ?=: it sets what no earlier element sets.
func (m *machine) assignDefault(name string, v *variable, e element) {
	e.deferred = true
	if len(v.elements) == 0 {
		if m.given(name) {
			return
		}
		v.elements = []element{e}
		m.vars[name] = v
		return
	}
	if first := v.elements[0]; len(first.conds) > 0 && !first.add {
		v.elements = slices.Insert(v.elements, 0, e)
	}
}

// given reports whether a variable has a value before the file is read.
func (m *machine) given(name string) bool {
	p := m.undefined(name)
	return len(p) > 0 && p[0].kind != user && p[0].kind != kernel
}

// get is the value of a variable where all holds. The words of a list know the
// line that they were assigned in.
func (m *machine) get(name string, all conds) value {
	v := m.vars[name]
	if v == nil {
		return m.undefined(name)
	}
	var out value
	if first := v.elements[0]; len(first.conds) > 0 && !first.add {
		out = m.undefined(name)
	}
	for _, e := range v.elements {
		part := e.value
		if e.deferred {
			part = m.expand(e.raw, all.andAll(e.conds))
		}
		if isList(name) {
			part = stamp(part, &e.at)
		}
		if e.add {
			out = append(slices.Clip(out), text(" ")...)
			out = append(out, choose(e.conds, part, nil)...)
		} else {
			out = choose(e.conds, part, out)
		}
		out = out.bounded()
	}
	return out.under(all)
}

// stamp says where the parts come from.
func stamp(v value, at *origin) value {
	out := slices.Clone(v)
	for i := range out {
		out[i].at = at
		out[i].yes, out[i].no = stamp(out[i].yes, at), stamp(out[i].no, at)
	}
	return out
}

// exports are the variables that makes started by this one see.
func (m *machine) exports() map[string]value {
	all := map[string]value{}
	for _, name := range slices.Sorted(maps.Keys(m.vars)) {
		if m.exportAll || m.exported[name] {
			all[name] = m.get(name, m.base)
		}
	}
	return all
}
