//go:build e2e

package mkpkg

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
)

var kmodDebs struct {
	once sync.Once
	dirs map[edition]string // on this machine
	// pair is e2e-base and e2e-taker for one kernel; later is e2e-base for
	// another one, on its next days.
	pair  string
	later []string
}

// debKernels are the kernels, two each, that a source's modules are built for.
// A kernel for clouds has no video.
func debKernels(m aptbox.Machine, r real) []string {
	if r.name == "v4l2loopback" {
		return []string{m.Generic, m.Old}
	}
	return []string{m.Generic, m.Cloud}
}

// forgeDebs has packages made of two editions of all sources, once for all
// tests, on a Debian with headers and a compiler.
func forgeDebs(tb testing.TB) map[edition]string {
	tb.Helper()
	kmodDebs.once.Do(func() {
		m := aptbox.New(tb)
		m.Apt("install", "linux-headers-{NEW}", "linux-headers-{CLOUD}", "linux-headers-{OLD}")
		f := forgeIn(tb, m.Box)
		dirs := map[edition]string{}
		for _, e := range []edition{first, second} {
			out := "/made/" + e.String()
			for _, r := range reals() {
				args := []string{"--format", "deb"}
				if *full || e == first { // of the others only lintian would see any
					args = append(args, "--debug")
				}
				for _, k := range debKernels(m, r) {
					args = append(args, "--kernel", k)
				}
				f.kmod(r, e, out, args...)
			}
			dirs[e] = f.take(out)
		}
		f.putPair(m.Generic)
		f.pack(pairBase, m.Generic, "/made/pair", "--format", "deb")
		f.pack(pairTaker, m.Generic, "/made/pair", "--format", "deb")
		f.pack(pairBase, m.Cloud, "/made/later/1", "--format", "deb")
		f.pack(pairBase, m.Cloud, "/made/later/2", "--format", "deb", "--release", "2")
		kmodDebs.pair, kmodDebs.later = f.take("/made/pair"), []string{f.take("/made/later/1"), f.take("/made/later/2")}
		kmodDebs.dirs = dirs
	})
	if kmodDebs.dirs == nil {
		tb.Fatal("there are no packages: the test that was to make them has failed")
	}
	return kmodDebs.dirs
}

// A bare machine has no compiler, no headers and no engine.
type bare struct{ aptbox.Machine }

func newBare(tb testing.TB) bare {
	tb.Helper()
	m := bare{aptbox.New(tb)}
	m.Must("sh", "-euc", `
		rm -f /usr/bin/make /usr/bin/gcc* /usr/bin/cc /usr/bin/c89* /usr/bin/c99* /usr/bin/cpp* /usr/bin/*-gcc* /usr/bin/*-cpp* /usr/bin/*-ld* /usr/bin/ld /usr/bin/ld.* /usr/bin/*-as /usr/bin/as
		! command -v make gcc cc as ld`)
	return m
}

// debs puts the packages of an edition into the box, those with debug
// information apart, and returns their paths.
func (m bare) debs(e edition) (paths []string) {
	m.TB.Helper()
	files, _ := filepath.Glob(filepath.Join(forgeDebs(m.TB)[e], "*.deb"))
	for _, path := range files {
		to := "/root/" + filepath.Base(path)
		if strings.Contains(path, "-dbgsym_") {
			to = "/root/debug/" + filepath.Base(path)
		} else {
			paths = append(paths, to)
		}
		m.Write(to, content(m.TB, path))
	}
	return paths
}

// has demands that modprobe finds each module of that edition for its two
// kernels, in the place of packages, and there is no other.
func (m bare) has(when string, e edition, without ...string) {
	m.TB.Helper()
	files := m.AllModules()
	for _, r := range reals() {
		for _, k := range debKernels(m.Machine, r) {
			if len(without) > 0 && k == without[0] {
				continue
			}
			for _, name := range r.modules {
				file := k + "/updates/" + r.name + "/" + name + ".ko"
				if got := m.Find(k, name); got != "/lib/modules/"+file {
					m.TB.Errorf("%s: modprobe finds %s of %s at %q; want %s", when, name, k, got, file)
				}
				if got, _, _ := strings.Cut(m.Field(k, name, "edition"), "\n"); got != e.String() {
					m.TB.Errorf("%s: %s of %s is of edition %q; want %s", when, name, k, got, e)
				}
				if got := m.Field(k, name, "vermagic"); !strings.HasPrefix(got, k+" ") {
					m.TB.Errorf("%s: %s of %s is for %q", when, name, k, got)
				}
				delete(files, file)
			}
		}
	}
	if len(files) > 0 {
		m.TB.Errorf("%s: besides there are %v", when, files)
	}
}

