//go:build e2e

package mkpkg

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A machine is a Debian with a kernel, an engine and packages of ours.
type machine struct {
	aptbox.Machine
	reals []real
	// lenient has modules that the kernel has, too, not be missed.
	lenient bool
}

func newMachine(tb testing.TB, e aptbox.Engine, reals []real) machine {
	tb.Helper()
	m := machine{Machine: aptbox.NewOld(tb), reals: reals}
	m.Engine(e)
	return m
}

// debs are the packages of one edition, put into the box.
func (m machine) debs(e edition) (paths []string) {
	m.TB.Helper()
	for _, r := range m.reals {
		path := r.packed(m.TB, e).deb
		content, err := os.ReadFile(path)
		if err != nil {
			m.TB.Fatal(err)
		}
		paths = append(paths, "/root/"+filepath.Base(path))
		m.Write(paths[len(paths)-1], string(content))
	}
	return paths
}

func (m machine) names() (names []string) {
	for _, r := range m.reals {
		names = append(names, r.name+"-dkms")
	}
	return names
}

// modules are the names of all modules of the packages that are to be there.
func (m machine) modules() (names []string) {
	for _, r := range m.reals {
		for _, name := range r.modules {
			if !m.lenient || !slices.Contains(shadows, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// has demands that all modules are of that edition, where the distribution has
// them, each once, and for the kernel; and that the tree holds those versions.
func (m machine) has(when string, e edition, versions ...edition) {
	m.TB.Helper()
	m.hasModules(when, e)
	for _, r := range m.reals {
		r.inTree(m.TB, m.Box, when, versions)
	}
	if m.TB.(*testing.T).Failed() {
		m.TB.FailNow()
	}
}

func (m machine) hasModules(when string, e edition) {
	m.TB.Helper()
	files := m.AllModules()
	for _, name := range m.modules() {
		want := m.Old + "/updates/dkms/" + name + ".ko"
		if m.Find(m.Old, name) != "/lib/modules/"+want {
			m.TB.Errorf("%s: modprobe finds %s at %q; want %s", when, name, m.Find(m.Old, name), want)
		}
		if got, _, _ := strings.Cut(m.Field(m.Old, name, "edition"), "\n"); got != e.String() {
			m.TB.Errorf("%s: %s is of edition %q; want %s", when, name, got, e)
		}
		if got := m.Field(m.Old, name, "vermagic"); !strings.HasPrefix(got, m.Old+" ") {
			m.TB.Errorf("%s: %s is for %q", when, name, got)
		}
		delete(files, want)
	}
	if len(files) > 0 {
		m.TB.Errorf("%s: besides there are %v", when, slices.Sorted(maps.Keys(files)))
	}
}

// paths are where the modules are.
func (m machine) paths() (paths []string) {
	for _, name := range m.modules() {
		paths = append(paths, "/lib/modules/"+m.Old+"/updates/dkms/"+name+".ko")
	}
	return paths
}

// nothing demands that nothing of the packages is left.
func (m machine) nothing(when string) {
	m.TB.Helper()
	m.Same(when, nil, m.AllModules())
	var left []string
	for _, r := range m.reals {
		left = append(left, m.Glob("/usr/src/"+r.module+"-*")...)
		left = append(left, m.Glob("/var/lib/dkms/"+r.module)...)
		left = append(left, m.Glob("/usr/share/doc/"+r.name+"-dkms")...)
		if r := m.Run("dpkg-query", "-W", "-f", "${db:Status-Status}", r.name+"-dkms"); r.Status == 0 {
			left = append(left, r.Stdout+" package")
		}
	}
	left = append(left, m.Glob("/lib/modules/*/updates")...)
	left = append(left, m.Glob("/usr/lib/modprobe.d/*-e2e.conf")...)
	if len(left) > 0 {
		m.TB.Errorf("%s: left over: %v", when, left)
	}
}

// always runs apt-get, during all of which the files must be there. It looks
// some fifty times a second.
func (m machine) always(paths []string, args ...string) box.Result {
	m.TB.Helper()
	done := make(chan struct{})
	seen := make(chan string, 1)
	wait := m.Start(append([]string{"apt-get", "-q", "-y"}, args...)...)
	go func() {
		defer close(seen)
		for {
			for _, path := range paths {
				if !m.Exists(path) {
					seen <- path
					return
				}
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	r := wait()
	close(done)
	if path, gone := <-seen; gone {
		m.TB.Errorf("during apt-get %q, %s was not there", args, path)
	}
	return r
}

func succeeded(tb testing.TB, r box.Result) {
	tb.Helper()
	if r.Status != 0 {
		tb.Fatalf("exit status %d:\n%s", r.Status, r)
	}
}

// TestDebOurs takes packages through their life on our engine.
func TestDebOurs(t *testing.T) {
	t.Parallel()
	m := newMachine(t, aptbox.Ours, reals())
	m.Apt(append([]string{"install"}, m.debs(first)...)...)
	m.Settled()
	m.has("install", first, first)
	m.Check(0)
	if !m.Exists("/usr/lib/modprobe.d/bbswitch-e2e.conf") {
		t.Error("a further file is missing")
	}
	if got := string(m.Read("/var/log/after")); got != "configure \n" {
		t.Errorf("the script of the source's own was called with %q", got)
	}

	succeeded(t, m.always(m.paths(), append([]string{"install"}, m.debs(second)...)...))
	m.Settled()
	m.has("upgrade", second, second)
	m.Check(0)

	before := m.Identity(m.AllModules())
	m.Apt(append([]string{"install"}, m.debs(broken)...)...)
	m.Settled()
	m.has("upgrade to what does not compile", second, second, broken)
	m.Same("upgrade to what does not compile", before, m.Identity(m.AllModules()))
	var says []string
	for _, r := range m.reals {
		says = append(says, r.module+"/"+r.versionOf(broken)+`.*`+m.Old+`(.|\n)*no_such_thing`)
	}
	m.Check(1, says...)

	succeeded(t, m.always(m.paths(), append([]string{"install", "--allow-downgrades"}, m.debs(first)...)...))
	m.Settled()
	m.has("downgrade", first, first)
	m.Check(0)

	if *full {
		before = m.Identity(m.AllModules())
		m.always(m.paths(), append([]string{"install", "--reinstall"}, m.debs(first)...)...)
		m.has("reinstallation", first, first)
		m.Same("reinstallation", before, m.Identity(m.AllModules()))
	}
	m.Apt(append([]string{"remove"}, m.names()...)...)
	m.Settled()
	m.nothing("removal")
	m.Check(0)
}

// TestDebStock takes them through it on Debian's dkms.
func TestDebStock(t *testing.T) {
	long(t)
	t.Parallel()
	m := newMachine(t, aptbox.Stock, reals())
	m.lenient = true
	m.Apt(append([]string{"install"}, m.debs(first)...)...)
	m.Settled()
	m.has("install", first, first)
	paths := m.paths()
	m.lenient = false

	succeeded(t, m.always(paths, append([]string{"install"}, m.debs(second)...)...))
	m.Settled()
	m.has("upgrade", second, second)

	if *full {
		m.stockFailure()
	}
	m.Apt(append([]string{"remove"}, m.names()...)...)
	m.Settled()
	m.nothing("removal")
}

// stockFailure is an upgrade to what does not compile, with Debian's dkms: as
// with Debian's own packages that leaves the package half configured; but the
// old modules stay.
func (m machine) stockFailure() {
	m.TB.Helper()
	before := m.Identity(m.AllModules())
	if r := m.always(m.paths(), append([]string{"install"}, m.debs(broken)...)...); r.Status == 0 {
		m.TB.Errorf("the upgrade to what does not compile succeeds:\n%s", r)
	}
	m.has("upgrade to what does not compile", second, second, broken)
	m.Same("upgrade to what does not compile", before, m.Identity(m.AllModules()))
	if r := m.Run("dpkg", "--configure", "-a"); r.Status == 0 {
		m.TB.Errorf("configuring again succeeds:\n%s", r)
	}
	m.has("second try", second, second, broken)

	succeeded(m.TB, m.always(m.paths(), append([]string{"install", "--allow-downgrades"}, m.debs(amended)...)...))
	m.Settled()
	m.has("downgrade to another release of what was there", amended, second)
	succeeded(m.TB, m.always(m.paths(), append([]string{"install", "--allow-downgrades"}, m.debs(first)...)...))
	m.Settled()
	m.has("downgrade", first, first)
	before = m.Identity(m.AllModules())
	succeeded(m.TB, m.always(m.paths(), append([]string{"install", "--reinstall"}, m.debs(first)...)...))
	m.has("reinstallation", first, first)
	m.Same("reinstallation", before, m.Identity(m.AllModules()))
}

// TestDebCalledOff has dpkg call an upgrade off before it unpacks anything.
func TestDebCalledOff(t *testing.T) {
	t.Parallel()
	for _, e := range cut(1, []aptbox.Engine{aptbox.Stock, aptbox.Ours}) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, e, reals()[1:2])
			m.Apt(append([]string{"install"}, m.debs(first)...)...)
			before := m.Identity(m.AllModules())
			tree := m.Snapshot(func(path string) bool { return strings.Contains(path, "/.") }, "/var/lib/dkms/"+m.reals[0].module)
			m.Must("dpkg-deb", "-R", m.debs(second)[0], "/root/failing")
			m.WriteProgram("/root/failing/DEBIAN/preinst", "#!/bin/sh\nexit 1\n")
			m.Must("dpkg-deb", "-b", "/root/failing", "/root/failing.deb")
			if r := m.always(m.paths(), "install", "/root/failing.deb"); r.Status == 0 {
				t.Fatalf("the preinst did not fail: %s", r)
			}
			m.has("called off", first, first)
			m.Must("dpkg", "--configure", "--pending") // as the next apt-get begins
			m.Settled()
			m.has("called off", first, first)
			m.Same("called off", before, m.Identity(m.AllModules()))
			after := m.Snapshot(func(path string) bool { return strings.Contains(path, "/.") }, "/var/lib/dkms/"+m.reals[0].module)
			m.Same("the tree", tree, after)
			m.Apt(append([]string{"install"}, m.debs(second)...)...)
			m.has("upgrade", second, second)
			m.Apt(append([]string{"purge"}, m.names()...)...)
			m.nothing("purge")
		})
	}
}

// TestDebDebian: packages of ours take over from Debian's own, and they from
// ours, on both engines.
func TestDebDebian(t *testing.T) {
	long(t)
	t.Parallel()
	for _, e := range []aptbox.Engine{aptbox.Stock, aptbox.Ours} {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			r := reals()[1]
			m := newMachine(t, e, []real{r})
			m.Apt("install", r.name+"-dkms")
			want := m.AllModules()
			m.Apt(append([]string{"install", "--allow-downgrades"}, m.debs(second)...)...)
			m.Settled()
			m.has("upgrade from Debian's", second, second)
			theirs := strings.TrimSpace(m.Must("sh", "-c", fmt.Sprintf("apt-cache madison %s-dkms | head -n 1 | cut -d'|' -f2", r.name)).Stdout)
			m.Apt("install", "--allow-downgrades", r.name+"-dkms="+theirs)
			m.Settled()
			m.Same("downgrade to Debian's", want, m.AllModules())
			m.Apt("purge", r.name+"-dkms")
			m.Settled()
			m.nothing("purge")
		})
	}
}
