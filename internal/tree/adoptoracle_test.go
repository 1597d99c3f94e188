//go:build e2e

package tree

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// builtByDKMS has dkms install pa/1.0, really compiled, for a kernel of this
// machine that has a module alpha of its own. It returns the ref and the
// kernel's directory as it was before.
func builtByDKMS(t *testing.T, b *box.Box) (r dkms.Ref, before map[string]string) {
	t.Helper()
	r = ref("pa", "1.0")
	b.Do(func() {
		builds, _ := filepath.Glob("/lib/modules/*/build/Makefile")
		if len(builds) == 0 {
			t.Error("no kernel headers")
			return
		}
		r.Release = filepath.Base(filepath.Dir(filepath.Dir(builds[0])))
		dir := realTree.KernelDir(r.Release)
		write(t, dir+"/kernel/drivers/misc/alpha.ko", "original")
		write(t, dir+"/modules.order", "")
		write(t, dir+"/modules.builtin", "")
		write(t, "/usr/src/pa-1.0/Makefile", "obj-m := alpha.o beta.o\n")
		for _, name := range []string{"alpha", "beta"} {
			write(t, "/usr/src/pa-1.0/"+name+".c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n")
		}
		write(t, "/usr/src/pa-1.0/dkms.conf", `PACKAGE_NAME=pa
PACKAGE_VERSION=1.0
MAKE="make -C $kernel_source_dir M=$dkms_tree/pa/1.0/build"
CLEAN=true
BUILT_MODULE_NAME[0]=alpha
DEST_MODULE_LOCATION[0]=/kernel/drivers/misc
BUILT_MODULE_NAME[1]=beta
DEST_MODULE_NAME[1]=renamed
DEST_MODULE_LOCATION[1]=/extra
`)
		before = withoutDepmod(treetest.Snapshot(t, dir))
	})
	b.Must("dkms", "install", "pa/1.0", "-k", r.Release)
	return r, before
}

// withoutDepmod leaves out what depmod writes.
func withoutDepmod(s map[string]string) map[string]string {
	kept := map[string]string{}
	for path, what := range s {
		if !strings.HasPrefix(filepath.Base(path), "modules.") {
			kept[path] = what
		}
	}
	return kept
}

// TestOracleAdopt adopts what both versions of dkms built and installed; the
// older one leaves the kernel's alpha in place. Neither program's status
// changes, and we remove it all without any dkms.conf.
func TestOracleAdopt(t *testing.T) {
	for _, tt := range []struct {
		version   string
		knows     bool
		installed []string
	}{
		{"3.0.10", true, []string{"+updates/dkms/renamed.ko"}},
		{"3.0.10", false, []string{"+updates/dkms/renamed.ko"}},
		{"3.2.2", true, []string{"+updates/dkms/alpha.ko", "+updates/dkms/renamed.ko"}},
		{"3.2.2", false, []string{"+updates/dkms/alpha.ko", "+updates/dkms/renamed.ko"}},
	} {
		t.Run(tt.version, func(t *testing.T) {
			b := newStock(t, tt.version)
			r, before := builtByDKMS(t, b)
			status := stockStatus(b)
			b.Do(func() {
				var known []Placement
				for _, file := range []string{"alpha.ko", "renamed.ko"} {
					known = append(known, Placement{From: file, To: realTree.KernelDir(r.Release) + "/updates/dkms/" + file})
				}
				if !tt.knows {
					known = nil
				}
				adoptReal(t, r, known, tt.installed)
			})
			if d := cmp.Diff(status, stockStatus(b)); d != "" {
				t.Errorf("dkms status (-before +after):\n%s", d)
			}
			b.Do(func() {
				remove(t, "/usr/src/pa-1.0")
				tx, err := realTree.Uninstall(r, nil)
				must(t, commit(tx, err))
				same(t, before, withoutDepmod(treetest.Snapshot(t, realTree.KernelDir(r.Release))))
			})
		})
	}
}

func adoptReal(t *testing.T, r dkms.Ref, known []Placement, installed []string) {
	before, lines := look(t, realTree), statuses(t, realTree, CompareOptions{})
	b := Built{Modules: []Module{{"alpha", "/updates/dkms"}, {"renamed", "/updates/dkms"}},
		ConfFiles: []string{"/usr/src/pa-1.0/dkms.conf"}, Fingerprint: "now"}
	must(t, realTree.Adopt(r, b, known))
	after := look(t, realTree)
	delete(after, realTree.manifestPath(r))
	same(t, before, after)
	if d := cmp.Diff(lines, statuses(t, realTree, CompareOptions{})); d != "" {
		t.Errorf("status (-before +after):\n%s", d)
	}
	m, err := realTree.Manifest(r)
	must(t, err)
	got := installedOf(t, realTree, m)
	slices.Sort(got)
	if d := cmp.Diff(installed, got); d != "" {
		t.Errorf("installed (-want +got):\n%s", d)
	}
}
