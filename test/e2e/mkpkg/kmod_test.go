//go:build e2e

package mkpkg

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A forge is a box in which modules are built, by a user who may do nothing.
type forge struct {
	*box.Box
	tb testing.TB
}

// forgeIn puts the program into a box.
func forgeIn(tb testing.TB, b *box.Box) forge {
	tb.Helper()
	b.WriteProgram("/usr/local/bin/dkms-mkpkg", content(tb, program(tb)))
	b.Must("install", "-d", "-o", "65534", "/forge")
	return forge{b, tb}
}

func content(tb testing.TB, path string) string {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// kmod has dkms-mkpkg build an edition's modules and write the packages to out,
// a folder in the box.
func (f forge) kmod(r real, e edition, out string, args ...string) {
	f.tb.Helper()
	source := "/forge/" + r.name + "-" + e.String()
	f.put(r, e, source)
	f.made(out, append(args, source)...)
}

// nobody runs a command as a user who may do nothing.
func nobody(command ...string) []string {
	return append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
		"env", "SOURCE_DATE_EPOCH=1700000000", "HOME=/nonexistent"}, command...)
}

// made has dkms-mkpkg kmod write packages to out.
func (f forge) made(out string, args ...string) {
	f.tb.Helper()
	f.Must(nobody(append([]string{"dkms-mkpkg", "kmod", "-o", "/forge/out"}, args...)...)...)
	f.Must("sh", "-euc", `mkdir -p "$1"; mv /forge/out/* "$1"; rmdir /forge/out`, "sh", out)
}

// put brings the source of an edition, if it is not there.
func (f forge) put(r real, e edition, to string) {
	f.tb.Helper()
	if f.Exists(to) {
		return
	}
	parent := f.tb.TempDir()
	source := filepath.Join(parent, filepath.Base(to))
	r.write(f.tb, e, source)
	config := filepath.Join(source, "dkms-mkpkg.yaml")
	if _, err := os.Stat(config); err != nil { // not every source tells who makes it
		if err := os.WriteFile(config, []byte("maintainer: Ann <ann@example.org>\n"), 0o644); err != nil {
			f.tb.Fatal(err)
		}
	}
	tar, err := exec.Command("tar", "-C", parent, "--owner=65534", "--group=65534", "--transform", "s|^|forge/|", "-c", filepath.Base(to)).Output()
	if err != nil {
		f.tb.Fatal(err)
	}
	f.Unpack(tar)
}

// take returns a folder on this machine with the files of one in the box, of
// whose packages inspect and the formats' tools agree.
func (f forge) take(dir string) string {
	f.tb.Helper()
	packages.Lock()
	defer packages.Unlock()
	if packages.dir == "" {
		var err error
		if packages.dir, err = os.MkdirTemp("", "mkpkg-e2e-"); err != nil {
			f.tb.Fatal(err)
		}
		packages.made = map[string]made{}
	}
	to, err := os.MkdirTemp(packages.dir, "kmod-")
	if err != nil {
		f.tb.Fatal(err)
	}
	f.Must("tar", "-C", dir, "-cf", "/taken.tar", ".")
	cmd := exec.Command("tar", "-C", to, "-x")
	cmd.Stdin = bytes.NewReader(f.Read("/taken.tar"))
	if out, err := cmd.CombinedOutput(); err != nil {
		f.tb.Fatalf("%v: %s", err, out)
	}
	agreeIn(f.tb, to)
	return to
}
