//go:build e2e

package mkpkg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

// kernels are those of the hosts.
func kernels(tb testing.TB) []rpmbox.Kernel {
	all := rpmbox.Kernels(tb)
	return cut(1, []rpmbox.Kernel{all[0], all[2]})
}

var repository struct {
	once sync.Once
	tar  []byte
}

// repo is the repository of the hosts, with all editions. It is made once.
func repo(tb testing.TB) []byte {
	tb.Helper()
	repository.once.Do(func() {
		repository.tar = rpmbox.Repository(tb, rpmbox.Specs(tb, kernels(tb)...), func(b *box.Box) {
			rpmbox.Stock(tb, b)
			rpmbox.Ours(tb, b)
			for _, r := range reals() {
				for _, e := range []edition{first, second, broken, amended} {
					path := r.packed(tb, e).rpm
					content, err := os.ReadFile(path)
					if err != nil {
						tb.Fatal(err)
					}
					b.Write("/repo/"+filepath.Base(path), string(content))
				}
			}
		})
	})
	if repository.tar == nil {
		tb.Fatal("there is no repository: the test that was to make it has failed")
	}
	return repository.tar
}

// A host is a Fedora with kernels, an engine and packages of ours.
type host struct {
	*rpmbox.Host
	reals   []real
	kernels []rpmbox.Kernel
}

func newHost(tb testing.TB, engine string, reals []real) host {
	tb.Helper()
	h := host{rpmbox.New(tb, repo(tb)), reals, kernels(tb)}
	args := []string{"install", "debian-host-compat", "debian-host-matched", engine}
	for _, k := range h.kernels {
		args = append(args, k.Core(), k.Devel())
	}
	h.Dnf(args...)
	return h
}

// packages name those of one edition, as dnf knows them.
func (h host) packages(e edition) (names []string) {
	for _, r := range h.reals {
		release := "1"
		if e.release() != "" {
			release = e.release()
		}
		names = append(names, fmt.Sprintf("%s-dkms-%s-%s", r.rpm, r.versionOf(e), release))
	}
	return names
}

// has demands that all modules are of that edition, for each kernel, at the
// distribution's place and nowhere else; and that the tree holds those versions.
func (h host) has(when string, e edition, versions ...edition) {
	h.TB.Helper()
	for _, r := range h.reals {
		for _, k := range h.kernels {
			for _, name := range r.modules {
				h.hasModule(when, k, name, e)
			}
		}
		r.inTree(h.TB, h.Box, when, versions)
	}
	if h.TB.(*testing.T).Failed() {
		h.TB.FailNow()
	}
}

func (h host) hasModule(when string, k rpmbox.Kernel, name string, e edition) {
	h.TB.Helper()
	got, _, _ := strings.Cut(h.Run("modinfo", "-k", k.Uname(), "-F", "edition", name).Stdout, "\n")
	if got != e.String() {
		h.TB.Errorf("%s: %s has %s of edition %q; want %s", when, k.Uname(), name, got, e)
	}
	files := h.ModuleFiles(k, name)
	if len(files) != 1 || !strings.HasPrefix(files[0], "/lib/modules/"+k.Uname()+"/extra/") {
		h.TB.Errorf("%s: files of %s: %v; want one in extra", when, name, files)
	}
	if got := h.Run("modinfo", "-k", k.Uname(), "-F", "vermagic", name).Stdout; !strings.HasPrefix(got, k.Uname()+" ") {
		h.TB.Errorf("%s: %s of %s is for %q", when, name, k.Uname(), got)
	}
}

// nothing demands that nothing of the packages is left.
func (h host) nothing(when string) {
	h.TB.Helper()
	var left []string
	for _, r := range h.reals {
		for _, k := range h.kernels {
			for _, name := range r.modules {
				left = append(left, h.ModuleFiles(k, name)...)
			}
		}
		left = append(left, h.Glob("/usr/src/"+r.module+"-*")...)
		left = append(left, h.Glob("/var/lib/dkms/"+r.module)...)
		left = append(left, h.Glob("/usr/share/doc/"+r.rpm+"-dkms")...)
		left = append(left, h.Glob("/usr/share/licenses/"+r.rpm+"-dkms")...)
	}
	left = append(left, h.Glob("/lib/modules/*/extra/*")...)
	left = append(left, h.Glob("/tmp/dkms*")...)
	left = append(left, h.Glob("/usr/lib/modprobe.d/*-e2e.conf")...)
	if len(left) > 0 {
		h.TB.Errorf("%s: left over: %v", when, left)
	}
}

// life takes packages through it. Only our engine says what it lacks.
func (h host) life(ours bool) {
	h.TB.Helper()
	check := func(status int, words ...string) {
		h.TB.Helper()
		if !ours {
			return
		}
		r := h.Check(status)
		for _, word := range words {
			if !strings.Contains(r.Stdout+r.Stderr, word) {
				h.TB.Errorf("check does not speak of %s:\n%s", word, r)
			}
		}
	}
	for _, step := range []struct {
		verb     string
		to       edition // what dnf is asked for
		has      edition // what there is then
		versions []edition
		status   int // of check
	}{
		{"install", first, first, []edition{first}, 0},
		{"upgrade", second, second, []edition{second}, 0},
		{"upgrade", amended, amended, []edition{second}, 0},
		{"upgrade", broken, amended, []edition{second, broken}, 1},
		{"downgrade", first, first, []edition{first}, 0},
		{"reinstall", first, first, []edition{first}, 0},
	} {
		if !*full && (step.to == amended || step.verb == "reinstall") {
			continue
		}
		if !*full && step.has == amended {
			step.has = second
		}
		when := step.verb + " of " + step.to.String()
		h.Dnf(append([]string{step.verb}, h.packages(step.to)...)...)
		h.has(when, step.has, step.versions...)
		if !h.Exists("/usr/lib/modprobe.d/bbswitch-e2e.conf") {
			h.TB.Errorf("%s: a further file is missing", when)
		}
		if step.status == 0 {
			check(0)
			continue
		}
		var words []string
		for _, r := range h.reals {
			words = append(words, r.module+"/"+r.versionOf(broken), "no_such_thing")
		}
		check(step.status, words...)
	}
	var names []string
	for _, r := range h.reals {
		names = append(names, r.rpm+"-dkms")
	}
	h.Dnf(append([]string{"remove", "--noautoremove"}, names...)...)
	h.nothing("removal")
	check(0)
	if got := h.Log("after"); !strings.HasPrefix(got, "1\n2\n1\n") || !strings.HasSuffix(got, "\n0\n") {
		h.TB.Errorf("the scripts of the source's own were called with %q", got)
	}
}

// TestRPMOurs takes packages through their life on our engine.
func TestRPMOurs(t *testing.T) {
	t.Parallel()
	newHost(t, "dkms-hook", reals()).life(true)
}

// TestRPMStock takes them through it on dkms itself.
func TestRPMStock(t *testing.T) {
	long(t)
	t.Parallel()
	newHost(t, "dkms", reals()).life(false)
}
