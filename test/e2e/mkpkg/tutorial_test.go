//go:build e2e

package mkpkg

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/tutorial"
)

var typed struct {
	once     sync.Once
	packages map[string]string // what a user who types the tutorial has made
}

// tutorialPackages types what a user does in the tutorial, once, and returns the
// packages that come of it: names to contents.
func tutorialPackages(tb testing.TB) map[string]string {
	tb.Helper()
	typed.once.Do(func() {
		headers, _ := filepath.Glob("/lib/modules/*/build/include/config/auto.conf")
		if len(headers) == 0 {
			box.Lacks(tb, "the headers of a kernel")
		}
		home := tutorial.TypeUser(tb, tutorial.Read(tb, box.Project()), "KERNEL="+strings.Split(headers[0], "/")[3],
			"PATH="+filepath.Dir(program(tb))+string(filepath.ListSeparator)+os.Getenv("PATH"))
		dir := filepath.Join(home, "packages")
		agreeIn(tb, dir)
		made := map[string]string{}
		for _, pattern := range []string{"*.deb", "*.rpm"} {
			files, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, path := range files {
				made[filepath.Base(path)] = content(tb, path)
			}
		}
		typed.packages = made
	})
	if typed.packages == nil {
		tb.Fatal("there are no packages: the test that was to make them has failed")
	}
	return typed.packages
}

// rootTypes types what root does in the tutorial on a machine where a package
// manager is of that name, and answers it with yes.
func rootTypes(tb testing.TB, b *box.Box, manager string) {
	tb.Helper()
	for name, text := range tutorialPackages(tb) {
		b.Write("/root/packages/"+name, text)
	}
	n := 0
	for _, c := range tutorial.Read(tb, box.Project()) {
		if !c.Root || managerOf(tb, c) != manager {
			continue
		}
		for _, command := range c.Commands {
			r := b.Must("bash", "-c", "cd /root/packages && yes | ("+command.Text+")")
			command.Printed(tb, r.Stdout+r.Stderr)
			n++
		}
	}
	if n == 0 {
		tb.Fatalf("the tutorial says nothing of %s", manager)
	}
}

// managerOf is the package manager that root's commands begin with. A console
// of another would be typed by no test.
func managerOf(tb testing.TB, c tutorial.Console) string {
	tb.Helper()
	manager, _, _ := strings.Cut(c.Commands[0].Text, " ")
	if manager != "apt-get" && manager != "dnf" {
		tb.Fatalf("no test types %+v: root begins with apt-get or dnf", c)
	}
	return manager
}

// TestTutorialDebian types what root does on Debian in the tutorial.
func TestTutorialDebian(t *testing.T) {
	t.Parallel()
	m := newMachine(t, aptbox.Ours, nil)
	rootTypes(t, m.Box, "apt-get")
	m.Settled()
	if got := m.Field(m.Old, "hello", "version"); got != "1.0" {
		t.Errorf("the module that was installed is of version %q", got)
	}
}

// TestTutorialFedora types what root does on Fedora.
func TestTutorialFedora(t *testing.T) {
	t.Parallel()
	h := newHost(t, "dkms-hook", nil)
	rootTypes(t, h.Box, "dnf")
	for _, k := range h.kernels {
		if got := strings.TrimSpace(h.Must("modinfo", "-k", k.Uname(), "-F", "version", "hello").Stdout); got != "1.0" {
			t.Errorf("the module that was installed for %s is of version %q", k.Uname(), got)
		}
	}
}
