//go:build e2e

package mkpkg

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A real is the source of a package of Debian's, without its packaging.
type real struct {
	name    string // of the distribution packages, without -dkms
	rpm     string // the same where RPM allows more
	module  string // PACKAGE_NAME
	version string // PACKAGE_VERSION
	modules []string
}

// reals are four, of one to six modules.
func reals() []real {
	return cut(2, []real{
		{"tp-smapi", "tp_smapi", "tp_smapi", "0.43", []string{"hdaps", "thinkpad_ec", "tp_smapi"}},
		{"bbswitch", "bbswitch", "bbswitch", "0.8", []string{"bbswitch"}},
		{"v4l2loopback", "v4l2loopback", "v4l2loopback", "0.12.7", []string{"v4l2loopback"}},
		{"gost-crypto", "gost-crypto", "gost-crypto", "0.3.4", []string{
			"gost-test", "gost28147_generic", "gosthash94_generic", "kuznyechik_generic", "magma_generic", "streebog_generic"}},
	})
}

// shadows are the modules that Debian's kernels have, too: dkms itself installs
// them over the kernel's only when it is forced to.
var shadows = []string{"hdaps", "streebog_generic"}

// An edition is a state of a source: its modules say of themselves which one
// they are of. They are numbered as their versions are.
type edition int

const (
	first   edition = iota // as it came
	second                 // a higher version
	broken                 // one higher still, one of whose modules does not compile
	amended                // of the second's version, but another release
)

// version of an edition; the later ones are higher.
func (r real) versionOf(e edition) string {
	return r.version + map[edition]string{second: ".1", broken: ".2", amended: ".1"}[e]
}

func (e edition) release() string {
	return map[edition]string{amended: "2"}[e]
}

func (e edition) String() string { return []string{"first", "second", "broken", "amended"}[e] }

// A made is what dkms-mkpkg has made of one edition: paths on this machine.
type made struct{ deb, rpm, srpm string }

var packages struct {
	sync.Mutex
	dir  string
	made map[string]made
}

// TestMain removes what tests share.
func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(packages.dir)
	os.Exit(status)
}

// packed has dkms-mkpkg make all packages of an edition's source, by one command.
func (r real) packed(tb testing.TB, e edition) made {
	tb.Helper()
	packages.Lock()
	defer packages.Unlock()
	if packages.made == nil {
		dir, err := os.MkdirTemp("", "mkpkg-e2e-")
		if err != nil {
			tb.Fatal(err)
		}
		packages.dir, packages.made = dir, map[string]made{}
	}
	key := r.name + "-" + e.String()
	if p, ok := packages.made[key]; ok {
		return p
	}
	source, out := filepath.Join(packages.dir, key, "source"), filepath.Join(packages.dir, key, "out")
	r.write(tb, e, source)
	args := []string{"source", "--format", "deb,rpm,src.rpm", "-o", out}
	if e.release() != "" {
		args = append(args, "--release", e.release())
	}
	mkpkg(tb, append(args, source)...)
	p := made{one(tb, out, "*.deb"), one(tb, out, "*.noarch.rpm"), one(tb, out, "*.src.rpm")}
	packages.made[key] = p
	return p
}

// one is the only file in dir of that pattern.
func one(tb testing.TB, dir, pattern string) string {
	tb.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(paths) != 1 {
		tb.Fatalf("files %s in %s: %v; want one", pattern, dir, paths)
	}
	return paths[0]
}

// inTree demands that the DKMS tree of a box holds those versions and no others.
func (r real) inTree(tb testing.TB, b *box.Box, when string, editions []edition) {
	tb.Helper()
	var want, got []string
	for _, e := range editions {
		want = append(want, r.versionOf(e))
	}
	for _, path := range b.Glob("/var/lib/dkms/" + r.module + "/[0-9]*") {
		got = append(got, filepath.Base(path))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		tb.Errorf("%s: versions of %s in the tree: %q; want %q", when, r.module, got, want)
	}
}

// write puts an edition of the source into dir.
func (r real) write(tb testing.TB, e edition, dir string) {
	tb.Helper()
	deb := filepath.Join(box.Project(), "build/e2e/debs", r.name+"-dkms.deb")
	if _, err := os.Stat(deb); err != nil {
		box.Lacks(tb, deb+": make debs fetches it")
	}
	whole := tb.TempDir()
	if out, err := exec.Command("dpkg-deb", "-x", deb, whole).CombinedOutput(); err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(filepath.Join(whole, "usr/src", r.module+"-"+r.version), dir); err != nil {
		tb.Fatal(err)
	}
	for path, text := range r.packaging() {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	change(tb, filepath.Join(dir, "dkms.conf"), `(?m)^PACKAGE_VERSION=.*`, `PACKAGE_VERSION="`+r.versionOf(e)+`"`)
	files, _ := filepath.Glob(filepath.Join(dir, "*.c"))
	slices.Sort(files)
	marked := 0
	for _, path := range files {
		marked += change(tb, path, `(?m)^MODULE_LICENSE\(.*`, "$0\nMODULE_INFO(edition, \""+e.String()+"\");")
	}
	if marked != len(r.modules) {
		tb.Fatalf("%s: %d sources were marked; want one for each of %v", r.name, marked, r.modules)
	}
	if e == broken {
		change(tb, files[len(files)-1], `\z`, "static int broken = no_such_thing;\n")
	}
}

// packaging is what a packager adds to a source: mostly who that is.
func (r real) packaging() map[string]string {
	const who = "maintainer: Ann <ann@example.org>\n"
	if r.name != "bbswitch" {
		return map[string]string{"dkms-mkpkg.yaml": who}
	}
	return map[string]string{
		"dkms-mkpkg.yaml": who + `homepage: https://github.com/Bumblebee-Project/bbswitch
modprobe: [pack/bbswitch-e2e.conf]
scripts:
  deb: {postinst: pack/after, prerm: pack/after}
  rpm: {post: pack/after, preun: pack/after}
`,
		"pack/bbswitch-e2e.conf": "options bbswitch load_state=0\n",
		"pack/after":             "echo \"$*\" >>/var/log/after\n",
	}
}

// change replaces what the expression matches in a file, and says whether it
// does.
func change(tb testing.TB, path, expr, by string) int {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	re := regexp.MustCompile(expr)
	if !re.Match(text) {
		return 0
	}
	if err := os.WriteFile(path, re.ReplaceAll(text, []byte(strings.ReplaceAll(by, "$0", "${0}"))), 0o644); err != nil {
		tb.Fatal(err)
	}
	return 1
}
