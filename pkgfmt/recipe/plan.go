package recipe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt/makefile"
)

// A plan is how a source is built: the dkms.conf without its name.
type plan struct {
	tree *makefile.Tree
	own  *makefile.Own

	Make    string
	Why     string // why it is made like that
	Modules []planned
	Needs   []string // options that all modules need: CONFIG_X, !CONFIG_Y
	Left    []string // modules that are not promised, with the reason
	Doubts  []string
}

// A planned module is one that the dkms.conf promises.
type planned struct {
	makefile.Module
	Needs []string // options that it needs beyond those of all
}

// build decides which make is called, and so which modules come out.
func (p *plan) build() {
	roots := p.roots()
	settings := p.settings(roots)
	prepares := p.own.Prepares && len(p.own.Directory)+len(p.own.Release) > 0
	led := slices.ContainsFunc(p.own.Calls, func(c makefile.Call) bool { return slices.Contains(roots, c.Root) && !c.Outside })
	switch {
	case led && (prepares || len(roots) > 1):
		p.ownMake(settings)
	default:
		p.kbuild(roots, settings)
	}
	p.choose(roots, settings)
	p.share()
	for _, u := range p.tree.Unclear {
		doubt := u.Problem
		if len(u.Perhaps) > 0 {
			doubt = "perhaps " + strings.Join(u.Perhaps, ", ") + ": only make or a kernel can tell"
		}
		p.Doubts = append(p.Doubts, place(u.File, u.Line)+": "+doubt)
	}
}

var (
	// aside are directories of what is no part of a package.
	aside = regexp.MustCompile(`(?i)(^|/)(tests?|testing|tools?|utils?|examples?|samples?|docs?|userspace|scripts?|old|attic)(/|$)`)
	plain = regexp.MustCompile(`^[A-Za-z0-9_+.][A-Za-z0-9_+./-]*$`)
)

