//go:build e2e

package tree

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// realTree is where everything lies inside a box.
var realTree = Tree{Dir: "/var/lib/dkms", SourceDir: "/usr/src", InstallDir: "/lib/modules"}

// newOracle returns a box with dkms 3.2.2 and the source of pa/1.0.
func newOracle(t *testing.T) *box.Box {
	t.Helper()
	b := newStock(t, "3.2.2")
	b.Do(func() {
		write(t, "/lib/modules/"+release+"/kernel/drivers/misc/stock.ko", "stock")
		write(t, "/usr/src/pa-1.0/Makefile", "all:\n")
		conf := "PACKAGE_NAME=pa\nPACKAGE_VERSION=1.0\nMAKE=true\n"
		for i, name := range []string{"alpha", "beta"} {
			conf += fmt.Sprintf("BUILT_MODULE_NAME[%d]=%s\nDEST_MODULE_LOCATION[%d]=/kernel/drivers/misc\n", i, name, i)
		}
		write(t, "/usr/src/pa-1.0/dkms.conf", conf)
	})
	return b
}

// newStock returns a box with that version of dkms, and nothing added.
func newStock(t *testing.T, version string) *box.Box {
	t.Helper()
	deb := "../../build/e2e/debs/dkms-" + version + ".deb"
	if _, err := os.Stat(deb); err != nil {
		box.Lacks(t, deb+": make debs fetches it")
	}
	files, err := exec.Command("dpkg-deb", "--fsys-tarfile", deb).Output()
	if err != nil {
		t.Fatalf("%s: %v", deb, err)
	}
	b := box.New(t)
	b.Unpack(files)
	b.RemoveAll("/var/lib/dkms")
	return b
}

// stockStatus is what dkms prints on standard output.
func stockStatus(b *box.Box) []string {
	out := strings.TrimSuffix(b.Must("dkms", "status").Stdout, "\n")
	if out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}

// TestOracleCompare has the real dkms look at every situation of compareCases,
// in a tree that we wrote.
func TestOracleCompare(t *testing.T) {
	b := newOracle(t)
	r := ref("pa", "1.0")
	for _, tt := range compareCases {
		t.Run(tt.name, func(t *testing.T) {
			b.Do(func() {
				remove(t, realTree.Dir)
				remove(t, realTree.KernelDir(release))
				write(t, realTree.KernelDir(release)+"/kernel/drivers/misc/stock.ko", "stock")
				must(t, realTree.Register(r.Package, "/usr/src/pa-1.0"))
				install(t, realTree, r, "alpha.ko", "beta.ko")
				tt.change(t, inUpdates(realTree, ""), realTree.ModuleDir(r), realTree.KernelDir(release))
			})
			want := []string{"pa/1.0, " + release + ", x86_64: " + tt.want}
			if d := cmp.Diff(want, stockStatus(b)); d != "" {
				t.Errorf("the case is not what dkms says (-case +dkms):\n%s", d)
			}
		})
	}
}

// TestOracleArchives has the real dkms load what we pack. (Of an archive of two
// kernels 3.2.2 loads only the first.)
func TestOracleArchives(t *testing.T) {
	b := newOracle(t)
	r := ref("pa", "1.0")
	built := "pa/1.0, " + release + ", x86_64: built"
	for _, tt := range []struct {
		req  PackRequest
		want []string
	}{
		{PackRequest{}, []string{built}},
		{PackRequest{SourceOnly: true}, []string{"pa/1.0: added"}},
		{PackRequest{BinariesOnly: true}, []string{built}},
	} {
		tt.req.Package, tt.req.Kernels = r.Package, []dkms.KernelID{kernel}
		tt.req.File = "/run/" + tt.req.ArchiveName()
		b.Do(func() {
			remove(t, realTree.Dir)
			must(t, realTree.Register(r.Package, "/usr/src/pa-1.0"))
			build(t, realTree, r, "alpha.ko", "beta.ko")
			_, err := realTree.Pack(t.Context(), tt.req)
			must(t, err)
			remove(t, realTree.Dir)
		})
		b.Must("dkms", "ldtarball", tt.req.File)
		if d := cmp.Diff(tt.want, stockStatus(b)); d != "" {
			t.Errorf("status after loading %s (-want +dkms):\n%s", tt.req.ArchiveName(), d)
		}
		if !tt.req.SourceOnly {
			b.Do(func() {
				if got := read(t, realTree.ModuleDir(r)+"/beta.ko"); got != "pa 1.0 beta.ko" {
					t.Errorf("dkms loaded a module of content %q", got)
				}
			})
		}
	}
}

// TestOracleDotFiles: all that we keep in the tree does not show in dkms, and
// goes when it removes the package.
func TestOracleDotFiles(t *testing.T) {
	b := newOracle(t)
	r := ref("pa", "1.0")
	b.Do(func() {
		must(t, realTree.Register(r.Package, "/usr/src/pa-1.0"))
		install(t, realTree, r, "alpha.ko", "beta.ko")
		other := r
		other.Release = "other"
		write(t, "/run/log", "log")
		must(t, realTree.KeepFailed(other, "/nowhere", "/run/log"))
		must(t, realTree.RecordFailure(Failure{Ref: other}))
		must(t, realTree.Retire(r.Package, Retirement{By: "pa-dkms"}))
		_, err := realTree.NewScratch(other)
		must(t, err)
	})
	if d := cmp.Diff([]string{"pa/1.0, " + release + ", x86_64: installed"}, stockStatus(b)); d != "" {
		t.Errorf("status (-want +dkms):\n%s", d)
	}
	b.Do(func() { _, err := realTree.Sweep(t.Context()); must(t, err) })
	b.Must("dkms", "remove", "pa/1.0", "--all")
	b.Do(func() {
		left, _ := filepath.Glob("/var/lib/dkms/pa*")
		if len(left) != 0 {
			t.Errorf("after remove there is %q", left)
		}
		if files, _ := filepath.Glob(realTree.KernelDir(release) + "/updates/*"); len(files) != 0 {
			t.Errorf("after remove there is %q", files)
		}
	})
}
