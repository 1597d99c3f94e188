//go:build e2e

package apt

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// words replaces "{NEW}", "{OLD}" and "{CLOUD}" by the kernels' releases.
func (m machine) words(args ...string) []string {
	r := strings.NewReplacer("{NEW}", m.generic, "{OLD}", m.old, "{CLOUD}", m.cloud)
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = r.Replace(a)
	}
	return out
}

// apt runs apt-get, which must succeed, as every package manager's command
// that is not disturbed. The box has no network, so nothing is downloaded.
func (m machine) apt(args ...string) box.Result {
	m.tb.Helper()
	return m.Must(m.words(append([]string{"apt-get", "-q", "-y"}, args...)...)...)
}

// engine installs an engine.
func (m machine) engine(e engine) {
	m.tb.Helper()
	m.apt(append([]string{"install"}, e.debs(m.tb, m)...)...)
}

// settled fails the test unless every package is as somebody wanted it to be.
func (m machine) settled() {
	m.tb.Helper()
	if r := m.Must("dpkg", "--audit"); r.Stdout != "" {
		m.tb.Errorf("dpkg is not done:\n%s", r.Stdout)
	}
	if r := m.Run("apt-get", "-q", "check"); r.Status != 0 {
		m.tb.Errorf("apt is not content: %s", r)
	}
}

var moduleFile = regexp.MustCompile(`\.ko(\.gz|\.xz|\.zst)?$`)

