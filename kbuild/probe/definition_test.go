package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// definitions are what Linux has had.
var definitions = map[string]string{
	"2.6.30": `try-run = $(shell set -e;		\
	TMP="$(TMPOUT).$$$$.tmp";	\
	if ($(1)) >/dev/null 2>&1;	\
	then echo "$(2)";		\
	else echo "$(3)";		\
	fi)
`,
	"3.10": `try-run = $(shell set -e;		\
	TMP="$(TMPOUT).$$$$.tmp";	\
	TMPO="$(TMPOUT).$$$$.o";	\
	if ($(1)) >/dev/null 2>&1;	\
	then echo "$(2)";		\
	else echo "$(3)";		\
	fi;				\
	rm -f "$$TMP" "$$TMPO")
`,
	"5.10": `try-run = $(shell set -e;		\
	TMP=$(TMPOUT)/tmp;		\
	TMPO=$(TMPOUT)/tmp.o;		\
	mkdir -p $(TMPOUT);		\
	trap "rm -rf $(TMPOUT)" EXIT;	\
	if ($(1)) >/dev/null 2>&1;	\
	then echo "$(2)";		\
	else echo "$(3)";		\
	fi)
`,
	"6.1": `try-run = $(shell set -e;		\
	TMP=$(TMPOUT)/tmp;		\
	trap "rm -rf $(TMPOUT)" EXIT;	\
	mkdir -p $(TMPOUT);		\
	if ($(1)) >/dev/null 2>&1;	\
	then echo "$(2)";		\
	else echo "$(3)";		\
	fi)
`,
}

func TestDefinition(t *testing.T) {
	t.Parallel()
	for release, text := range definitions {
		for _, name := range []string{"scripts/Makefile.compiler", "scripts/Kbuild.include"} {
			dir := t.TempDir()
			write(t, filepath.Join(dir, name), "# try-run\nTMPOUT = .tmp_$$$$\n"+text+"\nas-option = $(call try-run,$(CC))\n")
			got, err := definition(dir)
			if err != nil || strings.Contains(got, "\\") || !strings.HasSuffix(got, ")") {
				t.Errorf("definition of %s in %s = %q, %v", release, name, got, err)
			}
		}
	}
}

// TestDefinitionElsewhere proves that the makefiles are found where a header
// directory's only line includes them from.
func TestDefinitionElsewhere(t *testing.T) {
	t.Parallel()
	dir, common := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "Makefile"), "# automatically generated\ninclude "+common+"/Makefile\n")
	write(t, filepath.Join(common, "scripts/Makefile.compiler"), definitions["6.1"])
	if got, err := definition(dir); err != nil || got == "" {
		t.Errorf("definition = %q, %v", got, err)
	}
}

func TestDefinitionUnknown(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"none":        "as-option = $(call try-run,$(CC))\n",
		"other":       "try-run = $(shell $(1) && echo $(2))\n",
		"does more":   strings.Replace(definitions["6.1"], "mkdir", "touch /x; mkdir", 1),
		"other words": strings.Replace(definitions["6.1"], `"$(2)"`, `"$(2)x"`, 1),
		"immediate":   strings.Replace(definitions["6.1"], "try-run =", "try-run :=", 1),
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "scripts/Kbuild.include"), text)
		if got, err := definition(dir); err == nil {
			t.Errorf("%s: definition = %q; want an error", name, got)
		}
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
