package kmod

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

func TestParseDepend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want kbuild.Depend // the zero value: refused
	}{
		{"base=/x/Module.symvers", kbuild.Depend{Name: "base", Symvers: "/x/Module.symvers"}},
		{"base=a=b", kbuild.Depend{Name: "base", Symvers: "a=b"}},
		{"base", kbuild.Depend{}}, {"base=", kbuild.Depend{}}, {"=x", kbuild.Depend{}}, {"../a=x", kbuild.Depend{}}, {"", kbuild.Depend{}},
	} {
		got, err := ParseDepend(tt.text)
		var problem *dkms.Error
		refused := errors.As(err, &problem) && problem.Kind == dkms.Usage && problem.Hint != ""
		if got != tt.want || refused != (tt.want == kbuild.Depend{}) {
			t.Errorf("ParseDepend(%q) = %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
}

// TestBuildAgainst: a package sees the symbols of what it depends on, wherever
// they are listed, and its own need of them is not the kernel's.
func TestBuildAgainst(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	_, provider := builtSample(t, k)
	listed := read(t, filepath.Join(filepath.Dir(provider.Modules[0].Path), "Module.symvers"))
	dir := filepath.Join(t.TempDir(), "with space")
	put(t, filepath.Join(dir, "plain/Module.symvers"), listed)
	tree := filepath.Join(dir, "tree")
	put(t, filepath.Join(tree, k, provider.Kernel.Arch, "module/Module.symvers"), listed)
	for _, path := range []string{filepath.Join(dir, "plain/Module.symvers"), filepath.Join(dir, "plain"), tree} {
		d := describe(t, taker)
		d.DKMS.Name, d.Name = "Taker", "Taker"
		b := build(t, d, Options{Kernels: []string{k}, ABI: Ksym, Depends: []kbuild.Depend{{Name: "Sample", Symvers: path}}})[0]
		if want := hashOf(t, filepath.Join(dir, "plain/Module.symvers")); b.Against["Sample"] != want {
			t.Errorf("with %s the hash of what it was built against is %v; want %s", path, b.Against, want)
		}
		g := Generate([]Facts{b.Modules[0].Facts}, b.Symvers)
		if !slices.ContainsFunc(g.Requires, func(r string) bool { return strings.HasPrefix(r, "ksym(sample_answer) = 0x") }) {
			t.Errorf("with %s it requires %q; want sample_answer of another package", path, g.Requires)
		}
	}
}

const taker = `
-- dkms.conf --
PACKAGE_NAME="Taker"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME="taker"
DEST_MODULE_LOCATION="/extra"
BUILD_DEPENDS="Sample"
-- Makefile --
obj-m := taker.o
-- taker.c --
#include <linux/module.h>
int sample_answer(int x);
static int __init taker_init(void) { return sample_answer(1) == 0; }
module_init(taker_init);
MODULE_LICENSE("GPL");
`

// TestBuildAgainstKernels: one list of symbols is for one kernel; a DKMS tree
// has those for more.
func TestBuildAgainstKernels(t *testing.T) {
	t.Parallel()
	w := &workshop{o: Options{Kernels: []string{"1", "2"}}}
	tree := t.TempDir()
	put(t, filepath.Join(tree, "1/x86_64/module/Module.symvers"), "0x1\tanswer\tbase\tEXPORT_SYMBOL\t\n")
	d := kbuild.Depend{Name: "base", Symvers: tree}
	has := kbuild.Kernel{KernelID: dkms.KernelID{Release: "1", Arch: "x86_64"}}
	if path, err := w.symversFor(d, has); err != nil || path != filepath.Join(tree, "1/x86_64/module/Module.symvers") {
		t.Errorf("symvers for 1: %q, %v", path, err)
	}
	lacks := kbuild.Kernel{KernelID: dkms.KernelID{Release: "2", Arch: "x86_64"}}
	for _, path := range []string{tree, filepath.Join(tree, "1/x86_64/module"), filepath.Join(tree, "1/x86_64/module/Module.symvers")} {
		if _, err := w.symversFor(kbuild.Depend{Name: "base", Symvers: path}, lacks); err == nil || !strings.Contains(err.Error(), "is for one kernel, and 2 are named") {
			t.Errorf("symvers for 2 in %s: %v; want it refused", path, err)
		}
	}
}