// roots are the directories to give to kbuild as M: the top, if its Makefile
// leads to modules, else those that the Makefile itself gives, else all.
func (p *plan) roots() []string {
	if len(p.tree.Top()) > 0 {
		return []string{""}
	}
	var called, all []string
	for _, c := range p.own.Calls {
		if !c.Outside && plain.MatchString(c.Root) && len(p.tree.Below(c.Root)) > 0 && !slices.Contains(called, c.Root) {
			called = append(called, c.Root)
		}
	}
	if len(called) > 0 {
		return called
	}
	safe := slices.DeleteFunc(p.tree.Roots(), func(r string) bool { return !plain.MatchString(r) })
	for _, r := range safe {
		if !aside.MatchString(r) {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return safe
	}
	return all
}

// settings are the options to set on make's command line: those that the
// Makefile sets, and those that only select modules.
func (p *plan) settings(roots []string) (all []string) {
	selected := p.selected(roots)
	add := func(set string) {
		name, value, _ := strings.Cut(set, "=")
		if value == "y" && slices.Contains(selected, name) {
			return // what is built in is no module
		}
		taken := slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		if strings.HasPrefix(name, "CONFIG_") && plain.MatchString(value) && !taken {
			all = append(all, set)
		}
	}
	for _, c := range p.own.Calls {
		for _, set := range c.Set {
			add(set)
		}
	}
	for _, set := range p.own.Exports {
		add(set)
	}
	for _, option := range selected {
		add(option + "=m")
	}
	return all
}

// selected are the options that only say which modules are built.
func (p *plan) selected(roots []string) (options []string) {
	for _, r := range roots {
		for _, m := range p.tree.Below(r) {
			options = append(options, m.Selected...)
		}
	}
	return options
}

const buildDir = "${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build"

// kbuild calls the kernel's build system, once for each directory.
func (p *plan) kbuild(roots, settings []string) {
	var calls []string
	for _, r := range roots {
		at := buildDir
		if r != "" {
			at += "/" + r
		}
		calls = append(calls, strings.Join(slices.Concat([]string{"make -C ${kernel_source_dir} M=" + at}, settings, []string{"modules"}), " "))
	}
	p.Make = strings.Join(calls, " && ")
	p.Why = "The kernel's build system reads the Makefile itself, which works for any kernel"
	if len(roots) > 1 {
		p.Why = "Nothing leads to these directories, so that the kernel's build system is called for each of them"
	}
	p.Why += p.about(settings) + "."
	if p.own.Prepares {
		p.Why += fmt.Sprintf(" Mind that %s runs other programs before; if they are needed, PRE_BUILD can name a script that does it.", p.own.File)
	}
}

func (p *plan) about(settings []string) string {
	if len(settings) == 0 {
		return ""
	}
	return "; the options select what is built"
}

// ownMake calls the source's own Makefile, and tells it the kernel.
func (p *plan) ownMake(settings []string) {
	words := []string{"make"}
	p.Why = fmt.Sprintf("%s calls the kernel's build system itself, after other programs or in several places", p.own.File)
	if p.own.Bare {
		words[0] = "'make'"
		p.Why += "; the quotes keep KERNELRELEASE from being set, with which it does nothing by itself"
	}
	for _, name := range p.own.Directory {
		words = append(words, name+"=${kernel_source_dir}")
	}
	for _, name := range p.own.Release {
		words = append(words, name+"=${kernelver}")
	}
	words = append(words, settings...)
	if p.own.Goal != "" {
		words = append(words, p.own.Goal)
	}
	p.Make = strings.Join(words, " ")
	p.Why += ". The variables are those by which it takes the kernel" + p.about(settings) + "."
	for _, u := range p.own.Running {
		p.Why += fmt.Sprintf(" Mind that %s %s.", place(u.File, u.Line), u.Problem)
	}
}

// choose promises the modules that are sure to be built.
func (p *plan) choose(roots, settings []string) {
	given := func(option string) bool {
		return slices.ContainsFunc(settings, func(s string) bool { return s == option+"=m" || s == option+"=y" })
	}
	sourced := slices.ContainsFunc(p.tree.Modules, func(m makefile.Module) bool { return len(m.Sources) > 0 })
	for _, m := range p.tree.Modules {
		if !slices.Contains(roots, m.Root) {
			continue
		}
		if why := p.reason(m, sourced); why != "" {
			p.Left = append(p.Left, place(m.File, m.Line)+": "+m.Name+": "+why)
			continue
		}
		one := planned{Module: m}
		for _, option := range m.Config {
			if !given(option) {
				one.Needs = append(one.Needs, option)
			}
		}
		for _, option := range m.Unset {
			one.Needs = append(one.Needs, "!"+option)
		}
		p.Modules = append(p.Modules, one)
	}
}

// reason is why a module cannot be promised, or "".
func (p *plan) reason(m makefile.Module, sourced bool) string {
	again := slices.ContainsFunc(p.Modules, func(o planned) bool {
		return strings.ReplaceAll(o.Name, "-", "_") == strings.ReplaceAll(m.Name, "-", "_")
	})
	switch {
	case dkms.CheckWord("module name", m.Name) != nil || m.Dir != "" && !plain.MatchString(m.Dir):
		return "its name cannot stand in a dkms.conf"
	case again:
		return "there is another one by that name"
	case len(m.Other) > 0 && strings.Contains(m.Conditional, " or "):
		return "only if " + m.Conditional
	case len(m.Other) > 0:
		return "only if " + strings.Join(m.Other, " && ")
	case len(m.Sources) == 0 && sourced && !p.own.Prepares:
		return "its source is not there"
	}
	return ""
}

// share takes what all modules need out of each, and puts one to the front that
// needs nothing more: what is said of number 0 holds for the package.
func (p *plan) share() {
	if len(p.Modules) == 0 {
		return
	}
	for _, need := range p.Modules[0].Needs {
		if !slices.ContainsFunc(p.Modules, func(m planned) bool { return !slices.Contains(m.Needs, need) }) {
			p.Needs = append(p.Needs, need)
		}
	}
	for i := range p.Modules {
		p.Modules[i].Needs = slices.DeleteFunc(p.Modules[i].Needs, func(need string) bool { return slices.Contains(p.Needs, need) })
	}
	slices.SortStableFunc(p.Modules, func(a, b planned) int { return min(1, len(a.Needs)) - min(1, len(b.Needs)) })
	if first := &p.Modules[0]; len(first.Needs) > 0 {
		p.Needs, first.Needs = append(p.Needs, first.Needs...), nil
	}
}

func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
