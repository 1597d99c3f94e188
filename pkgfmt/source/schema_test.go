package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// validate holds a value against a JSON Schema, as far as ours needs it, and
// returns what is wrong.
func validate(schema map[string]any, v any, at string) []string {
	for word := range schema {
		if !slices.Contains([]string{"$schema", "title", "description", "type", "properties", "additionalProperties", "required", "items", "enum", "pattern", "oneOf", "minimum", "maximum"}, word) {
			return []string{"the schema has " + word + ", which this test does not know"}
		}
	}
	if all, ok := schema["oneOf"].([]any); ok {
		n := 0
		for _, one := range all {
			if len(validate(one.(map[string]any), v, at)) == 0 {
				n++
			}
		}
		if n != 1 {
			return []string{fmt.Sprintf("%s: %d of oneOf", at, n)}
		}
		return nil
	}
	types, _ := schema["type"].([]any)
	if one, ok := schema["type"].(string); ok {
		types = []any{one}
	}
	kind := map[string]string{"string": "string", "float64": "number", "bool": "boolean", "[]interface {}": "array", "map[string]interface {}": "object"}[fmt.Sprintf("%T", v)]
	if !slices.ContainsFunc(types, func(t any) bool { return t == kind || t == "integer" && kind == "number" }) {
		return []string{fmt.Sprintf("%s: is %s, not %v", at, kind, types)}
	}
	var wrong []string
	switch v := v.(type) {
	case string:
		if p, ok := schema["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is not %s", at, v, p))
		}
		if words, ok := schema["enum"].([]any); ok && !slices.Contains(words, any(v)) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is none of %v", at, v, words))
		}
	case float64:
		least, some := schema["minimum"].(float64)
		most, _ := schema["maximum"].(float64)
		if some && (v < least || v > most) {
			wrong = append(wrong, fmt.Sprintf("%s: %v is not from %v to %v", at, v, least, most))
		}
	case []any:
		for i, e := range v {
			wrong = append(wrong, validate(schema["items"].(map[string]any), e, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case map[string]any:
		properties := schema["properties"].(map[string]any)
		for name, e := range v {
			p, ok := properties[name].(map[string]any)
			if !ok {
				wrong = append(wrong, at+": unknown "+name)
				continue
			}
			wrong = append(wrong, validate(p, e, at+"."+name)...)
		}
		must, _ := schema["required"].([]any)
		for _, name := range must {
			if _, ok := v[name.(string)]; !ok {
				wrong = append(wrong, at+": no "+name.(string))
			}
		}
	}
	return wrong
}

func schemaOf(t *testing.T) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a YAML text as a schema sees it.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSchema proves that the schema and the decoder say the same of what is
// right and of most that is wrong.
func TestSchema(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t)
	if wrong := validate(schema, asJSON(t, wholeConfig), "Y"); wrong != nil {
		t.Errorf("the schema refuses what is right: %v", wrong)
	}
	for _, in := range []string{
		"nothing: x", "name: [x]", "name: true", "release: 1-2", "epoch: -1", "epoch: '1'", "homepage: example.org", "maintainer: me", "section: ../x!",
		"depends: kmod", "depends: ['a b']", "depends: ['a >=']", "depends: {dev: [a]}", "depends: {deb: a}", "files: [{path: /x}]", "files: [{source: x}]",
		"files: [{source: x, path: /x, mode: rw}]", "files: [{source: x, path: /x, mode: '4755'}]", "files: [{source: x, path: /x, config: 1}]",
		"files: [{source: x, path: /x, format: arch}]", "firmware: [{path: x}]", "scripts: {deb: {post: x}}", "changelog: [{version: 1}]",
		"kmod: {abi: loose}", "kmod: [x]", "kmod: {key: x}", "modprobe: x", "ignore: x",
	} {
		if validate(schema, asJSON(t, in), "Y") == nil {
			t.Errorf("the schema takes %s", in)
		}
		if _, err := parseConfig("Y", []byte(in)); err == nil {
			t.Errorf("the decoder takes %s", in)
		}
	}
	if string(Schema()) == "" || !strings.HasSuffix(string(Schema()), "}\n") {
		t.Errorf("Schema is\n%s", Schema())
	}
}

// TestSchemaKeys proves that whatever key the schema names is decoded, and
// that all of them are described.
func TestSchemaKeys(t *testing.T) {
	t.Parallel()
	var walk func(schema map[string]any, at string)
	walk = func(schema map[string]any, at string) {
		if all, ok := schema["oneOf"].([]any); ok {
			for _, one := range all {
				walk(one.(map[string]any), at)
			}
		}
		if items, ok := schema["items"].(map[string]any); ok {
			walk(items, at+"[]")
		}
		properties, _ := schema["properties"].(map[string]any)
		if properties != nil && schema["additionalProperties"] != false {
			t.Errorf("%s takes any key", at)
		}
		for name, p := range properties {
			if about, _ := p.(map[string]any)["description"].(string); about == "" {
				t.Errorf("%s.%s has no description", at, name)
			}
			walk(p.(map[string]any), at+"."+name)
		}
	}
	schema := schemaOf(t)
	walk(schema, "Y")
	var whole map[string]any
	if err := yaml.Unmarshal([]byte(wholeConfig), &whole); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(schema["properties"].(map[string]any))), slices.Sorted(maps.Keys(whole))); diff != "" {
		t.Errorf("the test's dkms-mkpkg.yaml has not all keys: -schema +test\n%s", diff)
	}
}

// TestDocs proves that docs/mkpkg-yaml.md tells of every key, of no others, and
// that what it shows is right.
func TestDocs(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/mkpkg-yaml.md")
	if err != nil {
		t.Fatal(err)
	}
	schema := schemaOf(t)
	told := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(raw), -1)
	var keys []string
	for _, m := range told {
		keys = append(keys, m[1])
	}
	slices.Sort(keys)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(schema["properties"].(map[string]any))), keys); diff != "" {
		t.Errorf("keys: -schema +docs\n%s", diff)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(raw), -1)
	shown := map[string]bool{}
	for _, b := range blocks {
		text := "maintainer: A <a@example.org>\n" + b[1]
		if strings.Contains(b[1], "maintainer:") {
			text = b[1]
		}
		if _, err := parseConfig("docs", []byte(text)); err != nil {
			t.Errorf("%v\n%s", err, b[1])
		}
		v := asJSON(t, b[1])
		if wrong := validate(schema, v, "docs"); wrong != nil {
			t.Errorf("%v\n%s", wrong, b[1])
		}
		for k := range v.(map[string]any) {
			shown[k] = true
		}
	}
	for _, k := range keys {
		if !shown[k] {
			t.Errorf("%s is in no example", k)
		}
	}
}
