package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// TestSourceIsNone: what is said of a directory that is none.
func TestSourceIsNone(t *testing.T) {
	t.Parallel()
	dir := plant(t, plain)
	for path, want := range map[string]string{
		filepath.Join(dir, "none"):     "/none: there is no such directory",
		filepath.Join(dir, "Makefile"): "/Makefile: is no directory",
	} {
		_, err := Read(context.Background(), path, Options{})
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != dkms.SourceMissing || !strings.HasSuffix(err.Error(), want) || e.Hint == "" {
			t.Errorf("Read(%s) = %v; want %s, and a hint", path, err, want)
		}
	}
}

// TestSyntaxError: it is told of alone, by its line in the source's dkms.conf,
// also where a version would have been filled in.
func TestSyntaxError(t *testing.T) {
	t.Parallel()
	dir := plant(t, "-- dkms.conf --\nPACKAGE_NAME=foo\nPACKAGE_VERSION=\"1\n-- foo.c --\nMODULE_VERSION(\"7.0\");\n")
	got := refused(t, dir, Options{}, dkms.ConfInvalid)
	if !strings.Contains(got, "DIR/dkms.conf:2: syntax error") || strings.Contains(got, "missing") || strings.Contains(got, os.TempDir()) {
		t.Errorf("error = %s; want the syntax error alone", got)
	}
}

// TestFilledInPlace: what is wrong with a dkms.conf whose version was filled in
// is said of the source's, not of the copy that was evaluated.
func TestFilledInPlace(t *testing.T) {
	t.Parallel()
	dir := plant(t, "-- dkms.conf --\nPACKAGE_NAME=foo\nPACKAGE_VERSION=@VERSION@\nBUILT_MODULE_NAME=foo\n-- foo.c --\nMODULE_VERSION(\"7.0\");\n")
	got := refused(t, dir, Options{}, dkms.ConfInvalid)
	if !strings.Contains(got, "DEST_MODULE_LOCATION[0] is missing") || strings.Contains(got, os.TempDir()) {
		t.Errorf("error = %s; want one about DIR/dkms.conf", got)
	}
}

// TestHintsNameThePlace: a file that dkms-mkpkg.yaml names wrongly is missing in
// the source, and wrong in dkms-mkpkg.yaml.
func TestHintsNameThePlace(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"modprobe: [none.conf]", "scripts: {deb: {postinst: none}}"} {
		dir := plant(t, plain+"-- dkms-mkpkg.yaml --\n"+key+"\n")
		_, err := Read(context.Background(), dir, Options{})
		var e *dkms.Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Hint, filepath.Join(dir, "dkms-mkpkg.yaml")+" names it") {
			t.Errorf("%s: error %#v; want a hint that names dkms-mkpkg.yaml", key, err)
		}
	}
}

// TestEmptyName: a name that was given and is empty, as by a variable that is
// not set, is not passed over.
func TestEmptyName(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{"name": "name: is empty", "version": `version "": is empty`} {
		if got := refused(t, plant(t, plain), Options{Overrides: map[string]string{what: ""}}, dkms.Usage); got != want {
			t.Errorf("error = %s; want %s", got, want)
		}
	}
}

func TestCheckConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "",
		"summary: fine\n":            "",
		"modprobe: [none.conf]\n":    "", // whether it is there is not asked
		"\tsummary: x\n":             "dkms-mkpkg.yaml: is not YAML: found character that cannot start any token",
		"summary: x\nrelease: 1-2\n": `dkms-mkpkg.yaml:2: release: "1-2" has to be letters, digits, dots, + and ~, such as 1`,
	} {
		var got []string
		for _, p := range CheckConfig([]byte(text)) {
			got = append(got, p.String())
		}
		if s := strings.Join(got, "\n"); s != want {
			t.Errorf("CheckConfig(%q) = %s; want %s", text, s, want)
		}
	}
}
