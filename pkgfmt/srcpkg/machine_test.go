package srcpkg

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// A machine is a directory in which scripts of packages run, with programs that
// stand in for the engines.
type machine struct {
	t      *testing.T
	format pkgfmt.Format
	root   string
	log    int // bytes of the log that have been read
}

// tools are all that scripts may call besides the engines.
var tools = []string{"cat", "cmp", "cp", "cut", "diff", "find", "grep", "ln", "mkdir", "mv", "readlink", "rm", "rmdir", "sh"}

// newMachine returns a machine with two kernels and an engine: dkms-hook, dkms
// or none.
func newMachine(t *testing.T, f pkgfmt.Format, engine string) *machine {
	t.Helper()
	m := &machine{t: t, format: f, root: t.TempDir()}
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(m.root, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.root, "bin", tool)); err != nil {
			t.Fatal(err)
		}
	}
	m.write("bin/depmod", "#!/bin/sh\necho \"depmod $*\" >>\"$ROOT/log\"\n", 0o755)
	m.engine(engine)
	for _, kernel := range []string{"6.1", "6.1-rt"} {
		m.write("lib/modules/"+kernel+"/build/include/config", "", 0o644)
	}
	m.write("log", "", 0o644)
	return m
}

// engine exchanges the engine.
func (m *machine) engine(name string) {
	m.t.Helper()
	for _, path := range []string{"bin/dkms", "bin/dkms-hook", "usr/lib/dkms"} {
		if err := os.RemoveAll(filepath.Join(m.root, path)); err != nil {
			m.t.Fatal(err)
		}
	}
	for program, path := range map[string]map[string]string{
		"dkms-hook": {"dkms-hook": "bin/dkms-hook"},
		"dkms":      {"dkms": "bin/dkms", "common.postinst": "usr/lib/dkms/common.postinst"},
		"none":      {},
	}[name] {
		text, err := os.ReadFile("testdata/" + program)
		if err != nil {
			m.t.Fatal(err)
		}
		m.write(path, string(text), 0o755)
	}
}

func (m *machine) write(path, text string, mode fs.FileMode) {
	m.t.Helper()
	write := treetest.Write
	if mode&0o111 != 0 {
		write = treetest.WriteProgram
	}
	write(m.t, filepath.Join(m.root, path), text)
}

// inside is a script whose paths are the machine's.
func (m *machine) inside(text string) string {
	var words []string
	for _, dir := range []string{"/var/lib/dkms", "/usr/src/", "/lib/modules/", "/etc/dkms/", "/usr/lib/dkms/", "/tmp/"} {
		words = append(words, dir, m.root+dir)
	}
	return strings.NewReplacer(words...).Replace(text)
}

// run runs a script of a package, if it has one, as its package manager does.
func (m *machine) run(p pkgfmt.Package, script string, args ...string) (status int, said string) {
	m.t.Helper()
	text, ok := p.Scripts[script]
	if !ok {
		return 0, ""
	}
	m.write("script", m.inside(text), 0o755)
	cmd := exec.Command("/bin/sh", append([]string{filepath.Join(m.root, "script")}, args...)...)
	cmd.Env = []string{"PATH=" + filepath.Join(m.root, "bin"), "ROOT=" + m.root, "LC_ALL=C"}
	if m.format == pkgfmt.Deb {
		cmd.Env = append(cmd.Env, "DPKG_ADMINDIR="+filepath.Join(m.root, "var/lib/dpkg"))
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		m.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(string(out), m.root, "")
}

// calls are what engines were called with since the last look.
func (m *machine) calls() []string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.root, "log"))
	if err != nil {
		m.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text[m.log:]), m.root, ""), "\n"), "\n")
	m.log = len(text)
	if len(lines) == 1 && lines[0] == "" {
		return nil
	}
	return lines
}

// all are the paths below a directory.
func (m *machine) all(dir string) (paths []string) {
	m.t.Helper()
	_ = filepath.WalkDir(filepath.Join(m.root, dir), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			paths = append(paths, strings.TrimPrefix(path, m.root+"/"))
		}
		return nil
	})
	return slices.DeleteFunc(paths, func(p string) bool { return p == dir })
}

// module is what is installed for a kernel under that name.
func (m *machine) module(kernel, name string) string {
	text, err := os.ReadFile(filepath.Join(m.root, "lib/modules", kernel, "updates", name+".ko"))
	if err != nil {
		return ""
	}
	return string(text)
}

// A thing is a package of the module foo in some version, with its source.
type thing struct {
	pkgfmt.Package
	version string
}

