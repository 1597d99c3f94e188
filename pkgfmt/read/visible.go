package read

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s with all that would steer a terminal or hide in a text
// written out, as \x1b or \u202e: control characters, line ends included, marks
// of direction and of format, and what is no UTF-8.
func Visible(s string) string { return visible(s, "") }

// visibleText is Visible for a text of several lines.
func visibleText(s string) string { return visible(s, "\n\t") }

func visible(s, keep string) string {
	var out strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case strings.ContainsRune(keep, r) || unicode.IsPrint(r):
			out.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	return out.String()
}
