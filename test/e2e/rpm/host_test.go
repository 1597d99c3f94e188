//go:build e2e

package rpm

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

// A host is a Fedora, and what only these tests ask of one.
type host struct {
	*rpmbox.Host
	seenCompiled int             // lines of /var/log/compiled
	seenRuns     map[string]bool // files of records
}

// newHost returns a host on which packages are installed, in one transaction
// with what they need.
func newHost(t *testing.T, packages ...string) *host {
	t.Helper()
	h := newBareHost(t)
	h.Dnf(append([]string{"install", "debian-host-compat", "debian-host-matched"}, packages...)...)
	return h
}

// newBareHost returns a host without packages.
func newBareHost(t *testing.T) *host {
	t.Helper()
	h := &host{Host: rpmbox.New(t, repo(t)), seenRuns: map[string]bool{}}
	h.Write("/etc/dkms/framework.conf.d/compiled.conf", "module_cache=no\n")
	return h
}

// compiled returns how often the modules were compiled since the last call:
// "foo/1.0 6.1.10-…" to a number. The modules' own recipes count, which have one
// job, so that none is tried twice; what our program has recorded must say the same.
func (h *host) compiled() map[string]int {
	h.TB.Helper()
	var lines []string
	if h.Exists("/var/log/compiled") {
		lines = strings.Split(strings.TrimSuffix(string(h.Read("/var/log/compiled")), "\n"), "\n")
	}
	got := map[string]int{}
	for _, line := range lines[h.seenCompiled:] {
		got[line]++
	}
	h.seenCompiled = len(lines)
	recorded := map[string]int{}
	for _, r := range h.runs() {
		for _, o := range r.Outcomes {
			if o.Did == "built" || o.Did == "failed" || o.Did == "interrupted" {
				recorded[fmt.Sprintf("%s/%s %s", o.Package, o.Version, o.Release)]++
			}
		}
	}
	if !maps.Equal(got, recorded) {
		h.TB.Errorf("compiled %v; run records say %v", got, recorded)
	}
	return got
}

// A record is what our program keeps of one of its runs.
type record struct {
	Schema   int
	Event    string
	Outcomes []outcome
}

type outcome struct{ Package, Version, Release, Arch, Did string }

// runs returns the records that are new since the last call, oldest first.
func (h *host) runs() []record {
	h.TB.Helper()
	var out []record
	paths := h.Glob("/var/lib/dkms/.dkms-hook/runs/*.json")
	slices.Sort(paths)
	for _, path := range paths {
		if h.seenRuns[path] {
			continue
		}
		h.seenRuns[path] = true
		var r record
		if err := json.Unmarshal(h.Read(path), &r); err != nil || r.Schema != 1 {
			h.TB.Errorf("%s: schema %d, %v:\n%s", path, r.Schema, err, h.Read(path))
		}
		out = append(out, r)
	}
	return out
}

// wantCompiled demands that since the last look each of the modules was
// compiled once for each of the kernels, and nothing else.
func (h *host) wantCompiled(packages []string, kernels ...kernel) {
	h.TB.Helper()
	want := map[string]int{}
	for _, p := range packages {
		for _, k := range kernels {
			want[p+" "+k.Uname()] = 1
		}
	}
	if got := h.compiled(); !maps.Equal(got, want) {
		h.TB.Errorf("compiled %v; want %v", got, want)
	}
}

// edition returns which edition of a module is installed for a kernel, as
// modprobe would take it; "" if none is.
func (h *host) edition(k kernel, module string) string {
	h.TB.Helper()
	r := h.Run("modinfo", "-k", k.Uname(), "-F", "edition", module)
	return strings.TrimSpace(r.Stdout)
}