// packed is such a package: each word is a module, whose content is the edition;
// extra is text of the dkms.conf.
func (m *machine) packed(version, release, edition, extra string, modules ...string) thing {
	m.t.Helper()
	d := &source.Description{
		DKMS: dkms.Package{Name: "foo", Version: version}, Name: "foo", UpstreamVersion: version, Release: release,
		Conf:  &conf.Conf{Autoinstall: true},
		Files: []pkgfmt.File{{Path: "dkms.conf", Data: []byte("PACKAGE_NAME=foo\n" + extra)}},
	}
	if strings.Contains(extra, "by hand") {
		d.Conf.Autoinstall = false
	}
	for _, name := range append([]string{"foo"}, modules...) {
		d.Files = append(d.Files, pkgfmt.File{Path: name + ".c", Data: []byte(edition)})
	}
	return thing{composed(m.t, d, m.format), version}
}

func (m *machine) unpack(p thing) {
	m.t.Helper()
	for _, f := range p.Files {
		if f.Kind == pkgfmt.Regular {
			m.write(f.Path, string(f.Data), f.Mode)
		}
	}
}

// erase takes the files of a package away but for those of another.
func (m *machine) erase(p thing, but ...thing) {
	m.t.Helper()
	if len(but) > 0 && but[0].version == p.version {
		return
	}
	if err := os.RemoveAll(filepath.Join(m.root, "usr/src/foo-"+p.version)); err != nil {
		m.t.Fatal(err)
	}
}

// replace does what the package manager does to install p in the place of old,
// and returns the last status of a script that counts, and what scripts said.
func (m *machine) replace(old, p thing) (int, string) {
	m.t.Helper()
	if m.format == pkgfmt.Deb {
		m.prepare(old, p)
		m.erase(old)
		m.unpack(p)
		return m.run(p.Package, "postinst", "configure", old.Version.String())
	}
	said := m.rpm(p.Package, "pre", "2")
	m.unpack(p)
	said += m.rpm(p.Package, "post", "2") + m.rpm(old.Package, "preun", "1")
	m.erase(old, p)
	said += m.rpm(p.Package, "posttrans", "2")
	return 0, said
}

// prepare is what dpkg does before it unpacks p.
func (m *machine) prepare(old, p thing) {
	m.t.Helper()
	m.write("var/lib/dpkg/tmp.ci/postinst", p.Scripts["postinst"], 0o755)
	if status, said := m.run(old.Package, "prerm", "upgrade", p.Version.String()); status != 0 {
		m.t.Fatalf("prerm upgrade: %d: %s", status, said)
	}
}

func (m *machine) rpm(p pkgfmt.Package, script, arg string) string {
	m.t.Helper()
	status, said := m.run(p, script, arg)
	if status != 0 {
		m.t.Errorf("%s %s: status %d: %s", script, arg, status, said)
	}
	return said
}

func (m *machine) install(p thing) (int, string) {
	m.t.Helper()
	if m.format == pkgfmt.Deb {
		m.unpack(p)
		return m.run(p.Package, "postinst", "configure", "")
	}
	said := m.rpm(p.Package, "pre", "1")
	m.unpack(p)
	return 0, said + m.rpm(p.Package, "post", "1") + m.rpm(p.Package, "posttrans", "1")
}

func (m *machine) remove(p thing) {
	m.t.Helper()
	script, arg := "prerm", "remove"
	if m.format == pkgfmt.RPM {
		script, arg = "preun", "0"
	}
	if status, said := m.run(p.Package, script, arg); status != 0 {
		m.t.Errorf("%s %s: status %d: %s", script, arg, status, said)
	}
	m.erase(p)
}

// wantModule demands what is installed as a module for both kernels.
func (m *machine) wantModule(when, name, want string) {
	m.t.Helper()
	m.wantModules(when, name, want, want)
}

// wantModules demands an edition of a module for 6.1, and one for 6.1-rt.
func (m *machine) wantModules(when, name string, want ...string) {
	m.t.Helper()
	for i, kernel := range []string{"6.1", "6.1-rt"} {
		if got := m.module(kernel, name); got != want[i] {
			m.t.Errorf("%s: %s has %s of edition %q; want %q", when, kernel, name, got, want[i])
		}
	}
}

// wantNever demands that in all calls since the last look each kernel had foo.
func (m *machine) wantNever(when string) {
	m.t.Helper()
	for _, call := range m.calls() {
		for _, kernel := range []string{"6.1", "6.1-rt"} {
			if strings.HasPrefix(call, "dkms ") && !strings.Contains(call, fmt.Sprintf(" %s/updates/foo.ko=", kernel)) {
				m.t.Errorf("%s: without a module: %s", when, call)
			}
		}
	}
}

// wantNothing demands that nothing of foo is left.
func (m *machine) wantNothing(when string) {
	m.t.Helper()
	left := append(m.all("var/lib/dkms"), m.all("usr/src")...)
	for _, kernel := range []string{"6.1", "6.1-rt"} {
		left = append(left, m.all("lib/modules/"+kernel+"/updates")...)
	}
	if len(left) > 0 {
		m.t.Errorf("%s: left over: %v", when, left)
	}
}
