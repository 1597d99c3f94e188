package cmdline

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// FlagLine is a flag in the help text: its spellings with what it takes, a tab,
// and its meaning. urfave/cli would add defaults that say nothing and repeat
// the spellings of lists. It is for cli.FlagStringer.
func FlagLine(f cli.Flag) string {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return strings.Join(f.Names(), ", ")
	}
	value, usage := unquote(doc.GetUsage())
	var names []string
	for _, name := range f.Names() {
		names = append(names, dashed(name))
	}
	left := strings.Join(names, ", ")
	if doc.TakesValue() {
		left += " " + value
	}
	return fmt.Sprintf("%s\t%s", left, usage)
}

// unquote splits a usage text into the placeholder that stands in backquotes
// and the text without the quotes.
func unquote(usage string) (value, text string) {
	parts := strings.SplitN(usage, "`", 3)
	if len(parts) < 3 {
		return "VALUE", usage
	}
	return parts[1], strings.Join(parts, "")
}
