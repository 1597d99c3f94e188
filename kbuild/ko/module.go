package ko

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Suffixes are the endings of module files, the plain one first.
var Suffixes = []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"}

// TrimSuffix returns the base name of path without .ko, .ko.gz, .ko.xz or
// .ko.zst.
func TrimSuffix(path string) string {
	base := filepath.Base(path)
	for _, s := range Suffixes {
		if name, ok := strings.CutSuffix(base, s); ok {
			return name
		}
	}
	return base
}

// SameName reports whether two module names mean one module: the kernel does
// not tell "-" from "_".
func SameName(a, b string) bool { return normal(a) == normal(b) }

func normal(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Module is one module file as it describes itself. Its strings are as in the
// file: whoever prints them has to mind control characters.
type Module struct {
	Path string // as given to Open; empty after Parse

	// The .modinfo section (modinfo(8) prints the same). Empty when absent.
	Name       string   // name, since Linux 4.13: KBUILD_MODNAME, so with "_"
	Version    string   // version: MODULE_VERSION
	SrcVersion string   // srcversion: a checksum of the sources
	Vermagic   string   // vermagic: the release and the options it was built with
	Depends    []string // depends: names of modules
	Alias      []string // alias
	Firmware   []string // firmware
	Imports    []string // import_ns: symbol namespaces
	License    string   // license

	// Info is all of .modinfo, in the file's order.
	Info []Info

	Class   elf.Class   // 32 or 64 bits
	Data    elf.Data    // byte order
	Machine elf.Machine // processor
	Type    elf.Type    // elf.ET_REL for every real module

	// Signed tells that a signature is appended; Signature is nil otherwise.
	Signed    bool
	Signature *Signature

	file *elf.File
	raw  []byte // decompressed, for the sections that are read later
}

// Info is one tag=value of .modinfo.
type Info struct{ Tag, Value string }

// Open reads the module file at path: .ko, or compressed by gzip, xz or zstd.
// It is an error that names the path when the file is no ELF file, or is
// larger than MaxSize.
func Open(path string) (*Module, error) {
	data, err := Content(path)
	if err != nil {
		return nil, err
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.Path = path
	return m, nil
}

// Parse is Open for the decompressed bytes of a module, which must not change
// afterwards.
func Parse(data []byte) (m *Module, err error) {
	defer recovered(&err)
	if !bytes.HasPrefix(data, []byte(elf.ELFMAG)) {
		return nil, errors.New("is no ELF file")
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("is no ELF file that can be read: %w", err)
	}
	m = &Module{file: f, raw: data, Class: f.Class, Data: f.Data, Machine: f.Machine, Type: f.Type}
	info, err := m.section(".modinfo")
	if err != nil {
		return nil, err
	}
	m.setInfo(info)
	m.Signature = parseSignature(data)
	m.Signed = m.Signature != nil
	return m, nil
}

// section returns the bytes of the first section of that name; nil when there
// is none. Compressed sections, which modules have only for debug information,
// are refused, so that nothing read here can grow.
func (m *Module) section(name string) ([]byte, error) {
	s := m.file.Section(name)
	if s == nil {
		return nil, nil
	}
	return m.bytes(s)
}

func (m *Module) bytes(s *elf.Section) ([]byte, error) {
	switch {
	case s.Type == elf.SHT_NOBITS:
		return nil, nil
	case s.Flags&elf.SHF_COMPRESSED != 0:
		return nil, fmt.Errorf("section %q: is compressed", s.Name)
	case s.Offset > uint64(len(m.raw)) || s.FileSize > uint64(len(m.raw))-s.Offset:
		return nil, fmt.Errorf("section %q: lies beyond the end of the file", s.Name)
	}
	return m.raw[s.Offset : s.Offset+s.FileSize], nil
}

func (m *Module) setInfo(section []byte) {
	for _, field := range cstrings(section) {
		tag, value, ok := strings.Cut(field, "=")
		if !ok {
			continue
		}
		m.Info = append(m.Info, Info{tag, value})
		switch tag {
		case "name":
			m.Name = value
		case "version":
			m.Version = value
		case "srcversion":
			m.SrcVersion = value
		case "vermagic":
			m.Vermagic = value
		case "license":
			m.License = value
		case "depends":
			if value != "" {
				m.Depends = append(m.Depends, strings.Split(value, ",")...)
			}
		case "alias":
			m.Alias = append(m.Alias, value)
		case "firmware":
			m.Firmware = append(m.Firmware, value)
		case "import_ns":
			m.Imports = append(m.Imports, value)
		}
	}
}

// Release returns the kernel release that the module was built for, the first
// word of its vermagic; empty when it has none.
func (m *Module) Release() string {
	release, _, _ := strings.Cut(strings.TrimLeft(m.Vermagic, " "), " ")
	return release
}

// cstrings splits at NULs, dropping empty strings (kbuild pads with NULs).
func cstrings(b []byte) []string {
	var out []string
	for s := range strings.SplitSeq(string(b), "\x00") {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
