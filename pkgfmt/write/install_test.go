package write

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// dpkgRoot is a root with dpkg's database and nothing else.
func dpkgRoot(t *testing.T) (root string, dpkg func(args ...string) string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("lacks root, which dpkg unpacks as")
	}
	root = t.TempDir()
	for _, name := range []string{"status", "available", "info/format", "updates/.keep"} {
		writeFile(t, filepath.Join(root, "var/lib/dpkg", name), "")
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/info/format"), []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return root, func(args ...string) string {
		return output(t, append([]string{"dpkg", "--root", root, "--log", "/dev/null", "--force-depends"}, args...)...)
	}
}

// TestDebInstalls: into a root of its own, where dpkg -V agrees; a conffile that
// was changed stays when the next version comes; purged, nothing is left.
func TestDebInstalls(t *testing.T) {
	t.Parallel()
	root, dpkg := dpkgRoot(t)
	p := sample(pkgfmt.Deb)
	p.Scripts, p.Triggers, p.Fields = nil, nil, nil // there is no shell there
	dpkg("-i", written(t, p, Options{}))
	if out := dpkg("-V", "foo-dkms"); out != "" {
		t.Errorf("dpkg -V: %s", out)
	}
	if got := strings.Count(dpkg("-L", "foo-dkms"), "foo-1.0-rc1/"); got != 7 {
		t.Errorf("dpkg -L lists %d files of the source; want 7", got)
	}
	conf := filepath.Join(root, "etc/modprobe.d/foo.conf")
	writeFile(t, conf, "options foo a=2\n")
	p.Version.Revision = "3"
	p.Files[3].Data = []byte("obj-m := bar.o\n")
	dpkg("-i", written(t, p, Options{}))
	if got, err := os.ReadFile(conf); err != nil || string(got) != "options foo a=2\n" {
		t.Errorf("the changed conffile: %q, %v", got, err)
	}
	if got, err := os.ReadFile(filepath.Join(root, "usr/src/foo-1.0-rc1/Makefile")); err != nil || string(got) != "obj-m := bar.o\n" {
		t.Errorf("Makefile of the next version: %q, %v", got, err)
	}
	dpkg("--purge", "foo-dkms")
	for _, left := range []string{"usr/src", "etc/modprobe.d", "usr/share/doc/foo-dkms"} {
		if _, err := os.Lstat(filepath.Join(root, left)); err == nil {
			t.Errorf("left behind: %s", left)
		}
	}
}

// TestRPMUpgrades: a configuration file that was changed stays, and files that
// the next version lacks go with their directories.
func TestRPMUpgrades(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("lacks root, which rpm changes its root with")
	}
	root := t.TempDir()
	rpm := func(args ...string) {
		output(t, append([]string{"rpm", "--root", root, "--dbpath", "/db"}, args...)...)
	}
	p := sample(pkgfmt.RPM)
	p.Scripts, p.FileTriggers, p.Relations = nil, nil, pkgfmt.Relations{}
	rpm("--initdb")
	rpm("-U", written(t, p, Options{}))
	conf := filepath.Join(root, "etc/modprobe.d/foo.conf")
	writeFile(t, conf, "options foo a=2\n")
	p.Version.Revision = "3"
	p.Files[0].Data = []byte("options foo a=3\n")
	for i, f := range p.Files {
		p.Files[i].Path = strings.Replace(f.Path, "foo-1.0-rc1", "foo-1.1", 1)
	}
	rpm("-U", written(t, p, Options{}))
	if got, err := os.ReadFile(conf); err != nil || string(got) != "options foo a=2\n" {
		t.Errorf("the changed configuration: %q, %v", got, err)
	}
	if got, err := os.ReadFile(conf + ".rpmnew"); err != nil || string(got) != "options foo a=3\n" {
		t.Errorf("the new configuration beside it: %q, %v", got, err)
	}
	if _, err := os.Lstat(filepath.Join(root, "usr/src/foo-1.0-rc1")); err == nil {
		t.Error("the old version's directory is left")
	}
	rpm("-e", "foo-dkms")
	if left, _ := filepath.Glob(filepath.Join(root, "usr/src/*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
