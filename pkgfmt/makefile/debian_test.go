//go:build e2e

package makefile_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt/makefile"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// TestDebian reads the trees of Debian's own packages: every module that their
// dkms.conf promises must be listed, or stand among the names of what is unclear.
func TestDebian(t *testing.T) {
	for _, deb := range pkgtest.DebianSources(t) {
		t.Run(strings.Split(filepath.Base(deb), "_")[0], func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command("dpkg-deb", "-x", deb, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			confs, _ := filepath.Glob(filepath.Join(dir, "usr/src/*/dkms.conf"))
			if len(confs) != 1 {
				t.Fatalf("%d dkms.conf; want 1", len(confs))
			}
			judge(t, confs[0])
		})
	}
}

func judge(t *testing.T, file string) {
	config := filepath.Join(t.TempDir(), ".config")
	if err := os.WriteFile(config, []byte("CONFIG_64BIT=y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := conf.Load(context.Background(), conf.Request{File: file, Trees: conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"}, Programs: []string{}},
		kbuild.Kernel{KernelID: dkms.KernelID{Release: "6.1.0-50-amd64", Arch: "x86_64"}, Source: filepath.Dir(config), ConfigFile: config})
	if c == nil {
		t.Fatal(err)
	}
	tree, err := makefile.Read(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	var listed, perhaps []string
	for _, m := range tree.Modules {
		listed = append(listed, m.Name)
	}
	for _, u := range tree.Unclear {
		perhaps = append(perhaps, u.Perhaps...)
	}
	agreed := 0
	for _, m := range c.Modules {
		switch {
		case slices.Contains(listed, m.Built):
			agreed++
		case slices.Contains(perhaps, m.Built):
			t.Logf("%s: unclear", m.Built)
		default:
			t.Errorf("%s is in %s, but no Makefile builds it: %v", m.Built, file, listed)
		}
	}
	t.Logf("%d of %d modules agree; %d listed, %d places unclear", agreed, len(c.Modules), len(listed), len(tree.Unclear))
}
