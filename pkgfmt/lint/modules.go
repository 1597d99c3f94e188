package lint

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt/makefile"
)

// A moduleCheck compares the modules that the dkms.conf names with those that
// the Makefiles build.
type moduleCheck struct {
	*linter
	built []makefile.Module
	// sure: the Makefiles say all that there is to say about what is built,
	// and where.
	sure bool
	done map[kbuild.Module]bool
}

// checkModules looks for what the dkms.conf promises and no Makefile builds.
func (l *linter) checkModules() {
	t, err := makefile.Read(filepath.Join(l.tree.dir, l.base()))
	if err != nil {
		l.addAs("module-not-built", Note, ".", 0, "the Makefiles cannot be followed: %s", reason(err))
		return
	}
	c := &moduleCheck{linter: l, built: t.Modules, sure: len(t.Unclear) == 0 && len(t.Modules) > 0, done: map[kbuild.Module]bool{}}
	for _, a := range l.answers {
		c.sure = c.sure && a.conf.PreBuild == "" && a.conf.PostBuild == ""
		for _, command := range a.conf.Values["MAKE"] {
			r := l.makeCalls(command, a)
			c.sure = c.sure && !r.other
			for _, call := range r.calls {
				c.sure = c.sure && call.kbuild // a Makefile of one's own may move what it builds
			}
		}
	}
	for _, a := range l.answers {
		for _, m := range a.conf.Modules {
			if key := (kbuild.Module{Index: m.Index, Built: m.Built, BuiltDir: m.BuiltDir}); m.Built != "" && !c.done[key] {
				c.done[key] = true
				c.check(m)
			}
		}
	}
}

// check judges one module.
func (c *moduleCheck) check(m kbuild.Module) {
	dir := strings.TrimPrefix(path.Clean("/"+m.BuiltDir), "/")
	line := c.where.line("BUILT_MODULE_NAME", m.Index)
	var near *makefile.Module
	for i, b := range c.built {
		switch {
		case b.Name == m.Built && b.Dir == dir:
			c.checkLicence(b)
			return
		case b.Name == m.Built, near == nil && ko.SameName(b.Name, m.Built):
			near = &c.built[i]
		}
	}
	severity := Note
	if c.sure {
		severity = Warning
	}
	switch {
	case near == nil:
		c.addAs("module-not-built", severity, c.confPath, line, "no Makefile builds %s.ko", m.Built)
	case near.Name != m.Built:
		c.addAs("module-not-built", severity, c.confPath, line, "%s.ko is built as %s.ko (%s:%d)", m.Built, near.Name, near.File, near.Line)
	case c.sure:
		c.add("module-not-built", c.confPath, line, "%s.ko is built in %s (%s:%d), and not in %s", m.Built, topOr(near.Dir), near.File, near.Line, topOr(dir))
	}
}

// topOr names a directory of the tree.
func topOr(dir string) string {
	if dir == "" {
		return "the top directory"
	}
	return dir + "/"
}

var includes = regexp.MustCompile(`(?m)^\s*#\s*include\s*"([^"\n]+)"`)

// checkLicence looks for MODULE_LICENSE in the sources of a module and what they
// include, where all of them are there.
func (c *moduleCheck) checkLicence(m makefile.Module) {
	if len(m.Sources) == 0 || c.here["no-module-license"] > 0 {
		return
	}
	seen := map[string]bool{}
	files := make([]string, 0, len(m.Sources))
	for _, s := range m.Sources {
		files = append(files, filepath.Join(c.base(), s))
	}
	for len(files) > 0 && len(seen) < 500 {
		file := files[0]
		files = files[1:]
		if seen[file] {
			continue
		}
		seen[file] = true
		text := c.tree.text(file)
		if macro.MatchString(text) {
			return
		}
		if text == "" || strings.HasSuffix(file, ".S") {
			return // who knows
		}
		for _, inc := range includes.FindAllStringSubmatch(text, -1) {
			for _, from := range []string{filepath.Dir(file), c.base(), filepath.Join(c.base(), "include")} {
				if p, ok := local(from, inc[1]); ok {
					if e, there := c.tree.find(p); there && e.mode.IsRegular() {
						files = append(files, e.path)
						break
					}
				}
			}
		}
	}
	c.addAs("no-module-license", Warning, filepath.Join(c.base(), m.File), m.Line, "no source of %s.ko has MODULE_LICENSE", m.Name)
}
