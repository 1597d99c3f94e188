package read

import (
	"context"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/golden"
)

const page = "../../docs/inspect-json.md"

// TestInspectJSONIsDocumented proves that the page's table has the fields of
// Report, all and no others, and that its example is what Inspect writes.
func TestInspectJSONIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	jsonFields(reflect.TypeFor[Report](), "", &fields)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*`\\*?) \\|").FindAllStringSubmatch(string(text), -1) {
		prefix := ""
		for name := range strings.SplitSeq(row[1], ", ") {
			name = strings.Trim(name, "`*")
			if rest, ok := strings.CutPrefix(name, "."); ok { // `files[].path`, `.mode`
				name = prefix + rest
			}
			prefix = name[:strings.LastIndexByte(name, '.')+1]
			documented = append(documented, name)
		}
	}
	slices.Sort(fields)
	slices.Sort(documented)
	if diff := cmp.Diff(fields, documented); diff != "" {
		t.Errorf("%s: fields (-program +page):\n%s", page, diff)
	}
	block := regexp.MustCompile("(?s)```json\n.*?```")
	if n := len(block.FindAll(text, -1)); n != 1 {
		t.Fatalf("%s: has %d examples; want 1", page, n)
	}
	golden.File(t, page, string(block.ReplaceAllLiteral(text, []byte("```json\n"+exampleJSON(t)+"```"))))
}

// jsonFields lists the paths of a type's fields in JSON, as `files[].path`.
func jsonFields(t reflect.Type, prefix string, out *[]string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			jsonFields(t.Elem(), prefix+"[]", out)
			return
		}
	case reflect.Struct:
		if prefix != "" {
			prefix += "."
		}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			jsonFields(t.Field(i).Type, prefix+name, out)
		}
		return
	}
	*out = append(*out, prefix)
}

// exampleJSON is the report of a small package.
func exampleJSON(t testing.TB) string {
	t.Helper()
	data := debOf(
		tarBytes(t, entry("./control", sampleControl), entry("./postinst", "#!/bin/sh\nset -e\n"), entry("./triggers", "interest-noawait /usr/src\n")),
		tarBytes(t, entry("./lib/modules/6.1.0-1-amd64/updates/sample.ko", string(module(t))), entry("./usr/src/sample-2.0/dkms.conf",
			"PACKAGE_NAME=sample\nPACKAGE_VERSION=2.0\nBUILT_MODULE_NAME=sample\nDEST_MODULE_LOCATION=/updates\nAUTOINSTALL=yes\nPRE_BUILD=configure\n"),
			entry("./usr/share/doc/sample-dkms/changelog.Debian", sampleLog)))
	r, err := Options{Kernels: sampleKernels()[:1]}.Inspect(context.Background(), file(t, "sample.deb", data))
	if err != nil {
		t.Fatal(err)
	}
	r.File = "sample-dkms_2.0~rc1-3_all.deb"
	for i, f := range r.Files {
		if strings.HasSuffix(f.Path, ".ko") {
			r.Files[i].Size = 4096 // that of one compiler's code
		}
	}
	var out strings.Builder
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestMarks proves that the words for flags and remarks are on the page.
func TestMarks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	words := File{Config: true, NoReplace: true, MissingOK: true, Doc: true, Licence: true, Readme: true, Ghost: true, Artifact: true}.flags()
	for _, r := range rpmRemarks {
		words = append(words, r.word)
	}
	for _, s := range rpmScriptTags {
		words = append(words, s.name)
	}
	words = append(append(words, debScripts...), debRelations...)
	for _, k := range rpmKinds {
		words = append(words, k.kind)
	}
	words = slices.AppendSeq(words, maps.Values(suffixes))
	for _, w := range words {
		if !strings.Contains(string(text), "`"+w+"`") {
			t.Errorf("%s: the word `%s` is missing", page, w)
		}
	}
}
