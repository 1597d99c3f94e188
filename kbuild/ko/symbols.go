package ko

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Versions returns the symbols that the module uses from elsewhere with the
// CRC of each that it was built against (CONFIG_MODVERSIONS): sections
// __versions, or __version_ext_crcs and __version_ext_names (since Linux
// 6.14). The map is empty when the module carries none.
func (m *Module) Versions() (_ map[string]uint32, err error) {
	defer recovered(&err)
	out := map[string]uint32{}
	if err := m.basicVersions(out); err != nil {
		return nil, err
	}
	if err := m.extendedVersions(out); err != nil {
		return nil, err
	}
	return out, nil
}

// basicVersions reads struct modversion_info: an unsigned long and a name that
// fill 64 bytes together.
func (m *Module) basicVersions(out map[string]uint32) error {
	const entry = 64
	data, err := m.section("__versions")
	if err != nil {
		return err
	}
	if len(data)%entry != 0 {
		return fmt.Errorf("section %q: its size %d is no multiple of %d", "__versions", len(data), entry)
	}
	for e := range slices.Chunk(data, entry) {
		crc, name := uint64(0), []byte(nil)
		if m.Class == elf.ELFCLASS64 {
			crc, name = m.file.ByteOrder.Uint64(e), e[8:]
		} else {
			crc, name = uint64(m.file.ByteOrder.Uint32(e)), e[4:]
		}
		// Function descriptors of 64-bit PowerPC had a dot before the name.
		if s := strings.TrimPrefix(cstring(name), "."); s != "" {
			out[s] = uint32(crc)
		}
	}
	return nil
}

func (m *Module) extendedVersions(out map[string]uint32) error {
	crcs, err := m.section("__version_ext_crcs")
	if err != nil {
		return err
	}
	names, err := m.section("__version_ext_names")
	if err != nil {
		return err
	}
	for len(crcs) >= 4 && len(names) > 0 {
		name := cstring(names)
		names = names[min(len(name)+1, len(names)):]
		if name != "" {
			out[name] = m.file.ByteOrder.Uint32(crcs)
		}
		crcs = crcs[4:]
	}
	if len(crcs) > 0 || len(bytes.Trim(names, "\x00")) > 0 {
		return errors.New("sections __version_ext_crcs and __version_ext_names differ in length")
	}
	return nil
}

func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// Exports returns the symbols that the module exports with their CRCs, which
// are 0 where the module has none (no CONFIG_MODVERSIONS).
func (m *Module) Exports() (_ map[string]uint32, err error) {
	defer recovered(&err)
	symbols, err := m.symbols()
	if err != nil {
		return nil, err
	}
	out := map[string]uint32{}
	for _, s := range symbols {
		if name, ok := strings.CutPrefix(s.Name, "__crc_"); ok {
			if out[name], err = m.crc(s); err != nil {
				return nil, err
			}
		} else if name, ok := strings.CutPrefix(s.Name, "__ksymtab_"); ok {
			if _, known := out[name]; !known {
				out[name] = 0
			}
		}
	}
	return out, nil
}

// crc returns the value of a __crc_ symbol: an absolute one is the CRC, any
// other is where in its section (__kcrctab or such) the CRC lies.
func (m *Module) crc(s elf.Symbol) (uint32, error) {
	if s.Section == elf.SHN_ABS || s.Section == elf.SHN_UNDEF || int(s.Section) >= len(m.file.Sections) {
		return uint32(s.Value), nil
	}
	data, err := m.bytes(m.file.Sections[s.Section])
	if err != nil {
		return 0, err
	}
	if s.Value > uint64(len(data)) || uint64(len(data))-s.Value < 4 {
		return 0, fmt.Errorf("symbol %q: lies beyond its section", s.Name)
	}
	return m.file.ByteOrder.Uint32(data[s.Value:]), nil
}

// Undefined returns the names of the symbols that the module needs from the
// kernel or from other modules, sorted. Weak ones are left out: it loads
// without them.
func (m *Module) Undefined() (_ []string, err error) {
	defer recovered(&err)
	symbols, err := m.symbols()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range symbols {
		if s.Section == elf.SHN_UNDEF && elf.ST_BIND(s.Info) == elf.STB_GLOBAL && s.Name != "" {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (m *Module) symbols() ([]elf.Symbol, error) {
	for _, s := range m.file.Sections {
		if s.Type != elf.SHT_SYMTAB {
			continue
		}
		if _, err := m.bytes(s); err != nil {
			return nil, err
		}
		if int(s.Link) < len(m.file.Sections) {
			if _, err := m.bytes(m.file.Sections[s.Link]); err != nil {
				return nil, err
			}
		}
	}
	symbols, err := m.file.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		return nil, nil
	}
	return symbols, err
}
