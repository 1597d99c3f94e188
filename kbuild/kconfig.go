package kbuild

import (
	"bufio"
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
	return parseKconfig(io.LimitReader(f, maxConfig))
}

func parseKconfig(r io.Reader) (Kconfig, error) {
	config := Kconfig{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxConfig)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
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
	return config, lines.Err()
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
