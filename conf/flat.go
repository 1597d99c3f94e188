package conf

import (
	"bytes"
	"regexp"
	"slices"
	"sync"
)

// flatLimit bounds files of plain assignments. Debian's .config, which several
// packages source, has 260 KiB.
const flatLimit = 4 << 20

// flatWorth is from which length on it is worth to look whether text is flat.
const flatWorth = 16 << 10

// flat is text of comments and plain assignments only, as a kernel's .config or
// auto.conf. The shell does not recurse over it and there is nothing in it to
// rewrite, so it may be long.
type flat struct {
	text []byte
	// symbols are the assignments to CONFIG_X, others the rest, one per line.
	symbols, others []byte
	// indirect tells that a value is a symbol's name.
	indirect bool
}

// readFlat returns text as flat, nil if it is not.
func readFlat(text []byte) *flat {
	if len(text) > flatLimit || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	f := &flat{text: text, symbols: make([]byte, 0, len(text))}
	for line := range bytes.Lines(text) {
		if line[0] == '#' { // as more than half of a .config
			continue
		}
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 && (isBlank(line[0]) || isBlank(line[len(line)-1])) {
			line = bytes.Trim(line, " \t")
		}
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, value, found := bytes.Cut(line, []byte("="))
		if !found || !isVariable(name) || !isPlain(value) {
			return nil
		}
		// [[ evaluates the names that values are.
		f.indirect = f.indirect || len(value) >= len(configPrefix) && bytes.HasPrefix(bytes.TrimLeft(value, `"'`), []byte(configPrefix))
		if bytes.HasPrefix(name, []byte(configPrefix)) {
			f.symbols = append(append(f.symbols, line...), '\n')
		} else {
			f.others = append(append(f.others, line...), '\n')
		}
	}
	return f
}

// isPlain reports whether the shell assigns value as it stands, quotes apart.
func isPlain(value []byte) bool {
	if len(value) == 0 {
		return true
	}
	last := len(value) - 1
	switch quote := value[0]; quote {
	case '"':
		return last > 0 && value[last] == quote && !bytes.ContainsAny(value[1:last], "\"`$\\")
	case '\'':
		return last > 0 && value[last] == quote && bytes.IndexByte(value[1:last], quote) < 0
	}
	for _, c := range value {
		if !plainByte(c) {
			return false
		}
	}
	return true
}

// isVariable reports whether name may be a variable's.
func isVariable(name []byte) bool {
	for i, c := range name {
		letter := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0
}

// isBlank reports whether the shell parts words at c, within a line.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// plainByte reports whether the shell does nothing about c in an assigned word.
func plainByte(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || bytes.IndexByte([]byte("_.,:/+@%=-"), c) >= 0
}

// configPrefix begins the names of a kernel's configuration symbols.
const configPrefix = "CONFIG_"

var (
	configName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(configPrefix + `\w*`) })
	// sources finds the commands that source a file, or what looks like one.
	sources = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)(?:^|[\s;&|({!])(?:\.|source)\s`) })
	// anyVariable finds what may ask for a variable whose name is not there to
	// read, list all, export all, or run text that is not there.
	anyVariable = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\$\{!|\(\(|\$\[|-[vR]\s|\b(?:eval|declare|typeset|local|export|readonly|read|mapfile|readarray|unset|set|shopt|compgen|let|getopts|trap|alias)\b`)
	})
)

// mentioned returns what conf, the only text that is to run with f, can see of it:
// the assignments but for the symbols of a kernel's configuration that it does not
// name. Debian's .config has some ten thousand lines, of which a dkms.conf asks for
// one. Where conf may ask otherwise, that is all of the text.
func (f *flat) mentioned(conf []byte) []byte {
	if f.indirect || anyVariable().Match(conf) || len(sources().FindAll(conf, 2)) != 1 {
		return f.text
	}
	conf = bytes.ReplaceAll(conf, []byte("\\\n"), nil) // a name may go on there
	named := map[string]bool{}
	for _, name := range configName().FindAll(conf, -1) {
		named[string(name)] = true
	}
	kept := slices.Clip(f.others)
	if len(named) == 0 {
		return kept
	}
	for line := range bytes.Lines(f.symbols) {
		if name, _, _ := bytes.Cut(line, []byte("=")); named[string(name)] {
			kept = append(kept, line...)
		}
	}
	return kept
}
