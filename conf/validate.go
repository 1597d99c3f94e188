package conf

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// validate finds everything that is wrong with the decoded values, and notes
// what is merely odd in Warnings.
func (c *Conf) validate() []Problem {
	problems := c.validateIdentity()
	problems = append(problems, c.validateModules()...)
	problems = append(problems, c.validateUnique()...)
	c.Warnings = append(c.Warnings, c.badPatterns()...)
	c.warn()
	return problems
}

// inOrder sorts problems by file and line, and drops doubles.
func inOrder(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(problems)
}

func (c *Conf) validateIdentity() (problems []Problem) {
	check := func(name, value, registered, what string) {
		if value == "" {
			problems = append(problems, c.problem(name, 0, name+" is missing"))
			return
		}
		// What it is registered under has been judged; a PACKAGE_VERSION
		// such as "to be filled by make dkms" is then of no account.
		if registered != "" {
			return
		}
		if err := dkms.CheckWord(what, value); err != nil {
			problems = append(problems, c.problem(name, 0, fmt.Sprintf("%s: %v", name, err)))
		}
	}
	check("PACKAGE_NAME", c.PackageName, c.request.Package.Name, "package name")
	check("PACKAGE_VERSION", c.PackageVersion, c.request.Package.Version, "package version")
	return problems
}

// destinations are the directories below /lib/modules/RELEASE that a module
// may be installed in.
var destinations = []string{"/kernel", "/updates", "/extra"}

func (c *Conf) validateModules() (problems []Problem) {
	add := func(name string, i int, format string, args ...any) {
		problems = append(problems, c.problem(name, i, fmt.Sprintf(format, args...)))
	}
	last := -1
	for _, m := range c.Modules {
		if m.Index > last+1 {
			add("BUILT_MODULE_NAME", m.Index, "BUILT_MODULE_NAME[%d] is missing: the modules are numbered from 0 without a gap", last+1)
		}
		last = m.Index
		if m.Built == "" {
			add("BUILT_MODULE_NAME", m.Index, "BUILT_MODULE_NAME[%d] is missing", m.Index)
		}
		c.checkName("BUILT_MODULE_NAME", m.Index, m.Built, add)
		if c.Values["DEST_MODULE_NAME"][m.Index] != "" {
			c.checkName("DEST_MODULE_NAME", m.Index, m.Dest, add)
		}
		if leaves(m.BuiltDir) {
			add("BUILT_MODULE_LOCATION", m.Index, "BUILT_MODULE_LOCATION[%d]=%q leaves the build directory", m.Index, m.BuiltDir)
		}
		if m.DestDir == "" {
			add("DEST_MODULE_LOCATION", m.Index, "DEST_MODULE_LOCATION[%d] is missing", m.Index)
			continue
		}
		if !belowDestination(m.DestDir) {
			add("DEST_MODULE_LOCATION", m.Index, "DEST_MODULE_LOCATION[%d]=%q is not below /kernel, /updates or /extra", m.Index, m.DestDir)
		}
	}
	return problems
}

func (c *Conf) checkName(directive string, i int, name string, add func(string, int, string, ...any)) {
	switch {
	case name == "":
	case strings.HasSuffix(name, ".ko") || strings.HasSuffix(name, ".o"):
		add(directive, i, "%s[%d]=%q ends in %s: names stand without", directive, i, name, path.Ext(name))
	case dkms.CheckWord("module name", name) != nil:
		add(directive, i, "%s[%d]: %v", directive, i, dkms.CheckWord("module name", name))
	}
}

// leaves reports whether a relative path climbs out of its directory.
func leaves(p string) bool {
	return slices.Contains(strings.Split(p, "/"), "..")
}

func belowDestination(dir string) bool {
	for _, d := range destinations {
		if strings.HasPrefix(dir, d) {
			return true
		}
	}
	return false
}

// validateUnique finds two modules that are one file.
func (c *Conf) validateUnique() (problems []Problem) {
	built, dest := map[string]int{}, map[string]int{}
	for _, m := range c.Modules {
		if m.Built == "" {
			continue
		}
		file := path.Join("/", m.BuiltDir, m.Built)
		if first, ok := built[file]; ok {
			problems = append(problems, c.problem("BUILT_MODULE_NAME", m.Index,
				fmt.Sprintf("BUILT_MODULE_NAME[%d] and [%d] are both %s.ko", first, m.Index, strings.TrimPrefix(file, "/"))))
			continue
		}
		built[file] = m.Index
		if first, ok := dest[m.Dest]; ok {
			name := "DEST_MODULE_NAME"
			if c.Values[name][m.Index] == "" {
				name = "BUILT_MODULE_NAME"
			}
			problems = append(problems, c.problem(name, m.Index,
				fmt.Sprintf("modules %d and %d are both installed as %s.ko", first, m.Index, m.Dest)))
			continue
		}
		dest[m.Dest] = m.Index
	}
	return problems
}

// badPatterns compiles every regular expression, whether or not this
// kernel asks for it.
func (c *Conf) badPatterns() (problems []Problem) {
	for _, name := range []string{"MAKE_MATCH", "PATCH_MATCH", "BUILD_EXCLUSIVE_KERNEL", "BUILD_EXCLUSIVE_ARCH"} {
		for _, i := range c.Values[name].Indexes() {
			if _, err := compileERE(c.Values[name][i]); err != nil {
				problems = append(problems, c.problem(name, i, fmt.Sprintf("%s: %v, so it matches nothing", subscripted(name, i), err)))
			}
		}
	}
	return problems
}

// subscripted is NAME for index 0 and NAME[i] for others.
func subscripted(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s[%d]", name, i)
}

// warn notes what is odd but stops nothing.
func (c *Conf) warn() {
	add := func(name string, i int, format string, args ...any) {
		c.Warnings = append(c.Warnings, c.problem(name, i, fmt.Sprintf(format, args...)))
	}
	if len(c.Modules) == 0 {
		c.Warnings = append(c.Warnings, Problem{File: c.request.File, Text: "names no module: nothing will be installed"})
	}
	for _, name := range []string{"CLEAN", "REMAKE_INITRD", "MODULES_CONF",
		"MODULES_CONF_ALIAS_TYPE", "MODULES_CONF_OBSOLETES", "MODULES_CONF_OBSOLETE_ONLY"} {
		for _, i := range c.Values[name].Indexes() {
			if c.Values[name][i] == "" || name == "CLEAN" && c.Values[name][i] == "true" {
				continue
			}
			p := c.problem(name, i, subscripted(name, i)+" is deprecated and can be removed")
			p.Deprecated = true
			c.Warnings = append(c.Warnings, p)
			break
		}
	}
	for _, i := range c.Values["PATCH_MATCH"].Indexes() {
		if c.Values["PATCH"][i] == "" {
			add("PATCH_MATCH", i, "PATCH_MATCH[%d] belongs to no patch", i)
		}
	}
	for _, i := range c.Values["MAKE_MATCH"].Indexes() {
		if c.Values["MAKE"][i] == "" {
			add("MAKE_MATCH", i, "MAKE_MATCH[%d] belongs to no make command", i)
		}
	}
}
