package source

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWithoutComments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"a /* b */ c", "a   c"},
		{"a // b\nc", "a \nc"},
		{`"/* no */" /* yes */`, `"/* no */"  `},
		{`'"' /* x */ "y"`, `'"'   "y"`},
		{`"a\"/*" b`, `"a\"/*" b`},
		{"a /* never closed", "a  "},
		{"\"never closed\n/* x */", "\"never closed\n "},
		{"a / b", "a / b"},
		{"", ""},
	} {
		if got := withoutComments(tt.in); got != tt.want {
			t.Errorf("withoutComments(%q) = %q; want %q", tt.in, got, tt.want)
		}
	}
}

func TestFileMacros(t *testing.T) {
	t.Parallel()
	headers := map[string]string{"OTHER_VERSION": `"9.9"`, "TO_TEXT()": "#x"}
	for _, tt := range []struct {
		name, in string
		want     FileMacros
	}{
		{"all", `// SPDX-License-Identifier: GPL-2.0+
MODULE_VERSION("1.2");
MODULE_AUTHOR("A <a@example.org>");
MODULE_AUTHOR ( "B" );
MODULE_DESCRIPTION("What it "
	"is");
MODULE_LICENSE("GPL v2");
`, FileMacros{Version: "1.2", Authors: []string{"A <a@example.org>", "B"}, Description: "What it is", License: "GPL v2", SPDX: "GPL-2.0-or-later"}},
		{"by a macro", "#define DRV_VERSION \"1.2\"\nMODULE_VERSION(DRV_VERSION);", FileMacros{Version: "1.2"}},
		{"by macros", "#define A \"1\"\n#define V A \".2\" /* x */\nMODULE_VERSION(\"v\" V);", FileMacros{Version: "v1.2"}},
		{"by a header", "MODULE_VERSION(OTHER_VERSION);", FileMacros{Version: "9.9"}},
		{"by stringification", "#define MAJOR 0\n#define MINOR 12\n#define S(s) #s\n#define S2(s) S(s)\nMODULE_VERSION(\"\" S2(MAJOR) \".\" S2(MINOR));", FileMacros{Version: "0.12"}},
		{"by __stringify", "#define V 1.2\nMODULE_VERSION(__stringify(V));", FileMacros{Version: "1.2"}},
		{"by a header's stringification", "MODULE_VERSION(TO_TEXT(7));", FileMacros{Version: "7"}},
		{"continued", "#define V \\\n  \"1.2\"\nMODULE_VERSION(V);", FileMacros{Version: "1.2"}},
		{"defined twice", "#define V \"1\"\n#define V \"2\"\nMODULE_VERSION(V);MODULE_LICENSE(\"GPL\")", FileMacros{License: "GPL"}},
		{"unknown", "MODULE_VERSION(NOBODY_KNOWS);MODULE_LICENSE(\"GPL\")", FileMacros{License: "GPL"}},
		{"a function", "MODULE_VERSION(f(\"x\"));MODULE_LICENSE(\"GPL\")", FileMacros{License: "GPL"}},
		{"in a comment", "/* MODULE_VERSION(\"1\") */ MODULE_LICENSE(\"GPL\")", FileMacros{License: "GPL"}},
		{"another macro", "MY_MODULE_VERSION(\"1\") MODULE_VERSION_STRING(\"2\") MODULE_LICENSE(\"GPL\")", FileMacros{License: "GPL"}},
		{"a number", "MODULE_VERSION(1)", FileMacros{}},
		{"escapes", `MODULE_DESCRIPTION("a\tb \"c\" \x1b[31m\xe9")`, FileMacros{Description: `a b "c" [31m`}},
		{"to no end", "#define A B B B B B B B B B\n#define B A A A A A A A A A\nMODULE_VERSION(A)", FileMacros{}},
		{"to no end by call", "#define S(x) S(x)\nMODULE_VERSION(S(1))", FileMacros{}},
		{"to no end in a call", "#define A B B B B B B B B B\n#define B A A A A A A A A A\nMODULE_LICENSE(\"GPL\")MODULE_VERSION(__stringify(A))", FileMacros{License: "GPL"}},
		{"never closed", "MODULE_VERSION(\"1\"", FileMacros{}},
		{"or later", "/* either version 2 of the License, or (at your option) any\n * later version. */", FileMacros{OrLater: true}},
		{"no expression", "/* SPDX-License-Identifier: none at all! */", FileMacros{}},
		{"in C's own comment", "/* SPDX-License-Identifier: GPL-2.0 OR MIT */", FileMacros{SPDX: "GPL-2.0-only OR MIT"}},
	} {
		at := time.Now()
		got := fileMacros(tt.in, func(name string) string { return headers[name] })
		if strings.HasPrefix(tt.name, "to no end") {
			got.Version = ""
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
		if d := time.Since(at); d > 5*time.Second {
			t.Errorf("%s took %s", tt.name, d)
		}
	}
}

func FuzzFileMacros(f *testing.F) {
	for _, seed := range []string{`MODULE_VERSION("1" S(X));`, "#define X X\nMODULE_VERSION(X)", "MODULE_AUTHOR(\"\\", "/*", "MODULE_VERSION(((((", "// SPDX-License-Identifier: ((GPL"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fileMacros("MODULE_"+text, func(string) string { return "X X" })
	})
}
