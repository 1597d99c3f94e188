package golden

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the golden files should be")

// File compares got with what is in a file.
func File(tb testing.TB, path, got string) {
	tb.Helper()
	if *update {
		write(tb, path, []byte(got))
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	compare(tb, path, want, got)
}

// Section compares got with the section called name of a txtar archive, which
// has to have it, be it empty.
func Section(tb testing.TB, path, name, got string) {
	tb.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		tb.Fatalf("%s: has no section %s: add an empty one for -update to write", path, name)
	}
	if *update {
		a.Files[i].Data = []byte(got)
		text := txtar.Format(a)
		write(tb, path, text)
		a = txtar.Parse(text) // which may not have all that got has
	}
	compare(tb, path+": "+name, a.Files[i].Data, got)
}

func write(tb testing.TB, path string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		tb.Fatal(err)
	}
}

func compare(tb testing.TB, what string, want []byte, got string) {
	tb.Helper()
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s (-want +got; -update writes it):\n%s", what, diff)
	}
}
