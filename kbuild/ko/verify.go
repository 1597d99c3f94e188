package ko

import (
	"debug/elf"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Expect is what a built module must be.
type Expect struct {
	// Release is the target's kernel.release, the first word of vermagic.
	Release string
	// Arch is the target's architecture (uname -m). One that TargetOf does
	// not know is not checked.
	Arch string
	// Name is the promised BUILT_MODULE_NAME, "-" being equal to "_". The
	// file must still have the name it was built under.
	Name string
	// Modversions tells that the kernel has CONFIG_MODVERSIONS.
	Modversions bool
	// Symvers are the Module.symvers of the kernel, of the package's own
	// build, and of its BUILD_DEPENDS. Without any, symbols are not checked.
	Symvers []Symvers
}

// Verify checks that the kernel which want describes will take the module: an
// object of its architecture, of the promised name, built for its release and
// against its symbols. The error is a *dkms.Error of Kind ModuleNotProduced
// about the first thing that is wrong. The warnings are about what may be
// wrong, such as a symbol that no Module.symvers knows.
func Verify(m *Module, want Expect) (warnings []string, err error) {
	for _, check := range []func(*Module, Expect) error{checkELF, checkName, checkRelease} {
		if err := check(m, want); err != nil {
			return nil, err
		}
	}
	return checkSymbols(m, want)
}

func (m *Module) refuse(hint, format string, args ...any) error {
	return &dkms.Error{Kind: dkms.ModuleNotProduced, Object: m.label(), Problem: fmt.Sprintf(format, args...), Hint: hint}
}

// label names the module in messages.
func (m *Module) label() string {
	if m.Path == "" {
		return m.Name + ".ko"
	}
	return filepath.Base(m.Path)
}

func checkELF(m *Module, want Expect) error {
	if m.Type != elf.ET_REL {
		return m.refuse("", "is no kernel module: its ELF type is %s, not REL (relocatable)", strings.TrimPrefix(m.Type.String(), "ET_"))
	}
	target, known := TargetOf(want.Arch)
	if known && !target.Matches(m) {
		return m.refuse("the compiler is not the target's: see CC, CROSS_COMPILE and ARCH in make.log",
			"was built for another architecture (%s), wanted %s (%s)", describe(m.Machine, m.Class, m.Data),
			want.Arch, describe(target.Machine, target.Class, target.Data))
	}
	return nil
}

func checkName(m *Module, want Expect) error {
	const hint = "BUILT_MODULE_NAME must be the name under which the Makefile builds it"
	if m.Path != "" && !SameName(TrimSuffix(m.Path), want.Name) {
		return m.refuse(hint, "is not the promised %s.ko", want.Name)
	}
	if m.Name != "" && !SameName(m.Name, want.Name) {
		return m.refuse(hint, "calls itself %q (modinfo name), not the promised %q", m.Name, want.Name)
	}
	return nil
}

func checkRelease(m *Module, want Expect) error {
	release := m.Release()
	if release == "" {
		return m.refuse("", "is no kernel module: it has no vermagic")
	}
	if release != want.Release {
		return m.refuse("the Makefile did not take the kernel it was given, perhaps it asks uname: "+
			"hand it ${kernelver} or ${kernel_source_dir} in MAKE of dkms.conf",
			"was built for %s, wanted %s", printable(release), want.Release)
	}
	return nil
}

// checkSymbols finds symbols whose CRC is none of those that the Module.symvers
// files have for it (a package may replace a module of the kernel, so a symbol
// can have several), and symbols that are in none.
func checkSymbols(m *Module, want Expect) (warnings []string, err error) {
	versions, err := m.Versions()
	if err != nil {
		return nil, m.malformed(err)
	}
	undefined, err := m.Undefined()
	if err != nil {
		return nil, m.malformed(err)
	}
	if !slices.ContainsFunc(want.Symvers, func(s Symvers) bool { return len(s) > 0 }) {
		return nil, nil
	}
	if want.Modversions && len(versions) == 0 && len(undefined) > 0 {
		warnings = append(warnings, m.label()+": has no symbol versions, which the kernel checks: it will not load unless forced")
	}
	var wrong, unknown []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		known, agrees, other := lookUp(want.Symvers, name, versions[name])
		switch {
		case !known:
			unknown = append(unknown, printable(name))
		case !agrees && want.Modversions:
			wrong = append(wrong, fmt.Sprintf("%s is %#08x, was built with %#08x", name, other, versions[name]))
		}
	}
	if len(wrong) > 0 {
		return warnings, m.refuse("it, or the Module.symvers it was built with, belongs to another build of the kernel or of a module it depends on",
			"was built against symbols that the target does not have: %s", few(wrong))
	}
	for _, name := range undefined {
		_, versioned := versions[name]
		if known, _, _ := lookUp(want.Symvers, name, 0); !known && !versioned && !linkerMade(name) {
			unknown = append(unknown, printable(name))
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		warnings = append(warnings, m.label()+": needs symbols that no Module.symvers has: "+few(unknown))
	}
	return warnings, nil
}

func (m *Module) malformed(err error) error {
	return &dkms.Error{Kind: dkms.ModuleNotProduced, Object: m.label(), Problem: "cannot be read", Err: err}
}

// lookUp tells whether any of files has the symbol, whether one has it with
// crc, and if none, what the last has.
func lookUp(files []Symvers, name string, crc uint32) (known, agrees bool, other uint32) {
	for _, f := range files {
		s, ok := f[name]
		if !ok {
			continue
		}
		known, other = true, s.CRC
		if s.CRC == crc {
			return true, true, crc
		}
	}
	return known, false, other
}

// linkerMade tells symbols that are undefined in a module and yet come from
// nowhere: the module loader supplies them.
func linkerMade(name string) bool {
	if name == "_GLOBAL_OFFSET_TABLE_" || name == ".TOC." {
		return true
	}
	for _, prefix := range []string{"_restgpr", "_savegpr", "_restvr", "_savevr", "_restgpr0_", "_rest32gpr", "_save32gpr"} {
		if strings.HasPrefix(name, prefix) {
			return true // register save and restore of PowerPC
		}
	}
	return false
}

// few joins the first items and counts the rest.
func few(items []string) string {
	const show = 5
	if len(items) <= show {
		return strings.Join(items, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(items[:show], ", "), len(items)-show)
}

// printable makes a string of the module fit for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
