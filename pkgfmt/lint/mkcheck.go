package lint

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// compilerWords are the variables by which a Kbuild file says how modules are
// made.
var compilerWords = regexp.MustCompile(`^(subdir-)?(ccflags|asflags|ldflags|rustflags)-|^(EXTRA_(C|A|LD)FLAGS|KBUILD_.*|CFLAGS(_.*)?|LINUXINCLUDE|NOSTDINC_FLAGS)$|^(obj|lib)-|-(objs|y|m)$`)

// checkMakefiles follows MAKE through the Makefiles, and looks for places where
// uname decides which kernel is built for.
func (l *linter) checkMakefiles() {
	c := &makeCheck{linter: l, told: map[origin]bool{}, seen: map[string]bool{}, left: expansionLimit}
	for _, a := range l.answers {
		if len(a.conf.Values["MAKE"]) == 0 {
			c.follow(makeCall{kbuild: true, dir: l.base(), known: true}, a, 0)
		}
		for _, i := range a.conf.Values["MAKE"].Indexes() {
			command := a.conf.Values["MAKE"][i]
			r := l.makeCalls(command, a)
			for j, call := range r.calls {
				if j == 0 && bareMake.MatchString(command) {
					if _, own := call.vars["KERNELRELEASE"]; !own {
						call.vars["KERNELRELEASE"] = a.sample.release
						c.bare = true
					}
				}
				c.follow(call, a, 0)
				c.bare = false
			}
		}
	}
}

// A makeCheck follows calls of make.
type makeCheck struct {
	*linter
	told map[origin]bool
	seen map[string]bool
	left int  // expansions
	bare bool // KERNELRELEASE is dkms's addition
}

// follow reads the Makefile of a call, and those of the calls that it makes.
func (c *makeCheck) follow(call makeCall, a answer, depth int) {
	path := c.makefile(call)
	key := fmt.Sprint(path, call.kbuild, call.dir, call.goals, call.vars, call.env)
	if path == "" || depth > 4 || c.seen[key] || len(c.seen) > 200 {
		return
	}
	c.seen[key] = true
	vars := &makeVars{command: maps.Clone(call.vars), tainted: call.tainted, env: call.env, file: map[string]makeVar{}, kbuild: call.kbuild, left: &c.left}
	if vars.command == nil {
		vars.command = map[string]string{}
	}
	dir := filepath.Join(c.tree.dir, call.dir)
	vars.command["CURDIR"], vars.command["PWD"] = dir, dir
	if call.kbuild {
		for name, value := range map[string]string{"KERNELRELEASE": a.sample.release, "KBUILD_EXTMOD": dir, "M": dir, "src": dir, "obj": dir, "KBUILD_SRC": unknown, "srctree": unknown} {
			if _, ok := vars.command[name]; !ok {
				vars.command[name] = value
			}
		}
	}
	r := &makeReader{makeVars: vars, tree: c.tree, exported: map[string]bool{}, sure: true, sink: func(string, makeValue, string, int) {}}
	if call.kbuild {
		r.sink = func(name string, value makeValue, path string, n int) {
			if value.from != nil && compilerWords.MatchString(name) {
				c.tell(*value.from, fmt.Sprintf("%s depends on it (%s:%d)", name, path, n))
			}
		}
	}
	r.read(path)
	if !call.kbuild {
		c.goals(r, call, a, path, depth)
	}
}

// makefile is the file that make, or kbuild, reads first; "" when none is known.
func (c *makeCheck) makefile(call makeCall) string {
	if !call.known {
		return ""
	}
	names := []string{"GNUmakefile", "makefile", "Makefile"}
	switch {
	case call.kbuild:
		names = []string{"Kbuild", "Makefile"}
	case call.file != "":
		names = []string{call.file}
	}
	for _, name := range names {
		if path, ok := local(call.dir, name); ok {
			if e, there := c.tree.find(path); there && e.mode.IsRegular() {
				return e.path
			}
		}
	}
	return ""
}

// goals follows the recipes that a call runs.
func (c *makeCheck) goals(r *makeReader, call makeCall, a answer, path string, depth int) {
	goals := slices.Clone(call.goals)
	if len(goals) == 0 {
		goal := r.defaultGoal()
		if goal == "" {
			if depth == 0 && c.bare && r.sure {
				c.add("no-target", path, 0, "has no target when KERNELRELEASE is set, as dkms sets it for a bare `make`")
			}
			return
		}
		goals = append(goals, goal)
	}
	reached := map[string]bool{}
	for len(goals) > 0 && len(reached) < 2000 {
		goal := goals[0]
		goals = goals[1:]
		if reached[goal] {
			continue
		}
		reached[goal] = true
		for _, rule := range r.rules {
			if slices.Contains(rule.targets, goal) {
				goals = append(goals, rule.needs...)
				for _, line := range rule.recipe {
					c.recipe(r, line, rule.path, call, a, depth)
				}
			}
		}
	}
}

// defaultGoal is what make builds when it is told nothing.
func (r *makeReader) defaultGoal() string {
	if goal, ok := r.file[".DEFAULT_GOAL"]; ok {
		return strings.TrimSpace(r.expand(goal.text, goal.at, 0).text)
	}
	for _, rule := range r.rules {
		for _, t := range rule.targets {
			if !strings.HasPrefix(t, ".") && !strings.Contains(t, "%") || strings.HasPrefix(t, "./") {
				return t
			}
		}
	}
	return ""
}

// recipe judges one line that is run, and follows the make in it.
func (c *makeCheck) recipe(r *makeReader, line makeLine, path string, call makeCall, a answer, depth int) {
	at := origin{path, line.n}
	text := strings.TrimLeft(strings.TrimSpace(line.text), "@-+ ")
	if word, _, _ := strings.Cut(text, " "); word == "echo" || word == "printf" {
		return
	}
	value := r.expand(text, at, 0)
	makes := strings.Contains(text, "(MAKE)") || strings.Contains(text, "{MAKE}") || bareMake.MatchString(value.text)
	if value.from != nil && (makes || strings.Contains(text, "(CC)")) {
		c.tell(*value.from, fmt.Sprintf("what is built depends on it (%s:%d)", path, line.n))
	}
	if !makes {
		return
	}
	next := &commandReader{base: call.dir, inTree: []string{c.tree.dir}, kernel: "/lib/modules/" + a.sample.release}
	next.readAll(value.text)
	for _, sub := range next.calls {
		sub.tainted = map[string]*origin{}
		for name, value := range call.vars {
			if _, own := sub.vars[name]; !own {
				sub.vars[name] = value
				sub.tainted[name] = call.tainted[name]
			}
		}
		for name := range r.file {
			if r.exported[name] || r.exported[""] {
				v := r.reference(name, at, 0)
				sub.env[name] = cmp.Or(v.text, unknown)
			}
		}
		for name, value := range call.env {
			if _, own := sub.env[name]; !own {
				sub.env[name] = value
			}
		}
		c.follow(sub, a, depth+1)
	}
}

// tell adds a finding about a place that asks uname, once.
func (c *makeCheck) tell(at origin, why string) {
	if !c.told[at] {
		c.told[at] = true
		c.add("running-kernel", at.path, at.line, "uname -r is the kernel that runs, and %s", why)
	}
}
