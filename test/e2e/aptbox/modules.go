package aptbox

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

var moduleFile = regexp.MustCompile(`\.ko(\.gz|\.xz|\.zst)?$`)

// Modules tells, for a kernel, which module files there are that are not of
// the kernel's own package: path below /lib/modules to content.
func (m Machine) Modules(release string) map[string]string {
	m.TB.Helper()
	out := map[string]string{}
	m.Walk("/lib/modules/"+release, func(path string, d fs.DirEntry) error {
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

// AllModules is modules for all the kernels of the machine.
func (m Machine) AllModules() map[string]string {
	m.TB.Helper()
	out := map[string]string{}
	for _, dir := range m.Glob("/lib/modules/*") {
		maps.Copy(out, m.Modules(filepath.Base(dir)))
	}
	return out
}

// Identity tells which files lie at the paths of modules, not what is in them:
// a file that was written anew is another.
func (m Machine) Identity(modules map[string]string) map[string]string {
	m.TB.Helper()
	out := map[string]string{}
	for path := range modules {
		maps.Copy(out, m.IdentityOf("/lib/modules/"+path))
	}
	return out
}

// IdentityOf is the identity of all files that match one of the patterns.
func (m Machine) IdentityOf(patterns ...string) map[string]string {
	m.TB.Helper()
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

// Same fails the test unless both maps say the same.
func (m Machine) Same(when string, want, got map[string]string) {
	m.TB.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		switch g, there := got[path]; {
		case !there:
			m.TB.Errorf("%s: %s is missing", when, path)
		case g != want[path]:
			m.TB.Errorf("%s: %s is another: %s; want %s", when, path, g, want[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if _, there := want[path]; !there {
			m.TB.Errorf("%s: %s should not be there", when, path)
		}
	}
}

// Find returns where modprobe would find a module of the engine's, or "" if
// the module is missing or the kernel's own.
func (m Machine) Find(release, name string) string {
	r := m.Run("modinfo", "-k", release, "-n", name)
	if path := strings.TrimSpace(r.Stdout); r.Status == 0 && !strings.HasPrefix(path, "/lib/modules/"+release+"/kernel/") {
		return path
	}
	return ""
}

// Has fails the test unless modprobe would find the module, and find it to be
// of that version and for that kernel.
func (m Machine) Has(release, name, version string) {
	m.TB.Helper()
	if m.Find(release, name) == "" {
		m.TB.Errorf("kernel %s has no %s: %s", release, name, m.Run("modinfo", "-k", release, "-n", name))
		return
	}
	if got := m.Field(release, name, "version"); got != version {
		m.TB.Errorf("kernel %s has %s %s; want %s", release, name, got, version)
	}
	if got := m.Field(release, name, "vermagic"); !strings.HasPrefix(got, release+" ") {
		m.TB.Errorf("%s of kernel %s is for %q", name, release, got)
	}
}

// HasFile is has for a kernel that has headers only, and so no index to ask.
func (m Machine) HasFile(release, name string) {
	m.TB.Helper()
	if len(m.Glob("/lib/modules/"+release+"/updates/dkms/"+name+".ko*")) != 1 {
		m.TB.Errorf("kernel %s has no file of %s: %v", release, name, m.Modules(release))
	}
}

// Field is what modinfo(8) tells of a module of the kernel; "" if nothing.
func (m Machine) Field(release, name, field string) string {
	return strings.TrimSpace(m.Run("modinfo", "-k", release, "-F", field, name).Stdout)
}

// Lacks fails the test if modprobe would find the module.
func (m Machine) Lacks(release, name string) {
	m.TB.Helper()
	if path := m.Find(release, name); path != "" {
		m.TB.Errorf("kernel %s has %s, and should not", release, path)
	}
}

// Walk calls fn, in the box, for all below dir; a missing dir is empty.
func (m Machine) Walk(dir string, fn func(string, fs.DirEntry) error) {
	m.TB.Helper()
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
		m.TB.Fatal(err)
	}
}
