package makefile

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Own is what a Makefile does when a person, or a dkms.conf, runs make in its
// directory: it calls kbuild.
type Own struct {
	File string // relative to the tree; "" where there is no Makefile
	// Goal is the target that builds the modules; "" where it is the first one.
	Goal string
	// Bare says that it does so only as long as KERNELRELEASE is not set, which
	// dkms does behind every bare `make`.
	Bare bool
	// Calls are the makes it starts in the kernel's build directory, in the
	// order in which it starts them.
	Calls []Call
	// Directory and Release are the variables, by name, that say for which
	// kernel: its build directory, its release. Make's command line sets them.
	Directory, Release []string
	// Exports are the CONFIG_X=y and =m that the Makefile exports to kbuild.
	Exports []string
	// Prepares says that other programs run before kbuild is called.
	Prepares bool
	// Running are the places that always take the running kernel.
	Running []Unclear
}

// A Call is one make that is started with M in the kernel's build directory.
type Call struct {
	File string
	Line int
	// Root is the directory given as M, relative to the tree. Outside is set
	// where that is not known, or not in the tree.
	Root    string
	Outside bool
	// Set are further NAME=VALUE of which all is known.
	Set []string
	// Goals are what is to be made, if anything is said.
	Goals []string
}

// goals are tried where the first target does not lead to kbuild.
var goals = []string{"modules", "module", "all", "build", "default", "driver", "drivers", "kmod"}

// ReadOwn follows what make would do in dir. The error is a *dkms.Error: dir
// cannot be read, or is too much to follow.
func ReadOwn(dir string) (*Own, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "cannot be read", Err: errors.Unwrap(err)}
	}
	defer func() { _ = root.Close() }()
	r := newReader(root.FS())
	o := r.own()
	if r.err != nil {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: dir, Problem: "cannot be judged", Err: r.err}
	}
	return o, nil
}

// own tries what dkms does first, which is to set KERNELRELEASE.
func (r *reader) own() *Own {
	last := &Own{}
	for _, bare := range []bool{false, true} {
		for _, goal := range append([]string{""}, goals...) {
			f := &follower{r: r, own: &Own{Goal: goal, Bare: bare}, seen: map[string]bool{}}
			f.directory("", goal, 0)
			if f.own.File == "" || r.err != nil {
				return f.own
			}
			if len(f.own.Calls) > 0 {
				slices.Sort(f.own.Directory)
				slices.Sort(f.own.Release)
				slices.Sort(f.own.Exports)
				return f.own
			}
			last.File = f.own.File
		}
	}
	return last
}

// A follower follows one make, and those that it starts.
type follower struct {
	r    *reader
	own  *Own
	seen map[string]bool // directories and targets that were followed
}

// directory is make in a directory of the tree.
func (f *follower) directory(dir, goal string, depth int) {
	file := ""
	for _, name := range []string{"GNUmakefile", "makefile", "Makefile"} {
		if file == "" && f.r.isFile(join(dir, name)) {
			file = join(dir, name)
		}
	}
	if f.own.File == "" {
		f.own.File = file
	}
	if file == "" || depth > 4 {
		return
	}
	m := newMachine(f.r, dir, nil, nil)
	m.own, m.released = true, !f.own.Bare
	m.include(file, 0)
	if goal == "" {
		goal = m.firstTarget()
	}
	if goal == "" {
		return
	}
	m.file = file
	f.target(m, goal, depth, 0)
	f.variables(m)
	f.exports(m)
}

// firstTarget is make's default goal.
func (m *machine) firstTarget() string {
	for _, r := range m.rules {
		if r.conds.standard() == No {
			continue
		}
		for _, t := range m.fields(r.targets) {
			if !strings.HasPrefix(t, ".") && !strings.Contains(t, "%") {
				return t
			}
		}
	}
	return ""
}

// fields are the words of a value as they are when nobody sets anything.
func (m *machine) fields(v value) (words []string) {
	for _, w := range v.words(nil) {
		if w.conds.standard() != No {
			words = append(words, w.text)
		}
	}
	return words
}

// target makes one target: what it needs first, then its commands.
func (f *follower) target(m *machine, name string, depth, level int) {
	key := m.dir + "\x00" + name
	if f.seen[key] || level > maxNesting || !f.r.spend() {
		return
	}
	f.seen[key] = true
	rules := m.rulesFor(name)
	for _, r := range rules {
		for _, n := range m.fields(r.needs) {
			f.target(m, strings.Replace(n, "%", r.stem, 1), depth, level+1)
		}
	}
	m.vars["@"] = &variable{simple: true, elements: []element{{value: text(name)}}}
	for _, r := range rules {
		for _, c := range r.commands {
			if c.conds.standard() != No {
				f.command(m, c, depth)
			}
		}
	}
}

type matched struct {
	rule
	stem string
}

// rulesFor are the rules of a target, or else the first pattern that fits.
func (m *machine) rulesFor(name string) (rules []matched) {
	for _, r := range m.rules {
		if r.conds.standard() != No && slices.Contains(m.fields(r.targets), name) {
			rules = append(rules, matched{rule: r})
		}
	}
	if slices.ContainsFunc(rules, func(r matched) bool { return len(r.commands) > 0 }) {
		return rules
	}
	for _, r := range m.rules {
		for _, t := range m.fields(r.targets) {
			if stem, ok := match(t, name); ok && strings.Contains(t, "%") && len(r.commands) > 0 {
				return append(rules, matched{r, stem})
			}
		}
	}
	return rules
}

// variables notes which ones say for which kernel things are built.
func (f *follower) variables(m *machine) {
	for name, v := range m.vars {
		if name == "KERNELRELEASE" || strings.Trim(name, nameCharacters) != "" || len(v.elements) == 0 || slices.Contains(f.own.Release, name) {
			continue
		}
		for _, w := range m.get(name, nil).words(nil) {
			if w.conds.standard() != No && isRelease(w.text) {
				f.own.Release = append(f.own.Release, name)
				break
			}
		}
	}
}

// exports notes the options that kbuild sees in its environment.
func (f *follower) exports(m *machine) {
	for name := range m.vars {
		if configOption(reference(name)) == "" || !m.exportAll && !m.exported[name] {
			continue
		}
		words := m.fields(m.get(name, nil))
		if set := name + "=" + strings.Join(words, " "); len(words) == 1 && (words[0] == "m" || words[0] == "y") && !slices.Contains(f.own.Exports, set) {
			f.own.Exports = append(f.own.Exports, set)
		}
	}
}

// isRelease reports whether the text asks for the running kernel's release.
func isRelease(s string) bool {
	s = strings.Trim(s, "\"'")
	for _, quotes := range [][2]string{{"$(shell ", ")"}, {"`", "`"}, {"$(", ")"}} {
		if inner, ok := strings.CutPrefix(s, quotes[0]); ok {
			inner, ok = strings.CutSuffix(inner, quotes[1])
			inner = strings.Join(strings.Fields(inner), " ")
			return ok && (inner == "uname -r" || inner == "/bin/uname -r" || inner == "uname --kernel-release")
		}
	}
	return false
}
