package source

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A value is what a key of dkms-mkpkg.yaml may have: it decodes a node to where
// it belongs, and tells the JSON Schema of what it takes. So the two cannot
// say different things.
type value interface {
	decode(d *decoder, n *yaml.Node)
	schema() map[string]any
}

// A decoder collects what is wrong with a dkms-mkpkg.yaml.
type decoder struct {
	problems
	file string
}

func (d *decoder) wrong(n *yaml.Node, format string, args ...any) {
	d.add(d.file, n.Line, format, args...)
}

// scalar returns a text or a number as it is written; so 1.10 stays 1.10.
func (d *decoder) scalar(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || !slices.Contains([]string{"!!str", "!!int", "!!float", "!!timestamp"}, n.ShortTag()) {
		d.wrong(n, "has to be %s, and is %s", what, nodeName(n))
		return "", false
	}
	if !utf8.ValidString(n.Value) || len(n.Value) > maxText {
		d.wrong(n, "is no UTF-8, or longer than %d KiB", maxText>>10)
		return "", false
	}
	return n.Value, true
}

// maxText is how long a text may be, in bytes.
const maxText = 64 << 10

// nodeName says what a node is.
func nodeName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "text"
	}
	return n.ShortTag()
}

// A line is text on one line. If there is a check, it says what is wrong with it.
type line struct {
	to      *string
	check   func(string) string
	pattern string // of the schema, too
	form    string // what the pattern is, in words
}

func (v line) decode(d *decoder, n *yaml.Node) {
	s, ok := d.scalar(n, "text")
	if !ok {
		return
	}
	s = strings.TrimSpace(s)
	problem := ""
	switch {
	case s == "":
		problem = "is empty"
	case strings.ContainsFunc(s, unicode.IsControl):
		problem = "has to be on one line, without control characters"
	case v.pattern != "" && !regexp.MustCompile(v.pattern).MatchString(s):
		problem = "has to be " + v.form
	}
	if problem == "" && v.check != nil {
		problem = v.check(s)
	}
	if problem != "" {
		d.wrong(n, "%q %s", shortened(s), problem)
		return
	}
	*v.to = s
}

func (v line) schema() map[string]any {
	s := map[string]any{"type": []string{"string", "number"}}
	if v.pattern != "" {
		s["pattern"] = v.pattern // which is asked of texts only
	}
	return s
}

// shortened is a text as it may be shown.
func shortened(s string) string {
	if len(s) > 2*maxName {
		s = strings.ToValidUTF8(s[:2*maxName], "") + "…"
	}
	return s
}

// A text may have many lines.
type text struct{ to *string }

func (v text) decode(d *decoder, n *yaml.Node) {
	s, ok := d.scalar(n, "text")
	if ok && strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		d.wrong(n, "has a control character in it")
		return
	}
	*v.to = strings.TrimSpace(s)
}

func (text) schema() map[string]any { return map[string]any{"type": "string"} }

// A number is whole, and at least 0.
type number struct {
	to   *int
	most int
}

func (v number) decode(d *decoder, n *yaml.Node) {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil || i < 0 || i > v.most {
		d.wrong(n, "has to be a number from 0 to %d", v.most)
		return
	}
	*v.to = i
}

func (v number) schema() map[string]any {
	return map[string]any{"type": "integer", "minimum": 0, "maximum": v.most}
}

// A yesNo is true or false.
type yesNo struct{ to *bool }

func (v yesNo) decode(d *decoder, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(v.to) != nil {
		d.wrong(n, "has to be true or false, and is %s", nodeName(n))
	}
}

func (yesNo) schema() map[string]any { return map[string]any{"type": "boolean"} }

// A choice is one of some words.
type choice struct {
	to    *string
	words []string
}

func (v choice) decode(d *decoder, n *yaml.Node) {
	s, ok := d.scalar(n, "one of "+strings.Join(v.words, ", "))
	if ok && !slices.Contains(v.words, s) {
		d.wrong(n, "%q is none of %s", shortened(s), strings.Join(v.words, ", "))
		return
	}
	*v.to = s
}

func (v choice) schema() map[string]any {
	return map[string]any{"type": "string", "enum": v.words}
}

// maxList is how many elements a list may have.
const maxList = 10_000

// A list has elements of one kind; element makes room for one, which stands on
// that line.
type list struct {
	element func(line int) value
}

func (v list) decode(d *decoder, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, "has to be a list, and is %s", nodeName(n))
		return
	}
	if len(n.Content) > maxList {
		d.wrong(n, "has more than %d elements", maxList)
		return
	}
	for _, c := range n.Content {
		v.element(c.Line).decode(d, c)
	}
}

func (v list) schema() map[string]any {
	return map[string]any{"type": "array", "items": v.element(0).schema()}
}

// lines is a list of lines.
func lines(to *[]string, check func(string) string) list {
	return list{func(int) value {
		*to = append(*to, "")
		return line{to: &(*to)[len(*to)-1], check: check}
	}}
}

// A key of a mapping.
type key struct {
	name  string
	about string // a sentence, for the schema
	value value
	must  bool
}

// A mapping has known keys.
type mapping struct{ keys []key }

func (v mapping) decode(d *decoder, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "has to be a mapping, and is %s", nodeName(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, node := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(v.keys, func(k key) bool { return k.name == name.Value })
		switch {
		case name.Kind != yaml.ScalarNode || at < 0:
			d.wrong(name, "unknown key %q%s", shortened(name.Value), v.nearest(name.Value))
		case seen[name.Value]:
			d.wrong(name, "%s is there twice", name.Value)
		case node.Kind == yaml.AliasNode:
			d.wrong(node, "%s: aliases are not taken", name.Value)
		default:
			before := len(d.list)
			v.keys[at].value.decode(d, node)
			for j := before; j < len(d.list); j++ {
				d.list[j].Text = name.Value + ": " + d.list[j].Text
			}
		}
		seen[name.Value] = true
	}
	for _, k := range v.keys {
		if k.must && !seen[k.name] {
			d.wrong(n, "%s is missing", k.name)
		}
	}
}

// nearest asks whether a known key was meant.
func (v mapping) nearest(name string) string {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	best, least := "", 3
	for _, k := range v.keys {
		if n := distance(plain(name), plain(k.name)); n < least && n < len(k.name)/2+1 {
			best, least = k.name, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %s meant?", best)
}

// distance is how many letters differ (Levenshtein); long words differ a lot.
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (v mapping) schema() map[string]any {
	properties, must := map[string]any{}, []string{}
	for _, k := range v.keys {
		s := k.value.schema()
		s["description"] = k.about
		properties[k.name] = s
		if k.must {
			must = append(must, k.name)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(must) > 0 {
		s["required"] = must
	}
	return s
}

// An either is one value for a mapping and another one for anything else.
type either struct {
	fields mapping
	other  value
}

func (v either) decode(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		v.fields.decode(d, n)
		return
	}
	v.other.decode(d, n)
}

func (v either) schema() map[string]any {
	return map[string]any{"oneOf": []any{v.other.schema(), v.fields.schema()}}
}
