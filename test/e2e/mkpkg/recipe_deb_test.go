//go:build e2e

package mkpkg

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
)

// TestRecipeDeb: dpkg-buildpackage makes of debian/ what dkms-mkpkg makes itself,
// and apt installs it, on our engine and on Debian's.
func TestRecipeDeb(t *testing.T) {
	t.Parallel()
	needs(t, "lintian")
	m := machine{Machine: aptbox.NewOld(t), reals: recipeSources()}
	m.Apt("install", "debhelper", "dh-dkms", "dpkg-dev", "fakeroot")
	f := recipeForge(t, m.Box)
	ours := t.TempDir()
	var paths []string
	for _, r := range m.reals {
		tree := filepath.Join(t.TempDir(), r.name)
		r.recipeTree(t, tree)
		mkpkg(t, "source", "--format", "deb", "--no-sbom", "-o", ours, tree)
		mkpkg(t, "debian", tree)
		f.bring(tree, r.name)
		f.Write("/forge/"+r.name+"/left.o", "of a build that somebody has tried here")
		kind := "-b"
		if r.name == odd.name {
			kind = "--build=full"
		}
		// All but build-essential, which has a compiler of C++.
		f.build(r.name, `dpkg-checkbuilddeps -I; dpkg-buildpackage -d "$1" -us -uc`, kind)
		paths = append(paths, f.Glob("/forge/"+r.name+"-dkms_*.deb")...)
	}
	if len(paths) != len(m.reals) {
		t.Fatalf("dpkg-buildpackage has made %q", paths)
	}
	f.Must("sh", "-euc", "mkdir /made; cp /forge/*_* /made")
	made := f.take("/made")
	for _, r := range m.reals {
		sameDeb(t, r, one(t, ours, r.name+"-dkms_*.deb"), one(t, made, r.name+"-dkms_*.deb"))
	}
	lintian(t, made)
	m.recipeLife(aptbox.Ours, paths)
	if !*full { // it takes its time
		m.reals, paths = m.reals[len(paths)-1:], paths[len(paths)-1:]
	}
	m.recipeLife(aptbox.Stock, paths)
}

// recipeLife installs the packages, and purges them.
func (m machine) recipeLife(e aptbox.Engine, paths []string) {
	m.TB.Helper()
	m.lenient = e.Name == aptbox.Stock.Name
	m.Engine(e)
	m.Apt(append([]string{"install"}, paths...)...)
	m.Settled()
	m.has("install on "+e.Name, first, first)
	if !m.lenient {
		m.Check(0)
	}
	if got := string(m.Read("/var/log/odd")); got != "100% configur\n" {
		m.TB.Errorf("the script of the source's own was called with %q", got)
	}
	if got := m.Must("/usr/lib/odd-sample/ctl", "x").Stdout; got != "100% x\n" {
		m.TB.Errorf("the program of the source's own says %q", got)
	}
	m.Apt(append([]string{"purge"}, m.names()...)...)
	m.Settled()
	m.nothing("purge on " + e.Name)
	for _, pattern := range []string{"/etc/default/odd*", "/usr/share/odd*", "/usr/lib/udev/rules.d/*odd*"} {
		if left := m.Glob(pattern); len(left) > 0 {
			m.TB.Errorf("purge on %s leaves %q", e.Name, left)
		}
	}
	m.RemoveAll("/var/log/odd")
	m.RemoveAll("/var/log/after")
}

// lintian has nothing to say of what dpkg-buildpackage has made but that nobody
// has asked Debian for it.
func lintian(tb testing.TB, dir string) {
	tb.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.d*"))
	out, err := exec.Command("lintian", append([]string{"--allow-root", "--tag-display-limit", "0", "--fail-on", "error,warning",
		"--suppress-tags", "initial-upload-closes-no-bugs"}, files...)...).CombinedOutput()
	if err != nil {
		tb.Errorf("lintian %q: %v\n%s", files, err, out)
	}
}

