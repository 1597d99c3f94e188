package makefile

import (
	"slices"
	"strings"
)

// kbuildSets are never empty in a file that kbuild reads.
var kbuildSets = []string{"KERNELRELEASE", "KERNELVERSION", "VERSION", "PATCHLEVEL", "SUBLEVEL", "srctree", "objtree", "ARCH", "SRCARCH",
	"UTS_MACHINE", "KBUILD_MODNAME", "CONFIG_SHELL", "CURDIR", "TOPDIR", "kbuild-file", "abs_srctree", "abs_objtree", "KBUILD_OUTPUT"}

// makeSets are never empty in any Makefile.
var makeSets = []string{"MAKE", "MAKE_VERSION", "SHELL", "CC", "AR", "AS", "CPP", "CXX", "LD", "NM", "OBJCOPY", "OBJDUMP", "STRIP", "HOSTCC", "RM", "HOME", "PATH"}

// kernelMay are set by kbuild for some kernels.
var kernelMay = []string{"EXTRAVERSION", "LOCALVERSION", "CROSS_COMPILE", "LLVM", "LLVM_IAS", "KCFLAGS", "KCPPFLAGS", "CFLAGS", "EXTRA_CFLAGS",
	"ccflags-y", "quiet", "Q", "V", "O", "C", "W", "CC_VERSION_TEXT", "GCCVERSION", "INSTALL_MOD_PATH", "building_out_of_srctree"}

// undefined is what a variable says that no file sets.
func (m *machine) undefined(name string) value {
	symbol := func(k kind) value {
		if k == user && m.blind {
			k = opaque
		}
		return value{{kind: k, text: reference(name)}}
	}
	switch {
	case name == "MAKEFILE_LIST":
		return append(symbol(present), text(" "+virtual(m.file))...)
	case slices.Contains(makeSets, name):
		return symbol(present)
	case isList(name):
		return nil
	case m.own:
		switch {
		case name == "CURDIR" || name == "PWD":
			return text(virtual(m.dir))
		case name == "KERNELRELEASE" && m.released:
			return symbol(present)
		}
		return symbol(user)
	case name == "src" || name == "obj":
		return text(virtual(m.dir))
	case slices.Contains(kbuildSets, name):
		return symbol(present)
	case strings.HasPrefix(name, "CONFIG_") || strings.HasPrefix(name, "KBUILD_") || slices.Contains(kernelMay, name):
		return symbol(kernel)
	}
	return symbol(user)
}

// isList reports whether the name is of a list that kbuild reads, which is
// empty to begin with.
func isList(name string) bool {
	for _, suffix := range []string{"-m", "-y", "-objs", "-n", "-"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func reference(name string) string {
	if len(name) == 1 {
		return "$" + name
	}
	return "$(" + name + ")"
}

// assignTo assigns to a name that may itself hang on conditions:
// obj-$(CONFIG_X), $(MODULE)-objs.
func (m *machine) assignTo(a assignment) {
	name := m.expand(a.name, m.conds())
	ways, ok := name.ways(m.conds())
	if !ok {
		m.doubt("what its name is hangs on too much")
		return
	}
	for _, w := range ways {
		more := w.conds[min(len(m.conds()), len(w.conds)):]
		w.text = strings.Trim(w.text, blanks)
		switch {
		case w.clear && w.text != "":
			m.export(w.text, a.export)
			m.assign(w.text, a, more)
		case !w.clear:
			m.assignSelected(w, a, more)
		}
	}
}

// assignSelected is an assignment to LIST-$(CONFIG_X): to LIST-m or LIST-y if
// CONFIG_X is so.
func (m *machine) assignSelected(w way, a assignment, more conds) {
	list, symbols, ok := strings.Cut(w.text, "-$")
	if !ok || list == "" || strings.Contains(list, "$") {
		if strings.Contains(w.text, "obj") {
			m.doubt("what its name is, only make or a kernel can tell")
		}
		return
	}
	symbols = "$" + symbols
	target := list + "-y"
	if list == "obj" || list == "subdir" {
		target = list + "-m"
	}
	c := cond{key: symbols, yes: symbols + " = m", no: symbols + " != m"}
	if option := configOption(symbols); option != "" {
		c = optionSet(option)
		c.selects = true
	}
	if w.user {
		c.standard = No
	}
	if a.op != "?=" {
		a.op = "+="
	}
	m.assign(target, a, more.and(c))
}

// configOption is CONFIG_X of "$(CONFIG_X)", or "".
func configOption(symbol string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(symbol, "$("), ")")
	if !strings.HasPrefix(name, "CONFIG_") || strings.Trim(name, nameCharacters) != "" {
		return ""
	}
	return name
}

func (m *machine) export(name string, yes bool) {
	if yes {
		m.exported[name] = true
	}
}
