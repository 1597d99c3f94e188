//go:build e2e

package rpm

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A host is a box that believes it is a Fedora, with a repository.
type host struct {
	*box.Box
	t *testing.T

	place        string          // of added modules, below the kernel's directory
	seenCompiled int             // lines of /var/log/compiled
	seenRuns     map[string]bool // files of records
}

// newHost returns a host on which packages are installed, in one transaction
// with what they need.
func newHost(t *testing.T, packages ...string) *host {
	t.Helper()
	h := newBareHost(t)
	h.dnf(append([]string{"install", "debian-host-compat", "debian-host-matched"}, packages...)...)
	return h
}

// newBareHost returns a host without packages.
func newBareHost(t *testing.T) *host {
	t.Helper()
	tar := repo(t)
	h := &host{Box: box.NewOn(t, lower(t)), t: t, place: "extra", seenRuns: map[string]bool{}}
	h.Unpack(tar)
	h.RemoveAll("/etc/os-release") // a link into /usr
	h.Write("/etc/os-release", "NAME=Fedora\nID=fedora\nVERSION_ID=99\nPRETTY_NAME=Fedora\n")
	h.Write("/etc/yum.repos.d/test.repo", "[test]\nname=test\nbaseurl=file:///repo\nmetadata_expire=never\n")
	h.Write("/etc/dnf/dnf.conf", "[main]\ngpgcheck=0\ninstall_weak_deps=0\nbest=1\n")
	h.Write("/etc/dnf/vars/releasever", "99\n")
	h.WriteProgram("/usr/lib/kernel/install.d/50-dracut.install", initrdPlugin)
	return h
}

// initrdPlugin stands where dracut's stands. It notes which added modules it
// would find for the kernel, by name, in depmod's index and on the disk.
const initrdPlugin = `#!/bin/sh
[ "$1" = add ] || { echo "$1 $2" >>/var/log/initrd; exit 0; }
cd "/lib/modules/$2" || exit
echo "add $2:" $(sed -n 's|^extra/\([^:]*\):.*|\1|p' modules.dep | sort | while read -r f; do [ -f "extra/$f" ] && basename "$f" | sed 's/\.ko.*//'; done) >>/var/log/initrd
`

// complaints are how dnf tells that a scriptlet or trigger did not succeed:
// with rpm 4.18 it exits 0 all the same.
var complaints = regexp.MustCompile(`(?i)(scriptlet failed|error in .* scriptlet|warning: .*scriptlet|errors? occurred)`)

// dnf runs a transaction, which must succeed with all of its scriptlets.
func (h *host) dnf(args ...string) box.Result {
	h.t.Helper()
	r := h.dnfAnyhow(args...)
	if said := complaints.FindString(r.Stdout + r.Stderr); said != "" || r.Status != 0 {
		h.t.Errorf("exit status %d, dnf says %q:\n%s", r.Status, said, r)
	}
	return r
}

// dnfAnyhow runs a transaction, which must be carried out whatever scriptlets
// say. When one fails, rpm 4 succeeds, and rpm 6 does not.
func (h *host) dnfAnyhow(args ...string) box.Result {
	h.t.Helper()
	r := h.Run(append([]string{"dnf", "-y"}, args...)...)
	if r.Status != 0 && (r.Status != 1 || !complaints.MatchString(r.Stdout+r.Stderr)) {
		h.t.Fatalf("exit status %d:\n%s", r.Status, r)
	}
	if testing.Verbose() {
		h.t.Logf("%.1fs: %s", r.Took.Seconds(), r)
	}
	return r
}

// rpm runs rpm, which must succeed with all scriptlets.
func (h *host) rpm(args ...string) {
	h.t.Helper()
	command := []string{"rpm"}
	if strings.Contains(h.Must("rpm", "--help").Stdout, "--force-debian") {
		command = append(command, "--force-debian") // older ones shy from a Debian
	}
	r := h.Must(append(command, args...)...)
	if said := complaints.FindString(r.Stdout + r.Stderr); said != "" {
		h.t.Errorf("rpm says %q:\n%s", said, r)
	}
}

// file is the path of a package of the repository.
func (h *host) file(name string) string {
	h.t.Helper()
	found := append(h.Glob("/repo/"+name+".*.rpm"), h.Glob("/repo/*/"+name+".*.rpm")...)
	if len(found) != 1 {
		h.t.Fatalf("packages of the name %s: %v; want one", name, found)
	}
	return found[0]
}

// compiled returns how often the modules were compiled since the last call:
// "foo/1.0 6.1.10-…" to a number. The modules' own recipes count; what our
// program has recorded must say the same.
func (h *host) compiled() map[string]int {
	h.t.Helper()
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
			if o.Did == "built" || o.Did == "failed" {
				recorded[fmt.Sprintf("%s/%s %s", o.Package, o.Version, o.Release)]++
			}
		}
	}
	if !maps.Equal(got, recorded) {
		h.t.Errorf("compiled %v; run records say %v", got, recorded)
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
	h.t.Helper()
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
			h.t.Errorf("%s: schema %d, %v:\n%s", path, r.Schema, err, h.Read(path))
		}
		out = append(out, r)
	}
	return out
}

// wantCompiled demands that since the last look each of the modules was
// compiled once for each of the kernels, and nothing else.
func (h *host) wantCompiled(packages []string, kernels ...kernel) {
	h.t.Helper()
	want := map[string]int{}
	for _, p := range packages {
		for _, k := range kernels {
			want[p+" "+k.Uname()] = 1
		}
	}
	if got := h.compiled(); !maps.Equal(got, want) {
		h.t.Errorf("compiled %v; want %v", got, want)
	}
}