// sameDeb demands that both packages have the same fields and files, and that
// the scripts of the source's own come after debhelper's.
func sameDeb(tb testing.TB, r real, ours, theirs string) {
	tb.Helper()
	if diff := cmp.Diff(debFields(tb, ours), debFields(tb, theirs)); diff != "" {
		tb.Errorf("%s: fields: -ours +dpkg-buildpackage's\n%s", r.name, diff)
	}
	depends := strings.TrimSpace(output(tb, "dpkg-deb", "-f", theirs, "Depends"))
	if depends != "dkms (>= 2.1.0.0)" {
		tb.Errorf("%s depends on %s", r.name, depends)
	}
	if diff := cmp.Diff(debTree(tb, ours, "-x"), debTree(tb, theirs, "-x")); diff != "" {
		tb.Errorf("%s: files: -ours +dpkg-buildpackage's\n%s", r.name, diff)
	}
	control := tb.TempDir()
	output(tb, "dpkg-deb", "-e", theirs, control)
	scripts, _ := filepath.Glob(filepath.Join(control, "p*"))
	if len(scripts) != 2 {
		tb.Errorf("%s: scripts %q", r.name, scripts)
	}
	for _, path := range scripts {
		if text := content(tb, path); !strings.Contains(text, "DKMS_VERSION="+r.version+"\n") || r.name == odd.name && !strings.HasSuffix(text, oddTree["pack/after"]) {
			tb.Errorf("%s: %s:\n%s", r.name, filepath.Base(path), text)
		}
	}
}

// debFields are those of control that do not depend on who has built it.
func debFields(tb testing.TB, deb string) []string {
	tb.Helper()
	all := lines(strings.ReplaceAll(output(tb, "dpkg-deb", "-f", deb), "\n ", "\v "))
	all = slices.DeleteFunc(all, func(l string) bool {
		return strings.HasPrefix(l, "Depends:") || strings.HasPrefix(l, "Installed-Size:")
	})
	slices.Sort(all)
	return all
}

// debTree tells of all that a package has mode and content, or target. Whether
// a text for people is compressed depends on who has built it.
func debTree(tb testing.TB, deb, how string) map[string]string {
	tb.Helper()
	dir := tb.TempDir()
	output(tb, "dpkg-deb", how, deb, dir)
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		tree[name] = info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if plain, ok := strings.CutSuffix(name, ".gz"); ok && strings.HasPrefix(name, "/usr/share/doc/") {
				delete(tree, name)
				name = plain
				data, err = gunzip(data)
			}
			tree[name] = fmt.Sprintf("%s %d %x", info.Mode(), len(data), sha256.Sum256(data))
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			tree[name] += " -> " + target
			return err
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return tree
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// output is what a program that must succeed prints.
func output(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", name, args, err, &stderr)
	}
	return string(out)
}

// TestRecipeDebUpgrade: though dh_dkms's scripts have the old modules removed
// before the new ones are built, they stay on our engine.
func TestRecipeDebUpgrade(t *testing.T) {
	long(t)
	t.Parallel()
	m := machine{Machine: aptbox.NewOld(t), reals: reals()[1:2]}
	m.Apt("install", "debhelper", "dh-dkms", "dpkg-dev", "fakeroot")
	f := recipeForge(t, m.Box)
	r, debs := m.reals[0], map[edition]string{}
	for _, e := range []edition{first, second, broken} {
		tree := filepath.Join(t.TempDir(), r.name)
		r.write(t, e, tree)
		mkpkg(t, "debian", tree)
		f.bring(tree, e.String())
		f.build(e.String(), `dpkg-buildpackage -d -b -us -uc`)
		debs[e] = "/forge/" + r.name + "-dkms_" + r.versionOf(e) + "_all.deb"
	}
	m.Engine(aptbox.Ours)
	m.Apt("install", debs[first])
	m.has("install", first, first)
	succeeded(t, m.always(m.paths(), "install", debs[second]))
	m.has("upgrade", second, second)
	succeeded(t, m.always(m.paths(), "install", debs[broken]))
	m.has("upgrade to what does not compile", second, second, broken)
	succeeded(t, m.always(m.paths(), "install", "--allow-downgrades", debs[first]))
	m.has("downgrade", first, first)
	m.Apt(append([]string{"purge"}, m.names()...)...)
	m.nothing("purge")
}