// wantEdition demands that the edition of the module is installed for the
// kernels, at the distribution's place, built for them, and the only one. It
// returns whether that is so.
func (h *host) wantEdition(module, edition string, kernels ...kernel) bool {
	h.TB.Helper()
	ok := true
	wrong := func(format string, args ...any) {
		h.TB.Helper()
		ok = false
		h.TB.Errorf(format, args...)
	}
	for _, k := range kernels {
		if got := h.edition(k, module); got != edition {
			wrong("%s: %s of edition %q is installed; want %q", k.Uname(), module, got, edition)
			continue
		}
		files := h.ModuleFiles(k, module)
		if edition == "" {
			if len(files) != 0 {
				wrong("%s: %s is still there: %v", k.Uname(), module, files)
			}
			continue
		}
		if len(files) != 1 || !strings.HasPrefix(files[0], "/lib/modules/"+k.Uname()+"/"+h.Place+"/"+module+".ko") {
			wrong("%s: files of %s are %v; want one in %s/", k.Uname(), module, files, h.Place)
		}
		vermagic := h.Run("modinfo", "-k", k.Uname(), "-F", "vermagic", module).Stdout
		if !strings.HasPrefix(vermagic, k.Uname()+" ") {
			wrong("%s: %s was built for %q", k.Uname(), module, vermagic)
		}
	}
	return ok
}

// wantInitrd demands which added modules the initrd plugin saw when it was last
// called for a kernel.
func (h *host) wantInitrd(k kernel, modules ...string) {
	h.TB.Helper()
	last := "never called"
	for line := range strings.Lines(h.Log("initrd")) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "add "+k.Uname()+":"); ok {
			last = strings.TrimSpace(rest)
		}
	}
	slices.Sort(modules)
	if want := strings.Join(modules, " "); last != want {
		h.TB.Errorf("%s: the initrd plugin saw %q; want %q", k.Uname(), last, want)
	}
}

// wantNothingOf demands that of a kernel nothing is left.
func (h *host) wantNothingOf(k kernel) {
	h.TB.Helper()
	left := h.Glob("/var/lib/dkms/[^.]*/*/" + k.Uname() + "*")
	left = append(left, h.Glob("/var/lib/dkms/[^.]*/*/.log/"+k.Uname()+"*")...)
	left = append(left, h.Glob("/var/lib/dkms/[^.]*/kernel-"+k.Uname()+"*")...)
	for _, dir := range []string{"/lib/modules/" + k.Uname(), "/usr/src/kernels/" + k.Uname()} {
		if h.Exists(dir) {
			left = append(left, strings.Fields(h.Run("find", dir).Stdout)...)
		}
	}
	if len(left) > 0 {
		h.TB.Errorf("%s: left over: %v", k.Uname(), left)
	}
}

// wantNothingAbout demands that of a module nothing is left.
func (h *host) wantNothingAbout(module string, kernels ...kernel) {
	h.TB.Helper()
	h.wantEdition(module, "", kernels...)
	left := append(h.Glob("/var/lib/dkms/"+module), h.Glob("/usr/src/"+module+"-*")...)
	for _, k := range kernels {
		extra := "/lib/modules/" + k.Uname() + "/extra"
		if h.Exists(extra) && len(h.Glob(extra+"/*")) == 0 {
			left = append(left, extra)
		}
	}
	if len(left) > 0 {
		h.TB.Errorf("%s: left over: %v", module, left)
	}
}

// identity returns the identity of an installed module's file: a file that was
// replaced by an equal one has another.
func (h *host) identity(k kernel, module string) string {
	h.TB.Helper()
	files := h.ModuleFiles(k, module)
	if len(files) != 1 {
		h.TB.Fatalf("%s: files of %s are %v; want one", k.Uname(), module, files)
	}
	return filepath.Base(files[0]) + " " + h.Must("stat", "-c", "%i %Y %s", files[0]).Stdout
}

// wantVersions demands that exactly these versions of a module are registered.
func (h *host) wantVersions(module string, versions ...string) {
	h.TB.Helper()
	var got []string
	for _, path := range h.Glob("/var/lib/dkms/" + module + "/[0-9]*") {
		got = append(got, filepath.Base(path))
	}
	if !slices.Equal(got, versions) {
		h.TB.Errorf("%s: versions in the tree are %q; want %q", module, got, versions)
	}
}

// wantIdentity demands that a module's file is still the one that identity told
// of before.
func (h *host) wantIdentity(before string, k kernel, module string) {
	h.TB.Helper()
	if now := h.identity(k, module); now != before {
		h.TB.Errorf("%s: %s is another file: %s; was %s", k.Uname(), module, now, before)
	}
}
