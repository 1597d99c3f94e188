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
	b, lists := builtTaker(t, k)
	g := Generate([]Facts{b.Modules[0].Facts}, b.Symvers)
	for name, list := range lists {
		if want := hashOf(t, list); b.Against[name] != want {
			t.Errorf("the hashes of what it was built against are %v; want %s of %s", b.Against, want, name)
		}
		if !slices.ContainsFunc(g.Requires, func(r string) bool { return strings.HasPrefix(r, "ksym("+name+"_answer) = 0x") }) {
			t.Errorf("it requires %q; want %s_answer of another package", g.Requires, name)
		}
	}
}

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
