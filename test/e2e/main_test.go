//go:build e2e

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

var (
	full = flag.Bool("full", false, "run the long tests whole, not their cut")
	seed = flag.Uint64("seed", 0, "seed of the kill test; 0 takes one from the clock")
)

// projectRoot is where go.mod is.
var projectRoot = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	panic("no go.mod above the test")
})

// An engine is a program that speaks the command line of DKMS.
type engine struct {
	name    string
	install func(testing.TB, *box.Box)
}

var (
	// ours is the program under test.
	ours = engine{"dkms-hook", installOurs}
	// stock is the oracle: the newest DKMS that Debian has released.
	stock = engine{"dkms 3.2.2", func(tb testing.TB, b *box.Box) { installStock(tb, b, "dkms-3.2.2") }}
	// older is Debian 12's DKMS: what a machine that switches to us has.
	older = engine{"dkms 3.0.10", func(tb testing.TB, b *box.Box) { installStock(tb, b, "dkms-3.0.10") }}
)

func installStock(tb testing.TB, b *box.Box, deb string) {
	b.Unpack(debContent(tb, deb))
	configure(b)
}

// installOurs puts our binary where a distribution package would. For work on
// the tests themselves, DKMS_HOOK_E2E_SELF=stock puts the oracle there instead:
// compared with itself, it must agree with itself.
func installOurs(tb testing.TB, b *box.Box) {
	if os.Getenv("DKMS_HOOK_E2E_SELF") == "stock" {
		stock.install(tb, b)
		return
	}
	b.WriteProgram("/usr/sbin/dkms-hook", string(program(tb)))
	b.RemoveAll("/usr/sbin/dkms")
	b.Symlink("dkms-hook", "/usr/sbin/dkms")
	configure(b)
}

// configure makes a signature possible in the box, which is a chroot.
func configure(b *box.Box) {
	b.Write("/etc/dkms/framework.conf.d/test.conf", "try_sign_modules=true\n")
}

// program returns the binary under test.
func program(tb testing.TB) []byte {
	tb.Helper()
	path := os.Getenv("DKMS_HOOK_BIN")
	if path == "" {
		path = filepath.Join(projectRoot(), "bin/dkms-hook")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("no program to test, make build makes it: %v", err)
	}
	return content
}

// debContent returns, as tar, the files of a package that tools/debs fetched.
func debContent(tb testing.TB, name string) []byte {
	tb.Helper()
	path := filepath.Join(projectRoot(), "build/e2e/debs", name+".deb")
	if _, err := os.Stat(path); err != nil {
		box.Lacks(tb, path+": make e2e fetches it")
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command("dpkg-deb", "--fsys-tarfile", path)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	return out.Bytes()
}

// kernels are the releases that the tests build for: headers of both are on
// the machine.
type kernels struct{ generic, cloud string }

func (k kernels) all() []string { return []string{k.generic, k.cloud} }

func findKernels(tb testing.TB) kernels {
	tb.Helper()
	var k kernels
	builds, _ := filepath.Glob("/lib/modules/*/build/Makefile")
	for _, b := range builds {
		release := strings.Split(b, "/")[3]
		switch {
		case strings.HasSuffix(release, "-cloud-amd64"):
			k.cloud = release
		case strings.HasSuffix(release, "-amd64"):
			k.generic = release
		}
	}
	if k.generic == "" || k.cloud == "" {
		box.Lacks(tb, "headers of two kernels: tools/deps test installs them")
	}
	return k
}

// kernelTar holds the image and a few modules of the generic kernel.
func kernelTar(tb testing.TB, k kernels) []byte {
	tb.Helper()
	path := filepath.Join(projectRoot(), "build/e2e/debs", "kernel-"+k.generic+".tar")
	content, err := os.ReadFile(path)
	if err != nil {
		box.Lacks(tb, path+": make e2e makes it")
	}
	return content
}

// A machine is a box with two kernels, an engine, and packages' sources.
type machine struct {
	*box.Box
	kernels
	engine engine
}

// newMachine returns a machine of two kernels that look installed: each has
// modules of its own and an index of them.
func newMachine(tb testing.TB, e engine, sources ...string) machine {
	tb.Helper()
	k := findKernels(tb)
	m := machine{box.New(tb), k, e}
	m.Unpack(kernelTar(tb, k))
	for _, f := range []string{"modules.order", "modules.builtin", "modules.builtin.modinfo", "kernel/drivers/hwmon/it87.ko", "kernel/drivers/hwmon/hwmon-vid.ko"} {
		m.Write("/lib/modules/"+k.cloud+"/"+f, string(m.Read("/lib/modules/"+k.generic+"/"+f)))
	}
	for _, r := range k.all() {
		m.Must("depmod", r)
	}
	for _, s := range sources {
		m.addSource(tb, s)
	}
	e.install(tb, m.Box)
	return m
}

// addSource puts a package's source under /usr/src: a folder of testdata/src,
// or what the Debian package NAME-dkms has.
func (m machine) addSource(tb testing.TB, name string) {
	tb.Helper()
	dir := filepath.Join(projectRoot(), "test/e2e/testdata/src", name)
	if _, err := os.Stat(dir); err != nil {
		m.Unpack(debContent(tb, name+"-dkms"))
		return
	}
	files, err := filepath.Glob(dir + "/*")
	if err != nil || len(files) == 0 {
		tb.Fatalf("%s: no source: %v", dir, err)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		m.Write("/usr/src/"+name+"/"+filepath.Base(f), string(content))
	}
}

// dkms runs the engine under its drop-in name. "{K}" and "{C}" stand for the
// generic and the cloud kernel.
func (m machine) dkms(args ...string) box.Result { return m.Run(m.words(args)...) }

func (m machine) words(args []string) []string {
	r := strings.NewReplacer("{K}", m.generic, "{C}", m.cloud)
	words := []string{"dkms"}
	for _, a := range args {
		words = append(words, r.Replace(a))
	}
	return words
}

// want runs the engine and fails the test unless it ends with status.
func (m machine) want(tb testing.TB, status int, args ...string) box.Result {
	tb.Helper()
	r := m.dkms(args...)
	if r.Status != status {
		tb.Fatalf("%s: exit status %d; want %d\n%s", m.engine.name, r.Status, status, r)
	}
	return r
}

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("DKMS_HOOK_E2E_SELF") == "stock" {
		fmt.Println("the program under test is stood in for by DKMS itself")
	}
	os.Exit(m.Run())
}