// edition returns which edition of a module is installed for a kernel, as
// modprobe would take it; "" if none is.
func (h *host) edition(k kernel, module string) string {
	h.t.Helper()
	r := h.Run("modinfo", "-k", k.Uname(), "-F", "edition", module)
	return strings.TrimSpace(r.Stdout)
}

// wantEdition demands that the edition of the module is installed for the
// kernels, at the distribution's place, built for them, and the only one. It
// returns whether that is so.
func (h *host) wantEdition(module, edition string, kernels ...kernel) bool {
	h.t.Helper()
	ok := true
	wrong := func(format string, args ...any) {
		h.t.Helper()
		ok = false
		h.t.Errorf(format, args...)
	}
	for _, k := range kernels {
		if got := h.edition(k, module); got != edition {
			wrong("%s: %s of edition %q is installed; want %q", k.Uname(), module, got, edition)
			continue
		}
		files := h.moduleFiles(k, module)
		if edition == "" {
			if len(files) != 0 {
				wrong("%s: %s is still there: %v", k.Uname(), module, files)
			}
			continue
		}
		if len(files) != 1 || !strings.HasPrefix(files[0], "/lib/modules/"+k.Uname()+"/"+h.place+"/"+module+".ko") {
			wrong("%s: files of %s are %v; want one in %s/", k.Uname(), module, files, h.place)
		}
		vermagic := h.Run("modinfo", "-k", k.Uname(), "-F", "vermagic", module).Stdout
		if !strings.HasPrefix(vermagic, k.Uname()+" ") {
			wrong("%s: %s was built for %q", k.Uname(), module, vermagic)
		}
	}
	return ok
}

// moduleFiles returns where below a kernel's directory a module lies.
func (h *host) moduleFiles(k kernel, module string) []string {
	var out []string
	for _, pattern := range []string{"", "*/", "*/*/", "*/*/*/"} {
		out = append(out, h.Glob("/lib/modules/"+k.Uname()+"/"+pattern+module+".ko*")...)
	}
	return out
}

// wantInitrd demands which added modules the initrd plugin saw when it was last
// called for a kernel.
func (h *host) wantInitrd(k kernel, modules ...string) {
	h.t.Helper()
	last := "never called"
	for line := range strings.Lines(h.log("initrd")) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "add "+k.Uname()+":"); ok {
			last = strings.TrimSpace(rest)
		}
	}
	slices.Sort(modules)
	if want := strings.Join(modules, " "); last != want {
		h.t.Errorf("%s: the initrd plugin saw %q; want %q", k.Uname(), last, want)
	}
}

// log returns what stubs wrote to a file of /var/log.
func (h *host) log(name string) string {
	path := "/var/log/" + name
	if !h.Exists(path) {
		return ""
	}
	return string(h.Read(path))
}

// wantNothingOf demands that of a kernel nothing is left.
func (h *host) wantNothingOf(k kernel) {
	h.t.Helper()
	left := h.Glob("/var/lib/dkms/[^.]*/*/" + k.Uname() + "*")
	left = append(left, h.Glob("/var/lib/dkms/[^.]*/*/.log/"+k.Uname()+"*")...)
	left = append(left, h.Glob("/var/lib/dkms/[^.]*/kernel-"+k.Uname()+"*")...)
	for _, dir := range []string{"/lib/modules/" + k.Uname(), "/usr/src/kernels/" + k.Uname()} {
		if h.Exists(dir) {
			left = append(left, strings.Fields(h.Run("find", dir).Stdout)...)
		}
	}
	if len(left) > 0 {
		h.t.Errorf("%s: left over: %v", k.Uname(), left)
	}
}

// wantNothingAbout demands that of a module nothing is left.
func (h *host) wantNothingAbout(module string, kernels ...kernel) {
	h.t.Helper()
	h.wantEdition(module, "", kernels...)
	left := append(h.Glob("/var/lib/dkms/"+module), h.Glob("/usr/src/"+module+"-*")...)
	for _, k := range kernels {
		extra := "/lib/modules/" + k.Uname() + "/extra"
		if h.Exists(extra) && len(h.Glob(extra+"/*")) == 0 {
			left = append(left, extra)
		}
	}
	if len(left) > 0 {
		h.t.Errorf("%s: left over: %v", module, left)
	}
}

// check runs "dkms-hook check", which must exit with status.
func (h *host) check(status int, args ...string) box.Result {
	h.t.Helper()
	r := h.Run(append([]string{"dkms-hook", "check"}, args...)...)
	if r.Status != status {
		h.t.Errorf("exit status %d; want %d:\n%s", r.Status, status, r)
	}
	return r
}

// identity returns the identity of an installed module's file: a file that was
// replaced by an equal one has another.
func (h *host) identity(k kernel, module string) string {
	h.t.Helper()
	files := h.moduleFiles(k, module)
	if len(files) != 1 {
		h.t.Fatalf("%s: files of %s are %v; want one", k.Uname(), module, files)
	}
	return filepath.Base(files[0]) + " " + h.Must("stat", "-c", "%i %Y %s", files[0]).Stdout
}

// wantVersions demands that exactly these versions of a module are registered.
func (h *host) wantVersions(module string, versions ...string) {
	h.t.Helper()
	var got []string
	for _, path := range h.Glob("/var/lib/dkms/" + module + "/[0-9]*") {
		got = append(got, filepath.Base(path))
	}
	if !slices.Equal(got, versions) {
		h.t.Errorf("%s: versions in the tree are %q; want %q", module, got, versions)
	}
}

// wantIdentity demands that a module's file is still the one that identity told
// of before.
func (h *host) wantIdentity(before string, k kernel, module string) {
	h.t.Helper()
	if now := h.identity(k, module); now != before {
		h.t.Errorf("%s: %s is another file: %s; was %s", k.Uname(), module, now, before)
	}
}
