package write

import (
	"maps"
	"slices"
	"strings"
)

// columns is how wide the texts in packages are: what a terminal of 80 columns
// shows after the blank that dpkg puts before each line.
const columns = 79

// filled breaks paragraphs, which empty lines separate, into lines.
func filled(text string) string {
	var out []string
	for _, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if strings.TrimSpace(paragraph) != "" {
			out = append(out, strings.TrimRight(wrapped(paragraph, "", "", columns), "\n"))
		}
	}
	return strings.Join(out, "\n\n")
}

// wrapped breaks text into lines of at most width columns.
func wrapped(text, first, rest string, width int) string {
	var b strings.Builder
	line := first
	for i, word := range strings.Fields(text) {
		if i > 0 && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line = rest
		} else if i > 0 {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}

// sortedKeys are the keys of a map in their order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
