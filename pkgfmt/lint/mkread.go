package lint

import (
	"regexp"
	"strings"
)

// A makeLine is a line of a Makefile with those that continue it.
type makeLine struct {
	n      int
	text   string
	recipe bool // it begins with a tab
}

// makeLines splits a Makefile, without its comments.
func makeLines(text string) (lines []makeLine) {
	raw := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(raw); i++ {
		line := makeLine{n: i + 1, text: raw[i], recipe: strings.HasPrefix(raw[i], "\t")}
		for strings.HasSuffix(line.text, `\`) && i+1 < len(raw) && len(line.text) < textLimit/8 {
			i++
			line.text = strings.TrimSuffix(line.text, `\`) + " " + strings.TrimSpace(raw[i])
		}
		if !line.recipe {
			line.text = uncommented(line.text)
		}
		if strings.TrimSpace(line.text) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// uncommented is a line up to its comment.
func uncommented(s string) string {
	for i := range len(s) {
		if s[i] == '#' && (i == 0 || s[i-1] != '\\') {
			return s[:i]
		}
	}
	return s
}

// A branch is one open conditional: whether its lines count.
type branch struct {
	active tri
	taken  tri // whether an earlier branch of it counted
	outer  tri
	from   *origin // its condition depends on uname
}

// tri is no, maybe or yes.
type tri int

const (
	no tri = iota
	maybe
	yes
)

func (t tri) not() tri { return yes - t }

// A makeRule has the targets and recipes of one rule.
type makeRule struct {
	targets, needs []string
	recipe         []makeLine
	path           string
}

// A makeReader reads a Makefile for one call of make.
type makeReader struct {
	*makeVars
	tree     *tree
	rules    []makeRule
	exported map[string]bool
	sure     bool // no branch was in doubt, no included file unknown
	sink     func(name string, value makeValue, path string, n int)
	depth    int
}

// read reads a file of the tree.
func (r *makeReader) read(path string) {
	if r.depth++; r.depth > 6 {
		return
	}
	defer func() { r.depth-- }()
	var open []branch
	inRule, inDefine := false, false
	for _, line := range makeLines(r.tree.text(path)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line.text), " ")
		at := origin{path, line.n}
		switch {
		case inDefine:
			inDefine = word != "endef"
		case !line.recipe && r.conditional(word, strings.TrimSpace(rest), at, &open), !active(open):
		case line.recipe && inRule:
			last := &r.rules[len(r.rules)-1]
			last.recipe = append(last.recipe, line)
		case word == "define":
			inDefine = true
		default:
			inRule = r.line(line, word, rest, path, open)
		}
	}
}

// active reports whether lines count within the open branches.
func active(open []branch) bool { return len(open) == 0 || open[len(open)-1].active != no }

// line reads what is neither recipe nor conditional; it reports whether a rule
// begins.
func (r *makeReader) line(line makeLine, word, rest, path string, open []branch) bool {
	at := origin{path, line.n}
	if name, value, ok := r.assign(line.text, at); ok {
		if strings.HasPrefix(strings.TrimSpace(line.text), "export") {
			r.exported[name] = true
		}
		if value.from == nil {
			for _, b := range open {
				if b.from != nil && b.active == maybe {
					value.from = b.from
				}
			}
		}
		r.sink(name, value, path, line.n)
		return false
	}
	switch word {
	case "export":
		for _, name := range strings.Fields(rest) {
			r.exported[name] = true
		}
		r.exported[""] = r.exported[""] || strings.TrimSpace(rest) == ""
	case "include", "-include", "sinclude":
		r.include(rest, at)
	default:
		return r.rule(line, path)
	}
	return false
}

func (r *makeReader) include(rest string, at origin) {
	value := r.expand(rest, at, 0)
	for _, name := range strings.Fields(value.text) {
		dir := r.command["CURDIR"]
		name = strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		path, ok := local(r.curdir(), name)
		if e, there := r.tree.find(path); ok && there && e.mode.IsRegular() && value.known {
			r.read(e.path)
			continue
		}
		r.sure = false
	}
}

// curdir is the directory of the tree that make runs in.
func (r *makeReader) curdir() string {
	rest, ok := strings.CutPrefix(r.command["CURDIR"], r.tree.dir)
	if rest = strings.TrimPrefix(rest, "/"); !ok || rest == "" {
		return "."
	}
	return rest
}

// rule reads a line as the head of a rule.
func (r *makeReader) rule(line makeLine, path string) bool {
	at := origin{path, line.n}
	left, right, ok := strings.Cut(line.text, ":")
	if !ok {
		if r.expand(line.text, at, 0).text != "" {
			r.sure = false // $(eval …) and the like
		}
		return false
	}
	right = strings.TrimPrefix(right, ":")
	head, own, _ := strings.Cut(right, ";")
	if makeAssignment.MatchString(head) {
		return false // a variable of the target's own
	}
	rule := makeRule{path: path, targets: strings.Fields(r.expand(left, at, 0).text), needs: strings.Fields(r.expand(head, at, 0).text)}
	if strings.TrimSpace(own) != "" {
		rule.recipe = append(rule.recipe, makeLine{n: line.n, text: own, recipe: true})
	}
	r.rules = append(r.rules, rule)
	return true
}

// conditional reads ifeq and the like; it reports whether the line is one.
func (r *makeReader) conditional(word, rest string, at origin, open *[]branch) bool {
	outer := yes
	if n := len(*open); n > 0 {
		outer = (*open)[n-1].active
	}
	if i := strings.IndexAny(word, "(\"'"); i > 0 { // ifeq($(A),)
		word, rest = word[:i], word[i:]+" "+rest
	}
	switch word {
	case "ifeq", "ifneq", "ifdef", "ifndef":
		b := branch{outer: outer}
		if outer != no {
			b.taken, b.from = r.condition(word, rest, at)
		}
		b.active = min(b.taken, outer)
		*open = append(*open, b)
	case "else":
		n := len(*open)
		if n == 0 {
			return true
		}
		b := &(*open)[n-1]
		left := min(b.taken.not(), b.outer)
		inner, expr, _ := strings.Cut(rest, " ")
		if !strings.HasPrefix(inner, "if") || left == no {
			b.active = left
			b.taken = yes
			break
		}
		if i := strings.IndexAny(inner, "(\"'"); i > 0 {
			inner, expr = inner[:i], inner[i:]+" "+expr
		}
		is, from := r.condition(inner, strings.TrimSpace(expr), at)
		b.active, b.taken, b.from = min(left, is), max(b.taken, is), from
	case "endif":
		if n := len(*open); n > 0 {
			*open = (*open)[:n-1]
		}
	default:
		return false
	}
	r.sure = r.sure && (len(*open) == 0 || (*open)[len(*open)-1].active != maybe)
	return true
}

var quotedPair = regexp.MustCompile(`^\s*(?:"([^"]*)"|'([^']*)')\s*(?:"([^"]*)"|'([^']*)')\s*$`)

// condition evaluates ifeq (a,b), ifneq, ifdef and ifndef.
func (r *makeReader) condition(word, rest string, at origin) (is tri, from *origin) {
	if word == "ifdef" || word == "ifndef" {
		name := r.expand(rest, at, 0)
		defined, certain := r.defined(strings.TrimSpace(name.text))
		is = maybe
		if certain && name.known {
			is = no
			if defined {
				is = yes
			}
		}
	} else {
		a, b, ok := pair(rest)
		x, y := r.expand(a, at, 0), r.expand(b, at, 0)
		if from = x.from; from == nil {
			from = y.from
		}
		is = maybe
		switch xt, yt := strings.TrimSpace(x.text), strings.TrimSpace(y.text); {
		case ok && x.known && y.known:
			is = no
			if xt == yt {
				is = yes
			}
		case yt == "" && y.known && strings.Trim(xt, unknown) != "", xt == "" && x.known && strings.Trim(yt, unknown) != "":
			is = no // a part of it is known, so it is not empty
		}
	}
	if word == "ifneq" || word == "ifndef" {
		is = is.not()
	}
	return is, from
}

// pair splits what ifeq compares.
func pair(s string) (a, b string, ok bool) {
	s = strings.TrimSpace(s)
	if m := quotedPair.FindStringSubmatch(s); m != nil {
		return m[1] + m[2], m[3] + m[4], true
	}
	if !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") {
		return "", "", false
	}
	s = s[1 : len(s)-1]
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ',':
			if depth == 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return "", "", false
}
