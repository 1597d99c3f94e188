//go:build e2e

package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// sources are packages of Debian 12 that build for its own kernels of today,
// the small ones first.
var sources = []string{
	"bbswitch", "vpoll", "acpi-call", "nat-rtsp", "adv-17v35x", "v4l2loopback", "tp_smapi", "dm-writeboost",
	"rapiddisk-dkms", "digimend", "west-chamber", "gost-crypto", "evdi", "ovpn-dco", "linux-apfs-rw", "xtables-addons",
}

// A host is a throw-away Debian with two kernels, the sources, and an engine
// or none.
type host struct {
	aptbox.Machine
	kernels []string
	engine  string
}

// The engines, as the tables name them.
const (
	theirs = "dkms"
	ours   = "dkms-hook"
	bare   = "bare make"
)

func benchRoot(tb testing.TB) string {
	tb.Helper()
	dir, err := filepath.Abs(filepath.Join(box.Project(), "build/e2e/benchroot"))
	if named := os.Getenv("DKMS_HOOK_BENCHROOT"); named != "" {
		dir, err = filepath.Abs(named)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "kernels")); err != nil {
		box.Lacks(tb, dir+": tools/benchroot makes it")
	}
	return dir
}

func newHost(tb testing.TB, engine string) host {
	tb.Helper()
	dir := benchRoot(tb)
	releases, err := os.ReadFile(filepath.Join(dir, "kernels"))
	if err != nil {
		tb.Fatal(err)
	}
	h := host{aptbox.Machine{Box: box.NewOn(tb, filepath.Join(dir, "root")), TB: tb}, strings.Fields(string(releases)), engine}
	switch engine {
	case theirs:
		tar, err := exec.Command("dpkg-deb", "--fsys-tarfile", filepath.Join(dir, "dkms.deb")).Output()
		if err != nil {
			tb.Fatalf("%s/dkms.deb: %v", dir, err)
		}
		h.Unpack(tar)
	case ours:
		h.WriteProgram("/usr/sbin/dkms-hook", program(tb))
		h.Symlink("dkms-hook", "/usr/sbin/dkms")
		h.Write("/etc/dkms/framework.conf.d/bench.conf", "try_sign_modules=true\n") // as the older dkms does, in a chroot, too
	}
	return h
}

// program is ours.
func program(tb testing.TB) string {
	tb.Helper()
	path := os.Getenv("DKMS_HOOK_BIN")
	if path == "" {
		path = filepath.Join(box.Project(), "bin/dkms-hook")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("no program to measure, make build makes it: %v", err)
	}
	return string(text)
}

// beside puts our program beside theirs, and returns its path.
func (h host) beside() string {
	h.TB.Helper()
	const dir = "/usr/local/lib/ours"
	h.WriteProgram(dir+"/dkms-hook", program(h.TB))
	h.Symlink("dkms-hook", dir+"/dkms")
	return dir + "/dkms"
}

// register adds sources to the tree, by the engine's own command.
func (h host) register(names []string) {
	h.TB.Helper()
	for _, p := range h.packages(names) {
		h.Must("dkms", "add", "-m", p.Name, "-v", p.Version)
	}
}

// packages are the sources with their versions.
func (h host) packages(names []string) (out []dkms.Package) {
	h.TB.Helper()
	for _, name := range names {
		found := h.Glob("/usr/src/" + name + "-[0-9]*/dkms.conf")
		if len(found) != 1 {
			h.TB.Fatalf("sources of %s: %v; want one", name, found)
		}
		dir := filepath.Base(filepath.Dir(found[0]))
		out = append(out, dkms.Package{Name: name, Version: strings.TrimPrefix(dir, name+"-")})
	}
	return out
}

// cost runs a program by its full path, which must succeed, and measures it. It
// returns what it printed.
func (h host) cost(m *Meter, args ...string) (c Cost, stdout string) {
	h.TB.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir = box.Env, "/"
	var err error
	h.Do(func() {
		// Files, not pipes: nobody has to read along, nor to wait for orphans
		// that hold them open.
		var out, problems *os.File
		if out, err = os.Create("/run/stdout"); err != nil {
			return
		}
		defer out.Close()
		if problems, err = os.Create("/run/stderr"); err != nil {
			return
		}
		defer problems.Close()
		cmd.Stdout, cmd.Stderr = out, problems
		c, err = m.Run(cmd)
	})
	stdout = string(h.Read("/run/stdout"))
	if err != nil || cmd.ProcessState.ExitCode() != 0 {
		h.TB.Fatalf("%s: %v, %v\n%s%s", strings.Join(args, " "), cmd.ProcessState, err, stdout, h.Read("/run/stderr"))
	}
	return c, stdout
}

// A made is what a recipe says of one build.
type made struct {
	dkms.Package
	Release, Make, PreBuild string
	Patches                 []string
}

// inBox is how the test program is called to do its work inside of a box: conf
// starts programs from threads of its own, which are outside.
const inBox = "recipes"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == inBox {
		if err := printRecipes(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// printRecipes tells what the sources are built by, for each NAME/VER/RELEASE.
func printRecipes(refs []string) error {
	trees := conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"}
	for _, ref := range refs {
		words := strings.Split(ref, "/")
		p := dkms.Package{Name: words[0], Version: words[1]}
		k, err := kbuild.OpenKernel(kbuild.KernelOptions{ID: dkms.KernelID{Release: words[2], Arch: "x86_64"}, InstallTree: trees.Install})
		if err != nil {
			return err
		}
		cf, err := conf.Load(context.Background(), conf.Request{
			Package: p, File: filepath.Join(trees.Source, p.Name+"-"+p.Version, "dkms.conf"), Trees: trees, Jobs: runtime.NumCPU(),
		}, k)
		if err != nil {
			return err
		}
		r, err := cf.Resolve(k)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(made{p, words[2], r.Make, r.PreBuild, r.Patches}); err != nil {
			return err
		}
	}
	return nil
}

// recipes asks the same conf as the program does.
func (h host) recipes(names []string) (out []made) {
	h.TB.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		h.TB.Fatal(err)
	}
	h.WriteProgram("/run/bench", string(self))
	args := []string{"/run/bench", inBox}
	for _, release := range h.kernels {
		for _, p := range h.packages(names) {
			args = append(args, p.Name+"/"+p.Version+"/"+release)
		}
	}
	for dec := json.NewDecoder(strings.NewReader(h.Must(args...).Stdout)); dec.More(); {
		var m made
		if err := dec.Decode(&m); err != nil {
			h.TB.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}
