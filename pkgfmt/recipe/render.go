package recipe

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/templates"
)

var functions = template.FuncMap{
	"comment": comment, "join": strings.Join, "negative": negative, "place": place,
	"word":       func(s string) string { return literal(shellWord(s)) },
	"modulePath": func(m kbuild.Module) string { return literal(shellWord(path.Join(m.BuiltDir, m.Built+".ko"))) },
}

// render fills a text of templates/recipe.
func render(name string, data any) ([]byte, error) {
	text, err := templates.Recipes.ReadFile("recipe/" + name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Funcs(functions).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// negative reports whether one of the options must not be set.
func negative(options []string) bool {
	return slices.ContainsFunc(options, func(s string) bool { return strings.HasPrefix(s, "!") })
}

// comment is a text as lines of comment, wrapped.
func comment(texts ...string) string {
	var b strings.Builder
	for _, line := range wrap(strings.Join(texts, ""), 82) {
		b.WriteString("# " + line + "\n")
	}
	return b.String()
}

// columns is how wide descriptions are, as package write has them.
const columns = 79

// wrap breaks a text at blanks into lines of at most width characters, longer
// words excepted. Characters that end a line elsewhere are blanks, too.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(strings.Map(printable, text)) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// printable keeps what stands in the source from being read as more than text.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 {
		return ' '
	}
	return r
}