// TestKmodDeb takes packages of built modules through their life where nothing
// can be built, and boots one of them.
func TestKmodDeb(t *testing.T) {
	t.Parallel()
	m := newBare(t)
	m.Write("/etc/initramfs-tools/modules", "thinkpad_ec\n")
	m.Apt(append([]string{"install"}, m.debs(first)...)...)
	m.Settled()
	m.has("install", first)
	m.refusesSource()
	m.Must("dpkg", "-i", "-R", "/root/debug")
	for _, file := range m.Glob("/usr/lib/debug/lib/modules/*/updates/*/*.ko") {
		if out := m.Must("modinfo", "-F", "edition", file).Stdout; !strings.HasPrefix(out, "first") {
			t.Errorf("%s is of edition %q", file, out)
		}
	}
	m.Apt(append([]string{"purge"}, m.installed("*-dbgsym")...)...)

	m.Apt(append([]string{"install"}, m.debs(second)...)...)
	m.Settled()
	m.has("upgrade", second)
	m.inInitramfs("second")
	m.pair()
	m.boots()
	m.Apt(append([]string{"purge"}, m.installed("e2e-*")...)...)

	m.Apt("purge", "linux-image-{CLOUD}")
	m.Settled()
	m.has("removal of a kernel", second, m.Cloud)
	if left := m.Glob("/lib/modules/" + m.Cloud + "/updates/*"); len(left) > 0 {
		t.Errorf("left of the kernel that was removed: %v", left)
	}

	m.Apt(append([]string{"purge"}, m.installed("*-modules*")...)...)
	m.Settled()
	m.Same("removal", nil, m.AllModules())
	if left := m.Glob("/lib/modules/*/updates"); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	for _, r := range reals() {
		for _, name := range r.modules {
			m.Lacks(m.Generic, name)
		}
	}
	m.inInitramfs("")
}

// pair is TestKmodDepends and TestKmodNewKernel for apt, which takes a package of
// the same version with other dependencies for another.
func (m bare) pair() {
	m.TB.Helper()
	m.repository("pair", kmodDebs.pair)
	m.Apt("install", "e2e-taker-modules-{NEW}", "e2e-base-modules")
	m.Settled()
	dependsOnBase(m.TB, m.Box, m.Generic, "/lib/modules/"+m.Generic+"/updates")
	for day, dir := range kmodDebs.later {
		m.repository(fmt.Sprint("later", day), dir)
		m.Apt("dist-upgrade")
		want := []string{"1.0", "1.0-2"}[day]
		for _, name := range []string{"e2e-base-modules", "e2e-base-modules-" + m.Cloud} {
			if got := m.Run("dpkg-query", "-W", "-f", "${Version}", name).Stdout; got != want {
				m.TB.Errorf("on day %d %s is of version %q; want %s", day, name, got, want)
			}
		}
	}
	m.Settled()
}

// repository has apt know the packages in a directory on this machine.
func (m bare) repository(name, dir string) {
	m.TB.Helper()
	at := "/srv/" + name
	for _, path := range filesIn(m.TB, dir, "*.deb") {
		m.Write(at+"/"+filepath.Base(path), content(m.TB, path))
	}
	m.Must("sh", "-euc", `cd "$1"
		for f in *.deb; do
			dpkg-deb -f "$f"
			printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$f" "$(stat -c %s "$f")" "$(sha256sum "$f" | cut -d' ' -f1)"
		done >Packages`, "sh", at)
	list := "/etc/apt/sources.list.d/" + name + ".list"
	m.Write(list, "deb [trusted=yes] file:"+at+" ./\n")
	m.Apt("update", "-o", "Dir::Etc::sourcelist="+list, "-o", "Dir::Etc::sourceparts=-", "-o", "APT::Get::List-Cleanup=0")
}

// installed are the names of packages that are there and match a pattern.
func (m bare) installed(pattern string) (names []string) {
	m.TB.Helper()
	for line := range strings.Lines(m.Must("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", pattern).Stdout) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "installed "); ok && !strings.HasPrefix(name, "lib") {
			names = append(names, name)
		}
	}
	return names
}

// refusesSource demands that the package of the same source, which builds where
// it is installed, is not there beside that of the built modules.
func (m bare) refusesSource() {
	m.TB.Helper()
	r := m.Must("apt-get", "-s", "install", "tp-smapi-dkms")
	if !strings.Contains(r.Stdout, "Remv tp-smapi-modules-"+m.Generic) {
		m.TB.Errorf("tp-smapi-dkms does not replace the packages of built modules:\n%s", r)
	}
}

// inInitramfs demands that the initial RAM file system has the module of an
// edition that was put there; or that it has none.
func (m bare) inInitramfs(e string) {
	m.TB.Helper()
	m.Must("rm", "-rf", "/root/unpacked")
	m.Must("unmkinitramfs", "/boot/initrd.img-"+m.Generic, "/root/unpacked")
	file := strings.TrimSpace(m.Must("find", "/root/unpacked", "-name", "thinkpad_ec.ko").Stdout)
	got := ""
	if file != "" {
		got, _, _ = strings.Cut(m.Must("modinfo", "-F", "edition", file).Stdout, "\n")
	}
	if got != e {
		m.TB.Errorf("the initial RAM file system has %q, of edition %q; want %q", file, got, e)
	}
}
