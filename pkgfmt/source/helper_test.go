package source

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// plain is the least that a source has.
const plain = `
-- dkms.conf --
PACKAGE_NAME="foo"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME="foo"
DEST_MODULE_LOCATION="/extra"
AUTOINSTALL="yes"
-- Makefile --
obj-m := foo.o
-- foo.c --
#include <linux/module.h>
`

// plant makes a directory of a txtar archive. Names that end in .sh are programs.
func plant(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	plantIn(t, dir, archive)
	return dir
}

func plantIn(t testing.TB, dir, archive string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(f.Name, ".sh") {
			mode = 0o755
		}
		write(t, filepath.Join(dir, f.Name), string(f.Data), mode)
	}
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// read reads a source that is as it should be.
func read(t testing.TB, dir string, o Options) *Description {
	t.Helper()
	d, err := Read(context.Background(), dir, o)
	if err != nil {
		t.Fatalf("Read(%s): %v", dir, err)
	}
	return d
}

// refused reads a source that is not, and returns what is said of it.
func refused(t testing.TB, dir string, o Options, kind dkms.Kind) string {
	t.Helper()
	d, err := Read(context.Background(), dir, o)
	var e *dkms.Error
	if d != nil || !errors.As(err, &e) || e.Kind != kind || e.Object == "" || e.Problem == "" {
		t.Fatalf("Read(%s) = %v, %#v; want an error of kind %d", dir, d, err, kind)
	}
	return strings.ReplaceAll(err.Error(), dir, "DIR")
}

// paths are those of files, in their order.
func paths(files []pkgfmt.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

// run runs a program in a directory, with nothing of this machine's settings.
func run(t testing.TB, dir string, words ...string) string {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=2024-05-01T12:00:00Z", "GIT_COMMITTER_DATE=2024-05-01T12:00:00Z")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %v\n%s", words, err, exit.Stderr)
		}
		t.Fatalf("%v: %v", words, err)
	}
	return string(out)
}
