package read

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// isModule tells kernel modules by their names.
func isModule(path string) bool {
	return slices.ContainsFunc(ko.Suffixes, func(s string) bool { return strings.HasSuffix(path, s) })
}

// The limits of modules: the largest that are stripped have 20 MiB, and .modinfo
// has 200 KiB where there are thousands of aliases.
const (
	maxModule  = 128 << 20
	maxModinfo = 4 << 20
)

// inOrder returns the modules by path.
func (in *inspection) inOrder() []ModuleReport {
	slices.SortFunc(in.modules, func(a, b ModuleReport) int { return strings.Compare(a.Path, b.Path) })
	return in.modules
}

// readModule reads one .ko. What is wrong with it is in the report.
func readModule(f File, body io.Reader, symbols bool) ModuleReport {
	r := ModuleReport{Path: f.Path, Depends: []string{}, Firmware: []string{}}
	if err := r.read(f, body, symbols); err != nil {
		r.Problem = err.Error()
	}
	return r
}

func (m *ModuleReport) read(f File, body io.Reader, symbols bool) (err error) {
	defer recovered(&err)
	data, err := moduleContent(f, body)
	if err != nil {
		return err
	}
	if err := checkModinfo(data); err != nil {
		return err
	}
	file, err := ko.Parse(data)
	if err != nil {
		return err
	}
	m.Name, m.Version, m.License = file.Name, file.Version, file.License
	m.Release, m.Vermagic, m.SrcVersion = file.Release(), file.Vermagic, file.SrcVersion
	m.Depends, m.Firmware, m.Aliases = list(file.Depends), list(file.Firmware), len(file.Alias)
	for _, info := range file.Info {
		if info.Tag == "description" {
			m.Description = info.Value
		}
	}
	if m.Name == "" {
		m.Name = strings.ReplaceAll(ko.TrimSuffix(f.Path), "-", "_")
	}
	if s := file.Signature; s != nil {
		m.Signed, m.Signer, m.Key, m.Hash, m.Problem = true, s.Signer, s.KeyID, s.Hash, s.Problem
	}
	return m.readSymbols(file, symbols)
}

func (m *ModuleReport) readSymbols(file *ko.Module, all bool) error {
	crcs, err := file.Versions()
	if err != nil {
		return err
	}
	undefined, err := file.Undefined()
	if err != nil {
		return err
	}
	exports, err := file.Exports()
	if err != nil {
		return err
	}
	m.Needs, m.CRCs, m.Exports = len(undefined), len(crcs), len(exports)
	if !all {
		return nil
	}
	needed := slices.AppendSeq(undefined, maps.Keys(crcs)) // module_layout has a CRC only
	slices.Sort(needed)
	m.Needed = symbolReports(slices.Compact(needed), crcs)
	m.Exported = symbolReports(slices.Sorted(maps.Keys(exports)), exports)
	return nil
}

func symbolReports(names []string, crcs map[string]uint32) []SymbolReport {
	out := make([]SymbolReport, len(names))
	for i, name := range names {
		out[i].Name = name
		if crc, ok := crcs[name]; ok {
			out[i].CRC = fmt.Sprintf("0x%08x", crc)
		}
	}
	return out
}

// moduleMagic are how compressed modules begin, which counts, not the name.
var moduleMagic = map[string]string{"gzip": "\x1f\x8b", "xz": "\xfd7zXZ\x00", "zstd": "\x28\xb5\x2f\xfd"}

// moduleContent returns the decompressed bytes of a module.
func moduleContent(f File, body io.Reader) ([]byte, error) {
	r := bufio.NewReader(body)
	head, _ := r.Peek(6)
	from := io.Reader(r)
	for algorithm, magic := range moduleMagic {
		if bytes.HasPrefix(head, []byte(magic)) {
			d, err := decompress(algorithm, r, f.Size, maxModule)
			if err != nil {
				return nil, err
			}
			defer d.close()
			from = d
		}
	}
	if from == io.Reader(r) && f.Size > maxModule {
		return nil, fmt.Errorf("is larger than %d bytes, and was not looked at", maxModule)
	}
	return io.ReadAll(from)
}

// checkModinfo refuses a section that would take many times its size in memory.
func checkModinfo(data []byte) error {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil // ko.Parse has the words for it
	}
	if s := f.Section(".modinfo"); s != nil && s.FileSize > maxModinfo {
		return fmt.Errorf("has a .modinfo of more than %d bytes", maxModinfo)
	}
	return nil
}
