package ko

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Releases of the kernels whose headers the tests build for: the newest of
// Debian's two kinds that is here.
var genericRelease, cloudRelease = findReleases()

func findReleases() (generic, cloud string) {
	generic, cloud = "linux-headers-amd64", "linux-headers-cloud-amd64" // as lacks names them
	paths, _ := filepath.Glob("/lib/modules/*/build/Module.symvers")
	for _, path := range paths {
		release := strings.Split(path, "/")[3]
		if strings.Contains(release, "-cloud-") {
			cloud = release
		} else {
			generic = release
		}
	}
	return generic, cloud
}

// scratch holds what is built once per test binary.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "ko-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(status)
}

// lacks skips the test for want of something, or fails it where everything has
// to be there.
func lacks(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}

// tool returns the path of a program that the test needs.
func tool(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	lacks(t, "the program "+name)
	return ""
}

// run returns what a program printed on standard output.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.Bytes())
	}
	return string(out)
}

func headers(release string) string { return filepath.Join("/lib/modules", release, "build") }

// sources are two modules, the second of which uses what the first exports.
var sources = map[string]string{
	"Kbuild": "obj-m := alpha.o beta-two.o\nccflags-y := -g\n",
	"alpha.c": `#include <linux/module.h>
#include <linux/slab.h>
int alpha_add(int a, int b);
int alpha_add(int a, int b) { void *p = kmalloc(a, GFP_KERNEL); kfree(p); return a + b; }
EXPORT_SYMBOL_GPL(alpha_add);
int alpha_spaced;
EXPORT_SYMBOL_NS(alpha_spaced, ALPHA);
static int debug;
module_param(debug, int, 0444);
MODULE_PARM_DESC(debug, "how much to say");
MODULE_LICENSE("GPL");
MODULE_AUTHOR("A. Tester <tester@example.org>");
MODULE_DESCRIPTION("exports a sum");
MODULE_VERSION("1.2.3");
MODULE_ALIAS("alpha-one");
MODULE_ALIAS("pci:v00001234d*sv*sd*bc*sc*i*");
MODULE_FIRMWARE("alpha/fw.bin");
`,
	"beta-two.c": `#include <linux/module.h>
int alpha_add(int a, int b);
static int __init beta_init(void) { printk("%d\n", alpha_add(1, 2)); return 0; }
static void __exit beta_exit(void) { }
module_init(beta_init);
module_exit(beta_exit);
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(ALPHA);
`,
}

type built struct {
	dir string
	err error
}

var builds sync.Map // release -> func() built

// build compiles the sample modules for release, once, and returns the
// directory with alpha.ko, beta-two.ko and Module.symvers. It must not be
// written to.
func build(t testing.TB, release string) string {
	t.Helper()
	for _, need := range []string{headers(release), "/usr/bin/make", "/usr/bin/gcc-12"} {
		if _, err := os.Stat(need); err != nil {
			lacks(t, need)
		}
	}
	once, _ := builds.LoadOrStore(release, sync.OnceValue(func() built { return compile(release) }))
	b := once.(func() built)()
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.dir
}

func compile(release string) built {
	dir := filepath.Join(scratch, release)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return built{err: err}
	}
	for name, text := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return built{err: err}
		}
	}
	out, err := exec.Command("make", "-j2", "-C", headers(release), "M="+dir).CombinedOutput()
	if err != nil {
		return built{err: fmt.Errorf("make: %w\n%s", err, out)}
	}
	return built{dir: dir}
}

// copyOf returns the path of a private copy of the sample module NAME.ko.
func copyOf(t testing.TB, name string) string {
	t.Helper()
	return copied(t, filepath.Join(build(t, genericRelease), name+".ko"))
}

func copied(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(from))
	write(t, to, read(t, from), 0o640)
	return to
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t testing.TB, path string, data []byte, mode fs.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// files lists what is in dir, sorted, with modes.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s", info.Mode(), e.Name()))
	}
	return out
}
