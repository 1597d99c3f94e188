package kbuild

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Kconfig maps CONFIG_X to its value ("y", "m", a number, an unquoted
// string); symbols that are "not set" are absent.
type Kconfig map[string]string

// Set reports whether symbol is y or m.
func (c Kconfig) Set(symbol string) bool { return c[symbol] == "y" || c[symbol] == "m" }

// maxConfig bounds what is read of a configuration. Real ones stay below 1 MiB.
const maxConfig = 16 << 20

// ReadKconfig reads a kernel's .config, or an include/config/auto.conf, which
// has the same form without the lines "# CONFIG_X is not set"
// (Documentation/kbuild/kconfig.rst). Lines that are neither are passed over.
func ReadKconfig(path string) (Kconfig, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would hang
		return nil, fmt.Errorf("%s: is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text strings.Builder
	text.Grow(int(min(info.Size(), maxConfig)))
	if _, err := io.Copy(&text, io.LimitReader(f, maxConfig)); err != nil {
		return nil, err
	}
	return parseKconfig(text.String()), nil
}

// parseKconfig makes one map of the right size, whose strings are pieces of text:
// there are some five thousand symbols, and every run reads them.
func parseKconfig(text string) Kconfig {
	config := make(Kconfig, strings.Count(text, "\nCONFIG_")+1)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if symbol, ok := strings.CutPrefix(line, "# "); ok && strings.HasSuffix(symbol, " is not set") {
			delete(config, strings.TrimSuffix(symbol, " is not set")) // the last line counts, as for kconfig
			continue
		}
		symbol, value, ok := strings.Cut(line, "=")
		if !ok || !strings.HasPrefix(symbol, "CONFIG_") {
			continue
		}
		if value == "n" {
			delete(config, symbol)
			continue
		}
		config[symbol] = unquote(value)
	}
	return config
}

// unquote takes kconfig's quotes off a string: between them \ protects the
// next character.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
