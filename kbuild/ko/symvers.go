package ko

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Symvers is a Module.symvers file: what the kernel, or a module, exports.
type Symvers map[string]Symbol

// Symbol is one line of a Module.symvers.
type Symbol struct {
	CRC       uint32 // 0 without CONFIG_MODVERSIONS
	Module    string // "vmlinux", or the path of the module without .ko
	Export    string // EXPORT_SYMBOL, EXPORT_SYMBOL_GPL, …
	Namespace string // empty for most
}

// ReadSymvers reads a Module.symvers. A line that is none is an error that
// names file and line; a missing file satisfies fs.ErrNotExist.
func ReadSymvers(path string) (Symvers, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseSymvers(path, string(data))
}

// parseSymvers keeps the strings as parts of text: a kernel's file has some
// 25,000 lines.
func parseSymvers(path, text string) (Symvers, error) {
	out := make(Symvers, strings.Count(text, "\n"))
	for n := 1; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" {
			continue
		}
		name, symbol, err := parseSymbol(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		out[name] = symbol
	}
	return out, nil
}

// parseSymbol reads "CRC<tab>name<tab>module<tab>export[<tab>namespace]"
// (Documentation/kbuild/modules.rst); Linux 5.4 to 5.7 had the namespace
// before the module.
func parseSymbol(line string) (name string, s Symbol, err error) {
	var f [5]string
	n := 0
	for rest, more := line, true; more; n++ {
		if n == len(f) {
			return "", s, fmt.Errorf("has more than %d columns", len(f))
		}
		f[n], rest, more = strings.Cut(rest, "\t")
	}
	if n < 3 || f[1] == "" {
		return "", s, fmt.Errorf("is no line of a Module.symvers")
	}
	crc, err := strconv.ParseUint(strings.TrimPrefix(f[0], "0x"), 16, 32)
	if err != nil {
		return "", s, fmt.Errorf("%q is no CRC", f[0])
	}
	s = Symbol{CRC: uint32(crc), Module: f[2], Export: f[3], Namespace: f[4]}
	if strings.HasPrefix(f[4], "EXPORT_") {
		s.Namespace, s.Module, s.Export = f[2], f[3], f[4]
	}
	return f[1], s, nil
}
