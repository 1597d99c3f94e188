package ko

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// fake writes ELF files of any class and byte order, so that the readers can
// be tested for processors that no compiler is here for.
type fake struct {
	class    elf.Class
	data     elf.Data
	machine  elf.Machine
	typ      elf.Type
	sections []fakeSection
	symbols  []elf.Symbol // Name, Info, Section, Value
}

type fakeSection struct {
	name  string
	flags elf.SectionFlag
	data  []byte
}

func (f fake) order() interface {
	binary.ByteOrder
	binary.AppendByteOrder
} {
	if f.data == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// all returns the sections with the null section, symbols and names added.
func (f fake) all() (out []fakeSection, types []elf.SectionType, links []int) {
	add := func(s fakeSection, t elf.SectionType, link int) {
		out, types, links = append(out, s), append(types, t), append(links, link)
	}
	add(fakeSection{}, elf.SHT_NULL, 0)
	for _, s := range f.sections {
		add(s, elf.SHT_PROGBITS, 0)
	}
	if len(f.symbols) > 0 {
		syms, names := f.symtab()
		add(fakeSection{name: ".symtab", data: syms}, elf.SHT_SYMTAB, len(out)+1)
		add(fakeSection{name: ".strtab", data: names}, elf.SHT_STRTAB, 0)
	}
	names := []byte{0}
	for _, s := range out {
		names = append(append(names, s.name...), 0)
	}
	names = append(names, ".shstrtab\x00"...)
	add(fakeSection{name: ".shstrtab", data: names}, elf.SHT_STRTAB, 0)
	return out, types, links
}

func (f fake) symtab() (syms, names []byte) {
	var out bytes.Buffer
	names = []byte{0}
	for _, s := range append([]elf.Symbol{{}}, f.symbols...) {
		at := uint32(0)
		if s.Name != "" {
			at = uint32(len(names))
			names = append(append(names, s.Name...), 0)
		}
		if f.class == elf.ELFCLASS64 {
			put(&out, f.order(), elf.Sym64{Name: at, Info: s.Info, Shndx: uint16(s.Section), Value: s.Value})
		} else {
			put(&out, f.order(), elf.Sym32{Name: at, Info: s.Info, Shndx: uint16(s.Section), Value: uint32(s.Value)})
		}
	}
	return out.Bytes(), names
}

func put(out *bytes.Buffer, order binary.ByteOrder, v any) {
	if err := binary.Write(out, order, v); err != nil {
		panic(err)
	}
}

// bytes returns the file: header, contents, section headers.
func (f fake) bytes() []byte {
	sections, types, links := f.all()
	header, entry, symbol := 64, 64, 24
	if f.class == elf.ELFCLASS32 {
		header, entry, symbol = 52, 40, 16
	}
	var body, table bytes.Buffer
	name := uint32(1)
	for i, s := range sections {
		at := header + body.Len()
		size := 0
		if types[i] == elf.SHT_SYMTAB {
			size = symbol
		}
		if i == 0 {
			at = 0
		}
		if f.class == elf.ELFCLASS64 {
			put(&table, f.order(), elf.Section64{Name: name, Type: uint32(types[i]), Flags: uint64(s.flags), Off: uint64(at),
				Size: uint64(len(s.data)), Link: uint32(links[i]), Entsize: uint64(size), Addralign: 1})
		} else {
			put(&table, f.order(), elf.Section32{Name: name, Type: uint32(types[i]), Flags: uint32(s.flags), Off: uint32(at),
				Size: uint32(len(s.data)), Link: uint32(links[i]), Entsize: uint32(size), Addralign: 1})
		}
		name += uint32(len(s.name) + 1)
		body.Write(s.data)
	}
	for (header+body.Len())%8 != 0 {
		body.WriteByte(0)
	}
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(f.class), byte(f.data), byte(elf.EV_CURRENT)}
	var out bytes.Buffer
	if f.class == elf.ELFCLASS64 {
		put(&out, f.order(), elf.Header64{Ident: ident, Type: uint16(f.typ), Machine: uint16(f.machine), Version: 1, Shoff: uint64(header + body.Len()),
			Ehsize: uint16(header), Shentsize: uint16(entry), Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)})
	} else {
		put(&out, f.order(), elf.Header32{Ident: ident, Type: uint16(f.typ), Machine: uint16(f.machine), Version: 1, Shoff: uint32(header + body.Len()),
			Ehsize: uint16(header), Shentsize: uint16(entry), Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)})
	}
	out.Write(body.Bytes())
	out.Write(table.Bytes())
	return out.Bytes()
}

// version is one struct modversion_info.
func (f fake) version(name string, crc uint32) []byte {
	entry := make([]byte, 64)
	if f.class == elf.ELFCLASS64 {
		f.order().PutUint64(entry, uint64(crc))
		copy(entry[8:], name)
	} else {
		f.order().PutUint32(entry, crc)
		copy(entry[4:], name)
	}
	return entry
}

func (f fake) words(values ...uint32) []byte {
	out := make([]byte, 0, 4*len(values))
	for _, v := range values {
		out = f.order().AppendUint32(out, v)
	}
	return out
}

// x86 is a fake of the usual kind with this .modinfo.
func x86(modinfo string) fake {
	return fake{class: elf.ELFCLASS64, data: elf.ELFDATA2LSB, machine: elf.EM_X86_64, typ: elf.ET_REL,
		sections: []fakeSection{{name: ".modinfo", data: []byte(modinfo)}}}
}

// sample is a fake with something in each part that is read.
func (f fake) sample() fake {
	f.typ = elf.ET_REL
	f.sections = []fakeSection{
		{name: ".modinfo", data: []byte("name=gamma\x00\x00\x00version=7\x00vermagic=6.9.1 SMP mod_unload \x00depends=a,b\x00alias=x\x00alias=y\x00odd\x00")},
		{name: "__versions", data: append(f.version("module_layout", 0x01020304), f.version("printk", 0xfffefdfc)...)},
		{name: "__version_ext_crcs", data: f.words(0x01020304, 0x0a0b0c0d)},
		{name: "__version_ext_names", data: []byte("module_layout\x00a_name_longer_than_the_fifty_six_bytes_that_the_old_section_has_room_for\x00")},
		{name: "__kcrctab", data: f.words(1, 0xcafe0001)},
	}
	global, weak := elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE), elf.ST_INFO(elf.STB_WEAK, elf.STT_NOTYPE)
	f.symbols = []elf.Symbol{
		{Name: "__crc_in_section", Section: 5, Value: 4, Info: global},
		{Name: "__crc_absolute", Section: elf.SHN_ABS, Value: 0xcafe0002, Info: global},
		{Name: "__ksymtab_in_section", Section: 5, Info: global},
		{Name: "__ksymtab_absolute", Section: 5, Info: global},
		{Name: "__ksymtab_bare", Section: 5, Info: global},
		{Name: "printk", Info: global},
		{Name: "maybe", Info: weak},
	}
	return f
}

var fakes = map[string]fake{
	"64 little": {class: elf.ELFCLASS64, data: elf.ELFDATA2LSB, machine: elf.EM_X86_64},
	"64 big":    {class: elf.ELFCLASS64, data: elf.ELFDATA2MSB, machine: elf.EM_S390},
	"32 little": {class: elf.ELFCLASS32, data: elf.ELFDATA2LSB, machine: elf.EM_ARM},
	"32 big":    {class: elf.ELFCLASS32, data: elf.ELFDATA2MSB, machine: elf.EM_PPC},
}

func parsed(t testing.TB, data []byte) *Module {
	t.Helper()
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
