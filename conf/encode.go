package conf

import (
	"strings"
	"unicode/utf8"
)

// carriageReturn stands for CR inside the shell. bash takes CR for an ordinary
// character and mvdan.cc/sh for a blank; this one is ordinary to both.
const carriageReturn = "\x0e"

// rawByte is the rune that stands for byte 0 where bytes are not UTF-8, such
// as an umlaut in Latin-1: bash takes any byte, mvdan.cc/sh only UTF-8. It is
// in the private use area.
const rawByte = '\uf700'

// encode readies text for the shell; decode undoes it.
func encode(s string) string {
	s = strings.ReplaceAll(s, "\r", carriageReturn)
	if utf8.ValidString(s) {
		return s
	}
	var out strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			out.WriteRune(rawByte + rune(s[i]))
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func decode(s string) string {
	s = strings.ReplaceAll(s, carriageReturn, "\r")
	if !strings.Contains(s, "\xef\x9c") && !strings.Contains(s, "\xef\x9d") && !strings.Contains(s, "\xef\x9e") && !strings.Contains(s, "\xef\x9f") {
		return s // no rune from U+F700 to U+F7FF
	}
	var out strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if rawByte+0x80 <= r && r <= rawByte+0xff {
			out.WriteByte(byte(r - rawByte))
		} else {
			out.WriteString(s[:n])
		}
		s = s[n:]
	}
	return out.String()
}

// readable is text for a message.
func readable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(decode(s), "\r", `\r`), "?")
}
