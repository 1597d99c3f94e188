package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A listener hears what a test is told, in the place of a testing.T.
type listener struct {
	testing.TB
	said string
}

func (*listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) { l.said += fmt.Sprintf(format, args...) }

func (l *listener) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	runtime.Goexit()
}

func (l *listener) Fatal(args ...any) { l.Fatalf("%s", fmt.Sprint(args...)) }

// said is what a test is told that compares; nothing if it passes.
func said(compares func(tb testing.TB)) string {
	l, done := &listener{}, make(chan struct{})
	go func() {
		defer close(done)
		compares(l)
	}()
	<-done
	return l.said
}

// TestGolden: a difference fails the test, and -update mends the file.
func TestGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "golden")
	*update = false
	for _, tt := range []struct {
		name     string
		compares func(tb testing.TB)
		was      string
		problem  string
		is       string
	}{
		{"file", func(tb testing.TB) { File(tb, path, "new\n") }, "old\n", path + " (-want +got", "new\n"},
		{"section", func(tb testing.TB) { Section(tb, path, "want", "new\n") },
			"about\n-- a --\n1\n-- want --\n-- b --\n2\n", path + ": want (-want +got", "about\n-- a --\n1\n-- want --\nnew\n-- b --\n2\n"},
	} {
		if err := os.WriteFile(path, []byte(tt.was), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := said(tt.compares); !strings.HasPrefix(got, tt.problem) {
			t.Errorf("%s: a difference: %q; want %q", tt.name, got, tt.problem)
		}
		*update = true
		got := said(tt.compares)
		*update = false
		if text, err := os.ReadFile(path); got != "" || string(text) != tt.is {
			t.Errorf("%s: -update: %q, %v, wrote %q; want %q", tt.name, got, err, text, tt.is)
		}
		if got := said(tt.compares); got != "" {
			t.Errorf("%s: no difference: %q", tt.name, got)
		}
	}
	*update = true
	if got := said(func(tb testing.TB) { Section(tb, path, "want", "no end of line") }); got == "" {
		t.Error("Section: -update passes with what an archive cannot hold")
	}
	*update = false
	if got, want := said(func(tb testing.TB) { Section(tb, path, "gone", "") }), path+": has no section gone: add an empty one for -update to write"; got != want {
		t.Errorf("Section: %q; want %q", got, want)
	}
	if got := said(func(tb testing.TB) { File(tb, path+"/none", "") }); got == "" {
		t.Error("File passes without a file")
	}
}
