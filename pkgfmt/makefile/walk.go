package makefile

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// found is a Module on the way: with all conditions under which it was met.
type found struct {
	Module
	ways    []conds
	sources map[string]bool
}

// skipped are directories that hold no sources.
var skipped = []string{"CVS", "_darcs", "node_modules", "debian", "rpmbuild"}

// walk follows the top's Makefile first, then those of all directories to which
// nothing leads.
func (r *reader) walk() error {
	r.follow("", r.command(""))
	entries := 0
	err := fs.WalkDir(r.fs, ".", func(name string, d fs.DirEntry, err error) error {
		if entries++; entries > maxEntries {
			return fmt.Errorf("it has more than %d files", maxEntries)
		}
		if err != nil || r.err != nil {
			return r.err // what cannot be read has no modules
		}
		if !d.IsDir() || name == "." {
			return nil
		}
		base := path.Base(name)
		if strings.HasPrefix(base, ".") || slices.Contains(skipped, base) || strings.Count(name, "/") >= maxDepth {
			return fs.SkipDir
		}
		if r.kbuildFile(name) != "" && !r.visited[name] {
			r.follow(name, r.command(name))
		}
		return r.err
	})
	if err == nil {
		err = r.err
	}
	return err
}

// kbuildFile is the file that kbuild reads in a directory, or "".
func (r *reader) kbuildFile(dir string) string {
	for _, name := range []string{"Kbuild", "Makefile"} {
		if file := join(dir, name); r.isFile(file) {
			return file
		}
	}
	return ""
}

// command are the variables of a make that kbuild starts with M=root.
func (r *reader) command(root string) map[string]value {
	at := text(virtual(root))
	return map[string]value{"M": at, "KBUILD_EXTMOD": at, "PWD": {{kind: present, text: "$(PWD)"}}}
}

// follow is kbuild in the directory root, which was given as M.
func (r *reader) follow(root string, exported map[string]value) {
	r.descend(root, root, exported, nil, 0)
}

// descend is kbuild in one directory.
func (r *reader) descend(root, dir string, exported map[string]value, all conds, depth int) {
	file := r.kbuildFile(dir)
	if file == "" || depth > maxDepth || !r.spend() {
		return
	}
	r.visited[dir] = true
	m := newMachine(r, dir, exported, all)
	m.include(file, 0)
	for _, list := range []string{"obj-m", "obj-y", "subdir-m", "subdir-y"} {
		for _, w := range m.get(list, all).words(all) {
			at := entry{m: m, root: root, dir: dir, list: list, origin: origin{file: file, line: 1}, depth: depth}
			if w.at != nil {
				at.origin = *w.at
			}
			if r.entry(at, w); r.err != nil {
				return
			}
		}
	}
}

// An entry is where a word of obj-m stands.
type entry struct {
	m               *machine
	root, dir, list string
	origin          origin
	depth           int
}

// entry judges one word of a list: a directory, a module, or neither.
func (r *reader) entry(at entry, w way) {
	switch {
	case !w.conds.possible():
	case !w.clear:
		if at.list != "obj-y" {
			r.doubt(at.origin, "what "+shorten(w.text)+" is, only make or a kernel can tell", objects(w.text)...)
		}
	case strings.HasSuffix(w.text, "/") || strings.HasPrefix(at.list, "subdir-"):
		r.subdirectory(at, w)
	case at.list == "obj-y": // of vmlinux, or of a library: no module
	case strings.HasSuffix(w.text, ".o"):
		r.module(at, strings.TrimSuffix(w.text, ".o"), w.conds)
	default:
		r.doubt(at.origin, w.text+" is neither an object (.o) nor a directory (/)")
	}
}

func (r *reader) subdirectory(at entry, w way) {
	dir := join(at.dir, w.text)
	switch {
	case !fs.ValidPath(clean(dir)) || path.IsAbs(w.text):
		r.doubt(at.origin, w.text+" is outside of the tree")
	case r.kbuildFile(dir) == "":
		r.doubt(at.origin, w.text+" has neither a Kbuild nor a Makefile")
	default:
		r.descend(at.root, dir, at.m.exports(), w.conds, at.depth+1)
	}
}

func (r *reader) module(at entry, name string, all conds) {
	where := join(at.dir, name)
	if !fs.ValidPath(clean(where)) || name == "" {
		r.doubt(at.origin, name+".o is outside of the tree")
		return
	}
	key := at.root + "\x00" + where
	f := r.index[key]
	if f == nil {
		if len(r.found) >= maxModules {
			r.err = errTooMany
			return
		}
		f = &found{Module: Module{Name: path.Base(where), Dir: strings.TrimPrefix(path.Dir("/"+where), "/"), Root: at.root,
			File: at.origin.file, Line: at.origin.line}, sources: map[string]bool{}}
		r.index[key] = f
		r.found = append(r.found, f)
	}
	if slices.ContainsFunc(f.ways, all.follows) || len(f.ways) >= maxWays {
		return
	}
	f.ways = append(f.ways, all)
	for _, s := range r.sources(at, name, all) {
		f.sources[s] = true
	}
}

// sources are the files that a module is compiled from.
func (r *reader) sources(at entry, name string, all conds) (files []string) {
	objects := []string{name + ".o"}
	for _, list := range []string{name + "-objs", name + "-y", name + "-m"} {
		for _, w := range at.m.get(list, all).words(all) {
			if w.clear && strings.HasSuffix(w.text, ".o") {
				objects = append(objects, w.text)
			}
		}
	}
	for _, o := range objects {
		stem := join(at.dir, path.Dir(name), strings.TrimSuffix(o, ".o"))
		if o == name+".o" {
			stem = join(at.dir, name)
		}
		for _, suffix := range []string{".c", ".S", ".rs"} {
			if r.isFile(stem + suffix) {
				files = append(files, stem+suffix)
			}
		}
	}
	return files
}

// tree is the result.
func (r *reader) tree() (*Tree, error) {
	t := &Tree{Unclear: r.unclear}
	for _, f := range r.found {
		f.finish()
		t.Modules = append(t.Modules, f.Module)
	}
	return t, r.err
}

func (f *found) finish() {
	f.Default = No
	var texts []string
	ways := reduce(f.ways)
	for _, all := range ways {
		f.Default = max(f.Default, all.standard())
		texts = append(texts, all.String())
	}
	f.sort(ways)
	if !slices.Contains(texts, "") {
		f.Conditional = strings.Join(texts, " or ")
	}
	for s := range f.sources {
		f.Sources = append(f.Sources, s)
	}
	slices.Sort(f.Sources)
}

// sort sorts the conditions that hold in all ways by what decides them. Where
// there are several ways, and so no condition that must hold, all is Other.
func (f *found) sort(ways []conds) {
	if len(ways) > 1 {
		if f.Default != Yes {
			f.Other = []string{"one of several ways"}
		}
		common := conds{}
		for _, c := range ways[0] {
			if !slices.ContainsFunc(ways, func(all conds) bool { return all.holds(c) != Yes }) {
				common = common.and(c)
			}
		}
		ways = []conds{common}
	}
	for _, c := range ways[0] {
		switch {
		case c.config != "" && c.not:
			f.Unset = append(f.Unset, c.config)
		case c.config != "":
			f.Config = append(f.Config, c.config)
			if c.selects {
				f.Selected = append(f.Selected, c.config)
			}
		case (conds{c}).standard() != Yes:
			f.Other = append(f.Other, c.String())
		}
	}
}
