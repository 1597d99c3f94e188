//go:build e2e

package mkpkg

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

// A pair of sources: the modules of the second need a symbol of the first's.
const (
	pairBase  = "e2e_base"
	pairTaker = "e2e_taker"
)

var pairCode = map[string]string{
	pairBase: `int e2e_answer(void);
int e2e_answer(void) { return 42; }
EXPORT_SYMBOL_GPL(e2e_answer);
`,
	pairTaker: `int e2e_answer(void);
static int __init taker_init(void) { return e2e_answer() == 42 ? 0 : -EINVAL; }
static void __exit taker_exit(void) { }
module_init(taker_init);
module_exit(taker_exit);
`,
}

// putPair writes both sources, and builds the first by make, as nobody.
func (f forge) putPair(kernel string) {
	f.tb.Helper()
	for name, code := range pairCode {
		dir := "/forge/" + name + "/"
		f.Write(dir+name+".c", "#include <linux/module.h>\n"+code+"MODULE_LICENSE(\"GPL\");\nMODULE_VERSION(\"1.0\");\nMODULE_DESCRIPTION(\"half of a pair\");\n")
		f.Write(dir+"Makefile", "obj-m := "+name+".o\n")
		depends := ""
		if name == pairTaker {
			depends = "BUILD_DEPENDS=" + pairBase + "\n"
		}
		f.Write(dir+"dkms.conf", "PACKAGE_NAME="+name+"\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME="+name+"\nDEST_MODULE_LOCATION=/extra\nAUTOINSTALL=yes\n"+depends)
		f.Write(dir+"dkms-mkpkg.yaml", "maintainer: Ann <ann@example.org>\nlicense: GPL-2.0-only\n")
	}
	built := "/forge/built-" + kernel
	f.Must("cp", "-r", "/forge/"+pairBase, built)
	f.Must("chown", "-R", "65534", built)
	f.Must("setpriv", "--reuid=65534", "--clear-groups", "make", "-s", "-C", "/lib/modules/"+kernel+"/build", "M="+built, "modules")
}

// pack has dkms-mkpkg package one of the pair.
func (f forge) pack(name, kernel, out string, args ...string) {
	f.tb.Helper()
	if name == pairTaker {
		args = append(args, "--symvers", pairBase+"=/forge/built-"+kernel)
	}
	f.made(out, append(args, "--kernel", kernel, "/forge/"+name)...)
}

// rpmPair packages the pair for a kernel, and the first also for the next one:
// as it is, and with a higher release.
func (f forge) rpmPair(out, later string, k, next rpmbox.Kernel) {
	f.tb.Helper()
	f.putPair(k.Uname())
	f.pack(pairBase, k.Uname(), out, "--format", "rpm")
	f.pack(pairTaker, k.Uname(), out, "--format", "rpm", "--no-meta")
	f.pack(pairBase, next.Uname(), later+"/1", "--format", "rpm")
	f.pack(pairBase, next.Uname(), later+"/2", "--format", "rpm", "--release", "2")
}

// TestKmodDepends: a package whose modules use another's symbols brings that
// along, and modprobe knows of it.
func TestKmodDepends(t *testing.T) {
	t.Parallel()
	h := newKmodHost(t)
	k := symbols(t).own.Uname()
	h.Dnf("install", "kmod-"+pairTaker+"-"+k)
	if r := h.Run("rpm", "-q", "kmod-"+pairBase+"-"+k); r.Status != 0 {
		t.Errorf("the package came without the one whose symbols it uses: %s", h.Must("rpm", "-qa").Stdout)
	}
	dependsOnBase(t, h.Box, k, "/lib/modules/"+k+"/extra")
	refused := h.Run("rpm", "-e", "kmod-"+pairBase+"-"+k)
	if refused.Status == 0 || !strings.Contains(refused.Stderr, "ksym(e2e_answer) = 0x") {
		t.Errorf("what the modules need may go:\n%s", refused)
	}
}

// dependsOnBase demands that modprobe would load both of a pair, in order.
func dependsOnBase(tb testing.TB, b *box.Box, kernel, dir string) {
	tb.Helper()
	var want []string
	for _, name := range []string{pairBase, pairTaker} {
		below := name
		if strings.HasSuffix(dir, "updates") { // as Debian writes names
			below = strings.ReplaceAll(name, "_", "-")
		}
		want = append(want, "insmod", dir+"/"+below+"/"+name+".ko")
	}
	out := b.Must("modprobe", "-S", kernel, "--show-depends", pairTaker).Stdout
	if got := strings.Fields(out); !slices.Equal(got, want) {
		tb.Errorf("modprobe %s: %q; want %q", pairTaker, got, want)
	}
	if got := strings.TrimSpace(b.Must("modinfo", "-k", kernel, "-F", "depends", pairTaker).Stdout); got != pairBase {
		tb.Errorf("%s depends on %q; want %q", pairTaker, got, pairBase)
	}
}

// TestKmodNewKernel: modules of the same version for a new kernel reach who
// follows the newest only by a higher release.
func TestKmodNewKernel(t *testing.T) {
	t.Parallel()
	h := newKmodHost(t)
	old, next := rpmbox.Kernels(t)[0].Uname(), rpmbox.Kernels(t)[1].Uname()
	name := "kmod-" + pairBase
	h.Dnf("install", name) // by what the metapackage provides
	for _, p := range []string{name + "-latest", name + "-" + old} {
		if h.Run("rpm", "-q", p).Status != 0 {
			t.Fatalf("%s is not there: %s", p, h.Must("rpm", "-qa").Stdout)
		}
	}
	for day, dir := range kmodRepository.later {
		repo := fmt.Sprint("/later/", day)
		for _, path := range filesIn(t, dir, "*.rpm") {
			h.Write(repo+"/"+filepath.Base(path), content(t, path))
		}
		h.Must("createrepo_c", "-q", repo)
		h.Dnf("--repofrompath=later"+fmt.Sprint(day)+",file://"+repo, "upgrade")
		if got, want := h.Run("rpm", "-q", name+"-"+next).Status == 0, day > 0; got != want {
			t.Errorf("on day %d the new kernel has its modules: %v; want %v: %s", day, got, want, h.Must("rpm", "-qa").Stdout)
		}
	}
	h.Must("rpm", "-q", name+"-"+old)
}

func filesIn(tb testing.TB, dir, pattern string) []string {
	tb.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(paths) == 0 {
		tb.Fatalf("no %s in %s", pattern, dir)
	}
	return paths
}
