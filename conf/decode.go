package conf

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/kbuild"
)

// decode fills the typed fields from Values.
func (c *Conf) decode() []Problem {
	v := c.Values
	c.PackageName, c.PackageVersion = v.Get("PACKAGE_NAME"), v.Get("PACKAGE_VERSION")
	c.PostAdd, c.PreInstall, c.PostInstall = v.Get("POST_ADD"), v.Get("PRE_INSTALL"), v.Get("POST_INSTALL")
	c.PostRemove, c.PreBuild, c.PostBuild = v.Get("POST_REMOVE"), v.Get("PRE_BUILD"), v.Get("POST_BUILD")
	for _, i := range v["BUILD_DEPENDS"].Indexes() {
		c.Depends = append(c.Depends, strings.Fields(v["BUILD_DEPENDS"][i])...)
	}
	var problems []Problem
	for name, field := range map[string]*bool{
		"AUTOINSTALL":           &c.Autoinstall,
		"NO_WEAK_MODULES":       &c.NoWeakModules,
		"BUILD_DEPENDS_REBUILD": &c.RebuildOnDepends,
	} {
		var ok bool
		if *field, ok = yesNo(v.Get(name)); !ok {
			problems = append(problems, c.problem(name, 0, fmt.Sprintf("%s=%q is neither yes nor no", name, v.Get(name))))
		}
	}
	// stock ignores these, so a value that makes no sense is no error.
	c.RemakeInitrd, _ = yesNo(v.Get("REMAKE_INITRD"))
	c.ModprobeOnInstall, _ = yesNo(v.Get("MODPROBE_ON_INSTALL"))
	c.decodeModules()
	return problems
}

// yesNo reads yes or no in any case; nothing is no.
func yesNo(s string) (yes, ok bool) {
	switch strings.ToLower(s) {
	case "yes":
		return true, true
	case "no", "":
		return false, true
	}
	return false, false
}

// moduleDirectives decide by their highest index how many modules there are.
var moduleDirectives = []string{"BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION", "DEST_MODULE_NAME", "DEST_MODULE_LOCATION"}

// decodeModules makes Modules, defaults filled in.
func (c *Conf) decodeModules() {
	v := c.Values
	count := 0
	for _, name := range moduleDirectives {
		count = max(count, v[name].Max()+1)
	}
	for _, i := range c.moduleIndexes(count) {
		m := kbuild.Module{
			Index:    i,
			Built:    v["BUILT_MODULE_NAME"][i],
			BuiltDir: v["BUILT_MODULE_LOCATION"][i],
			Dest:     v["DEST_MODULE_NAME"][i],
			DestDir:  v["DEST_MODULE_LOCATION"][i],
			Strip:    c.strip(i),
		}
		if m.Built == "" && count == 1 {
			m.Built = c.PackageName
		}
		if m.Dest == "" {
			m.Dest = m.Built
		}
		if m.DestDir != "" { // "/kernel/../updates/" is seen in the wild
			m.DestDir = path.Clean(m.DestDir)
		}
		c.Modules = append(c.Modules, m)
	}
}

// moduleIndexes are 0 to count-1, but for arrays with absurd gaps, of which
// only the ends matter.
func (c *Conf) moduleIndexes(count int) []int {
	var indexes []int
	const many = 4096
	if count <= many {
		for i := range count {
			indexes = append(indexes, i)
		}
		return indexes
	}
	for _, name := range moduleDirectives {
		indexes = append(indexes, c.Values[name].Indexes()...)
	}
	slices.Sort(indexes)
	return slices.Compact(indexes)
}

// strip is STRIP[i], else STRIP[0], else yes.
func (c *Conf) strip(i int) bool {
	s, ok := c.Values["STRIP"][i]
	if !ok || s == "" {
		s = c.Values.Get("STRIP")
	}
	return !strings.HasPrefix(strings.ToLower(s), "n")
}

// problem is one about name[index].
func (c *Conf) problem(name string, index int, text string) Problem {
	return c.where.problem(c.request.File, name, fmt.Sprint(index), text)
}
