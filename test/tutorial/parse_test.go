package tutorial

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const text = "# Title\n\n```console\n$ cd x\n$ cat > y <<'END'\n# no root\n$ no command\nEND\nsaid\n\nmore\n```\nText\n```console\n# reboot\n```\n"
	want := []Console{
		{false, []Command{{Text: "cd x"}, {"cat > y <<'END'\n# no root\n$ no command\nEND", []string{"said", "", "more"}}}},
		{true, []Command{{Text: "reboot"}}},
	}
	got, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parse: -want +got\n%s", diff)
	}
}

// TestParseRefuses: no line of a tutorial goes untyped.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"```sh\nrm\n```\n":                           "1: a block that is no console's",
		"```\n$ rm\n```\n":                           "1: a block that is no console's",
		"  ```console\n$ rm\n```\n":                  "1: a block that is no console's",
		"text\n$ rm\n":                               "2: a command outside",
		"text\n\n    rm\n":                           "3: a command outside",
		"```console\nrm\n```\n":                      "2: a block begins with",
		"```console\n```\n":                          "2: a block without commands",
		"```console\n$ rm\n# rm\n```\n":              "3: a block that two people type",
		"```console\n# rm\n$ rm\n```\n":              "3: a block that two people type",
		"```console\n$ rm\n":                         "a block does not end",
		"```console\n$ cat > x <<'END'\nx\n```\n":    "a block does not end",
		"```console\n$ cat > x <<EOF\nx\nEOF\n```\n": "2: a here-document that is not",
	} {
		if got, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, %v; want an error with %q", text, got, err, want)
		}
	}
}
