package ko

import (
	"debug/elf"
	"strings"
)

// Target is what the ELF header of a module for one architecture says. A zero
// Class or Data means either.
type Target struct {
	Machine elf.Machine
	Class   elf.Class
	Data    elf.Data
}

// targets maps uname -m to the ELF header (each architecture's elf.h).
var targets = map[string]Target{
	"x86_64":      {elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	"aarch64":     {elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	"aarch64_be":  {elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2MSB},
	"ppc64le":     {elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	"ppc64":       {elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2MSB},
	"ppc":         {elf.EM_PPC, elf.ELFCLASS32, elf.ELFDATA2MSB},
	"s390x":       {elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB},
	"riscv64":     {elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB},
	"riscv32":     {elf.EM_RISCV, elf.ELFCLASS32, elf.ELFDATA2LSB},
	"loongarch64": {elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB},
	"loongarch32": {elf.EM_LOONGARCH, elf.ELFCLASS32, elf.ELFDATA2LSB},
	// MIPS kernels say the same whatever their byte order.
	"mips":     {elf.EM_MIPS, elf.ELFCLASS32, 0},
	"mips64":   {elf.EM_MIPS, elf.ELFCLASS64, 0},
	"sparc64":  {elf.EM_SPARCV9, elf.ELFCLASS64, elf.ELFDATA2MSB},
	"parisc":   {elf.EM_PARISC, elf.ELFCLASS32, elf.ELFDATA2MSB},
	"parisc64": {elf.EM_PARISC, elf.ELFCLASS64, elf.ELFDATA2MSB},
	"m68k":     {elf.EM_68K, elf.ELFCLASS32, elf.ELFDATA2MSB},
	"ia64":     {elf.EM_IA_64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	"alpha":    {emAlpha, elf.ELFCLASS64, elf.ELFDATA2LSB},
}

// emAlpha is the number that Alpha has always used, registered or not
// (arch/alpha/include/asm/elf.h).
const emAlpha elf.Machine = 0x9026

// TargetOf returns what a module for arch (uname -m, or a distribution's other
// name for it) must be; false for an architecture that this program does not
// know, whose modules it then cannot judge.
func TargetOf(arch string) (Target, bool) {
	switch {
	case arch == "amd64":
		arch = "x86_64"
	case arch == "arm64":
		arch = "aarch64"
	case arch == "ppc64el":
		arch = "ppc64le"
	case len(arch) == 4 && arch[0] == 'i' && strings.HasSuffix(arch, "86"):
		return Target{elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB}, true
	case strings.HasPrefix(arch, "arm"):
		data := elf.ELFDATA2LSB
		if strings.HasSuffix(arch, "b") { // armv7b: big endian
			data = elf.ELFDATA2MSB
		}
		return Target{elf.EM_ARM, elf.ELFCLASS32, data}, true
	}
	t, ok := targets[arch]
	return t, ok
}

// Matches reports whether m is a module for t.
func (t Target) Matches(m *Module) bool {
	return m.Machine == t.Machine && (t.Class == 0 || m.Class == t.Class) && (t.Data == 0 || m.Data == t.Data)
}

// describe names an ELF header in words: "X86_64, 64 bit, little endian".
func describe(machine elf.Machine, class elf.Class, data elf.Data) string {
	s := strings.TrimPrefix(machine.String(), "EM_")
	switch class {
	case elf.ELFCLASS32:
		s += ", 32 bit"
	case elf.ELFCLASS64:
		s += ", 64 bit"
	}
	switch data {
	case elf.ELFDATA2LSB:
		s += ", little endian"
	case elf.ELFDATA2MSB:
		s += ", big endian"
	}
	return s
}