// modules tells, for a kernel, which module files there are that are not of
// the kernel's own package: path below /lib/modules to content.
func (m machine) modules(release string) map[string]string {
	m.tb.Helper()
	out := map[string]string{}
	m.walk("/lib/modules/"+release, func(path string, d fs.DirEntry) error {
		rel := strings.TrimPrefix(path, "/lib/modules/")
		if d.IsDir() && (rel == release+"/kernel" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if !moduleFile.MatchString(path) || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		hash, err := ko.ContentHash(path, true)
		out[rel] = hash
		return err
	})
	return out
}

// allModules is modules for all the kernels of the machine.
func (m machine) allModules() map[string]string {
	m.tb.Helper()
	out := map[string]string{}
	for _, dir := range m.Glob("/lib/modules/*") {
		maps.Copy(out, m.modules(filepath.Base(dir)))
	}
	return out
}

// identity tells which files lie at the paths of modules, not what is in them:
// a file that was written anew is another.
func (m machine) identity(modules map[string]string) map[string]string {
	m.tb.Helper()
	out := map[string]string{}
	for path := range modules {
		maps.Copy(out, m.identityOf("/lib/modules/"+path))
	}
	return out
}

// identityOf is the identity of all files that match one of the patterns.
func (m machine) identityOf(patterns ...string) map[string]string {
	m.tb.Helper()
	out := map[string]string{}
	for _, pattern := range patterns {
		for _, path := range m.Glob(pattern) {
			m.Do(func() {
				var st syscall.Stat_t
				if err := syscall.Lstat(path, &st); err != nil {
					out[path] = err.Error()
					return
				}
				out[path] = fmt.Sprintf("inode %d, written %d.%09d", st.Ino, st.Mtim.Sec, st.Mtim.Nsec)
			})
		}
	}
	return out
}

// same fails the test unless both maps say the same.
func (m machine) same(when string, want, got map[string]string) {
	m.tb.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		switch g, there := got[path]; {
		case !there:
			m.tb.Errorf("%s: %s is missing", when, path)
		case g != want[path]:
			m.tb.Errorf("%s: %s is another: %s; want %s", when, path, g, want[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if _, there := want[path]; !there {
			m.tb.Errorf("%s: %s should not be there", when, path)
		}
	}
}

// find returns where modprobe would find a module of the engine's, or "" if
// the module is missing or the kernel's own.
func (m machine) find(release, name string) string {
	r := m.Run("modinfo", "-k", release, "-n", name)
	if path := strings.TrimSpace(r.Stdout); r.Status == 0 && !strings.HasPrefix(path, "/lib/modules/"+release+"/kernel/") {
		return path
	}
	return ""
}

// has fails the test unless modprobe would find the module, and find it to be
// of that version and for that kernel.
func (m machine) has(release, name, version string) {
	m.tb.Helper()
	if m.find(release, name) == "" {
		m.tb.Errorf("kernel %s has no %s: %s", release, name, m.Run("modinfo", "-k", release, "-n", name))
		return
	}
	if got := m.field(release, name, "version"); got != version {
		m.tb.Errorf("kernel %s has %s %s; want %s", release, name, got, version)
	}
	if got := m.field(release, name, "vermagic"); !strings.HasPrefix(got, release+" ") {
		m.tb.Errorf("%s of kernel %s is for %q", name, release, got)
	}
}

// hasFile is has for a kernel that has headers only, and so no index to ask.
func (m machine) hasFile(release, name string) {
	m.tb.Helper()
	if len(m.Glob("/lib/modules/"+release+"/updates/dkms/"+name+".ko*")) != 1 {
		m.tb.Errorf("kernel %s has no file of %s: %v", release, name, m.modules(release))
	}
}

func (m machine) field(release, name, field string) string {
	return strings.TrimSpace(m.Run("modinfo", "-k", release, "-F", field, name).Stdout)
}

// lacks fails the test if modprobe would find the module.
func (m machine) lacks(release, name string) {
	m.tb.Helper()
	if path := m.find(release, name); path != "" {
		m.tb.Errorf("kernel %s has %s, and should not", release, path)
	}
}

// A run is what the program noted down about one of its runs.
type run struct {
	path     string
	Schema   int       `json:"schema"`
	Event    string    `json:"event"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Outcomes []outcome `json:"outcomes"`
}

// An outcome is what became of one package for one kernel.
type outcome struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch"`
	Did     string `json:"did"`
}

func (o outcome) target() string { return o.Package + "/" + o.Version + " for " + o.Release }

// runs returns what was noted down since the given number of runs, oldest first.
func (m machine) runs(since int) []run {
	m.tb.Helper()
	var out []run
	paths := m.Glob("/var/lib/dkms/.dkms-hook/runs/*.json")
	slices.Sort(paths)
	for _, path := range paths[min(since, len(paths)):] {
		r := run{path: path}
		if err := json.Unmarshal(m.Read(path), &r); err != nil {
			m.tb.Fatalf("%s: %v", path, err)
		}
		if r.Schema != 1 || r.Event == "" || r.Began.IsZero() || r.Ended.Before(r.Began) {
			m.tb.Errorf("%s: schema %d, event %q, from %v to %v", path, r.Schema, r.Event, r.Began, r.Ended)
		}
		out = append(out, r)
	}
	return out
}

// did counts the outcomes of a kind: target to how often.
func did(runs []run, what string) map[string]int {
	count := map[string]int{}
	for _, r := range runs {
		for _, o := range r.Outcomes {
			if o.Did == what {
				count[o.target()]++
			}
		}
	}
	return count
}

// check asks the program whether all is there, and fails the test unless it
// ends with that status and says what matches all of the expressions.
func (m machine) check(status int, says ...string) {
	m.tb.Helper()
	m.checkWith(nil, status, says...)
}

// checkWith is check with further options.
func (m machine) checkWith(options []string, status int, says ...string) {
	m.tb.Helper()
	if selfIsStock() {
		return
	}
	r := m.Run(append([]string{"dkms-hook", "check"}, options...)...)
	if r.Status != status {
		m.tb.Errorf("check: exit status %d; want %d\n%s", r.Status, status, r)
	}
	for _, expr := range says {
		if !regexp.MustCompile(expr).MatchString(r.Stdout + r.Stderr) {
			m.tb.Errorf("check does not say %q:\n%s", expr, r)
		}
	}
}

// checkFails fails the test if the program says that all is as it should be.
func (m machine) checkFails() {
	m.tb.Helper()
	if r := m.Run("dkms-hook", "check"); r.Status == 0 {
		m.tb.Errorf("check: exit status 0; want another\n%s", r)
	}
}

// treeOf returns what the tree has of a package, a version or a kernel, dot-files
// too.
func (m machine) treeOf(word string) (paths []string) {
	m.tb.Helper()
	m.walk("/var/lib/dkms", func(path string, d fs.DirEntry) error {
		switch name := d.Name(); {
		case path == "/var/lib/dkms/.dkms-hook":
			return fs.SkipDir
		case name == word, strings.HasPrefix(name, "kernel-"+word+"-"):
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}

// walk calls fn, in the box, for all below dir; a missing dir is empty.
func (m machine) walk(dir string, fn func(string, fs.DirEntry) error) {
	m.tb.Helper()
	var err error
	m.Do(func() {
		if _, statErr := os.Lstat(dir); statErr != nil {
			return
		}
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return fn(path, d)
		})
	})
	if err != nil {
		m.tb.Fatal(err)
	}
}
