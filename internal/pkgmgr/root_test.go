package pkgmgr

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// A dpkgRoot is a directory into which the real dpkg installs, with a database
// of its own.
type dpkgRoot struct {
	dir    string
	chroot bool // maintainer scripts run in dir, where there is no /proc, and not outside
}

func newDpkgRoot(t *testing.T, chroot bool) dpkgRoot {
	t.Helper()
	if _, err := exec.LookPath("dpkg"); err != nil {
		lacks(t, "dpkg")
	}
	if chroot && os.Geteuid() != 0 {
		lacks(t, "root, for chroot")
	}
	r := dpkgRoot{t.TempDir(), chroot}
	for _, dir := range []string{"info", "updates", "triggers"} {
		mkdir(t, filepath.Join(r.dir, "var/lib/dpkg", dir))
	}
	treetest.Write(t, filepath.Join(r.dir, "var/lib/dpkg/status"), "")
	if chroot {
		for _, p := range []string{"sh", "mkdir", "dpkg-query", "dpkg-trigger"} {
			r.bring(t, p)
		}
		mkdir(t, filepath.Join(r.dir, "tmp"))
	}
	helper := self(t)
	if chroot {
		helper = plainSelf(t)
	}
	r.copy(t, helper, "helper")
	return r
}

func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("lacks %s", what)
	}
	t.Skipf("lacks %s", what)
}

// bring copies a program of the machine into the root, with its libraries.
func (r dpkgRoot) bring(t *testing.T, program string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	r.copy(t, path, "bin/"+program)
	out, _ := exec.Command("ldd", path).Output() // it fails for a static one
	for _, m := range library.FindAllStringSubmatch(string(out), -1) {
		r.copy(t, m[1], m[1])
	}
}

var library = regexp.MustCompile(`(?m)(/\S+) \(0x`)

func (r dpkgRoot) copy(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	treetest.WriteProgram(t, filepath.Join(r.dir, to), string(text))
}

// dpkg runs dpkg on the root with env added to the environment, and returns
// whether it succeeded.
func (r dpkgRoot) dpkg(t *testing.T, env []string, args ...string) bool {
	t.Helper()
	all := []string{"--root=" + r.dir, "--log=" + filepath.Join(r.dir, "dpkg.log"), "--force-not-root,bad-path"}
	if !r.chroot {
		all = append(all, "--force-script-chrootless")
	}
	cmd := exec.Command("dpkg", append(all, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PATH="+system.SafePath)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	t.Logf("dpkg %s: %v\n%s", strings.Join(args, " "), err, out)
	return err == nil
}

// in returns how maintainer scripts name a path of the root.
func (r dpkgRoot) in(path string) string {
	if r.chroot {
		return path
	}
	return filepath.Join(r.dir, path)
}

// A deb is a package to be made.
type deb struct {
	name, version string
	control       string            // further lines
	scripts       map[string]string // shell; without the first line
	triggers      string
	files         []string // paths
}

// build makes the package and returns its path.
func (d deb) build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "DEBIAN/control"), fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\n"+
		"Maintainer: nobody <nobody@example.org>\n%sDescription: for a test\n", d.name, d.version, d.control))
	for name, body := range d.scripts {
		treetest.WriteProgram(t, filepath.Join(dir, "DEBIAN", name), "#!/bin/sh -e\n"+body)
	}
	if d.triggers != "" {
		treetest.Write(t, filepath.Join(dir, "DEBIAN/triggers"), d.triggers)
	}
	for _, path := range d.files {
		treetest.Write(t, filepath.Join(dir, path), "")
	}
	path := filepath.Join(t.TempDir(), d.name+".deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Znone", "-b", dir, path).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	return path
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// plain is the test binary without what -race and -cover add, which wants a
// /proc and directories that a bare chroot lacks.
var plain struct {
	sync.Once
	binary []byte
	err    error
}

func plainSelf(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plain")
	plain.Do(func() {
		cmd := exec.Command("go", "test", "-c", "-o", path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
		if out, err := cmd.CombinedOutput(); err != nil {
			plain.err = fmt.Errorf("go test -c: %w: %s", err, out)
			return
		}
		plain.binary, plain.err = os.ReadFile(path)
	})
	if plain.err != nil {
		t.Fatal(plain.err)
	}
	treetest.WriteProgram(t, path, string(plain.binary))
	return path
}

// helperEnv has the test binary play a program that a maintainer script runs.
const helperEnv = "PKGMGR_TEST_HELPER"

// callerLogged is what the helper "caller" appends, a line of JSON, to the
// file that is its first argument; the others are those of the script.
type callerLogged struct {
	Truth     []string // name and arguments of the script that really ran
	Script    Script
	Replacing bool
}

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(m.Run())
	case "caller":
		helperCaller(os.Args[1], os.Args[2:])
	case "activate":
		helperActivate(os.Args[1], os.Args[2] == "await")
	case "state":
		fmt.Print(PackageState(context.Background(), os.Args[1]))
	case "headers":
		fmt.Print(HeadersPackage(context.Background(), os.Args[1]))
	}
}

func helperCaller(log string, truth []string) {
	s := Caller()
	line, err := json.Marshal(callerLogged{truth, s, s.Replacing()})
	if err != nil {
		panic(err)
	}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s\n", line)
}

func helperActivate(trigger string, await bool) {
	fmt.Println("interested:", Interested(trigger))
	if err := Activate(context.Background(), trigger, await); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
