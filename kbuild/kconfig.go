package kbuild

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Kconfig is a kernel's configuration. It is kept as text: of some ten thousand
// lines most runs ask for two or three. nil is none. Safe for concurrent use.
type Kconfig struct {
	text []byte

	mu    sync.Mutex
	known map[string]string // answers
}

// ParseKconfig returns the configuration that text is, in the form of a kernel's
// .config, or of include/config/auto.conf, which has no lines "# CONFIG_X is not
// set" (Documentation/kbuild/kconfig.rst). Lines that are neither are passed
// over.
func ParseKconfig(text string) *Kconfig { return &Kconfig{text: []byte(text)} }

// Value returns the value of CONFIG_X ("y", "m", a number, an unquoted string);
// it is empty for a symbol that is "not set".
func (c *Kconfig) Value(symbol string) string {
	if c == nil || !strings.HasPrefix(symbol, configPrefix) {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.known[symbol]
	if !ok {
		if c.known == nil {
			c.known = map[string]string{}
		}
		value = c.find(symbol)
		c.known[symbol] = value
	}
	return value
}

// Set reports whether symbol is y or m.
func (c *Kconfig) Set(symbol string) bool {
	value := c.Value(symbol)
	return value == "y" || value == "m"
}

// configPrefix begins the name of every symbol.
const configPrefix = "CONFIG_"

// find takes the last line about symbol, as kconfig does.
func (c *Kconfig) find(symbol string) (value string) {
	name := []byte(symbol)
	if len(name) > len(configPrefix) { // what all begin with is slow to look for
		name = name[len(configPrefix):]
	}
	for rest := c.text; ; {
		i := bytes.Index(rest, name)
		if i < 0 {
			return value
		}
		var line []byte
		line, rest, _ = bytes.Cut(rest[bytes.LastIndexByte(rest[:i], '\n')+1:], []byte("\n"))
		if about, now, ok := setting(string(line)); ok && about == symbol {
			value = now
		}
	}
}

// setting returns the symbol that a line is about, and its value.
func setting(line string) (symbol, value string, ok bool) {
	line = strings.TrimSpace(line)
	if unset, comment := strings.CutPrefix(line, "# "); comment {
		symbol, ok = strings.CutSuffix(unset, " is not set")
		return symbol, "", ok
	}
	symbol, value, ok = strings.Cut(line, "=")
	if value == "n" {
		return symbol, "", ok
	}
	return symbol, unquote(value), ok
}

// maxConfig bounds what is read of a configuration. Real ones stay below 1 MiB.
const maxConfig = 16 << 20

// ReadKconfig reads a kernel's .config or include/config/auto.conf.
func ReadKconfig(path string) (*Kconfig, error) {
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
	text, err := system.ReadUpTo(f, maxConfig)
	if err != nil {
		return nil, err
	}
	return &Kconfig{text: text}, nil
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
