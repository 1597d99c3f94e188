package kmod

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Generated are relations of an RPM that are read from its modules.
type Generated struct {
	Provides []string // kmod(), ksym(), modalias(), firmware(); sorted
	Requires []string // kernel(), ksym(); sorted
}

// Generate says of the modules of one package what the dependency generators
// of Red Hat's kernel-srpm-macros say (kmod, modalias, firmware, provided and
// required ksyms), so that our packages and theirs fit together. symvers are
// what the kernel exports that the modules were built against.
//
//   - A module provides kmod(x.ko), its name without the compressor's suffix.
//   - An exported symbol is ksym(SYMBOL) = CRC, or kernel(SYMBOL) below kernel/.
//   - A symbol from elsewhere is required by the CRC it was built against, unless
//     the package exports it: of the kernel, where that exports it with the same
//     CRC, and else of another package. Modules below kernel/ require nothing.
//   - Aliases and names of firmware are provided, too.
//
// A module without CRCs (no CONFIG_MODVERSIONS) neither provides nor requires
// symbols.
func Generate(modules []Facts, symvers ko.Symvers) Generated {
	var g Generated
	own := map[string]bool{}
	for _, m := range modules {
		for symbol := range m.Exports {
			own[symbol] = true
		}
	}
	for _, m := range modules {
		g.Provides = append(g.Provides, provided(m)...)
		if inTree(m.Path) {
			continue
		}
		for symbol, crc := range m.Needs {
			if !own[symbol] {
				g.Requires = append(g.Requires, symbolRelation(origin(symbol, crc, symvers), symbol, crc))
			}
		}
	}
	g.Provides, g.Requires = unique(g.Provides), unique(g.Requires)
	return g
}

// provided is what one module offers.
func provided(m Facts) []string {
	out := []string{"kmod(" + word(ko.TrimSuffix(m.Path)) + ".ko)"}
	prefix := "ksym"
	if inTree(m.Path) {
		prefix = "kernel"
	}
	if len(m.Needs) > 0 { // every module needs module_layout, so it has CRCs
		for symbol, crc := range m.Exports {
			out = append(out, symbolRelation(prefix, symbol, crc))
		}
	}
	for _, name := range m.Firmware {
		out = append(out, "firmware("+word(name)+")")
	}
	return append(out, modaliases(m.Alias, m.Version)...)
}

// origin tells whose a symbol is: the kernel's, when it has it with that CRC.
func origin(symbol string, crc uint32, symvers ko.Symvers) string {
	if s, ok := symvers[symbol]; ok && s.CRC == crc {
		return "kernel"
	}
	return "ksym"
}

func symbolRelation(kind, symbol string, crc uint32) string {
	return fmt.Sprintf("%s(%s) = 0x%08x", kind, word(symbol), crc)
}

// inTree reports whether a module lies where only the kernel's own lie.
func inTree(file string) bool {
	_, below, ok := strings.Cut(path.Clean(file), "/lib/modules/")
	_, below, found := strings.Cut(below, "/")
	return ok && found && strings.HasPrefix(below, "kernel/")
}

// word keeps what a stranger's module says from ending a relation early.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, s)
}

func unique(lines []string) []string {
	slices.Sort(lines)
	return slices.Compact(lines)
}
