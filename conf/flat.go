package conf

import "regexp"

// flatLimit bounds files of plain assignments. Debian's .config, which several
// packages source, has 260 KiB.
const flatLimit = 4 << 20

// flatWorth is from which length on it is worth to look whether text is flat.
const flatWorth = 16 << 10

// flatText matches text of comments and plain assignments only, as in a
// kernel's .config or auto.conf. The shell does not recurse over it and there is
// nothing in it to rewrite, so it may be long.
var flatText = regexp.MustCompile(`\A(?:[ \t]*(?:#[^\n\r\x00]*|[A-Za-z_][A-Za-z0-9_]*=(?:"[^"\x60$\\\n\r\x00]*"|'[^'\n\r\x00]*'|[A-Za-z0-9_.,:/+@%=-]*))?[ \t]*(?:\n|\z))*\z`)

func isFlat(text []byte) bool {
	return len(text) <= flatLimit && flatText.Match(text)
}
