//go:build e2e

package mkpkg

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

// byKsym are the sources whose modules are packaged for all kernels with the
// same symbols.
func byKsym() (out []real) {
	for i, r := range reals() {
		if i%2 == 0 {
			out = append(out, r)
		}
	}
	return out
}

// byRelease are those whose modules are packaged for one kernel each.
func byRelease() (out []real) {
	for i, r := range reals() {
		if i%2 == 1 {
			out = append(out, r)
		}
	}
	return out
}

// symbolKernels are stubs of one kernel: its next two updates, one with the same
// symbols and one in which one differs.
type symbolKernels struct{ own, same, other rpmbox.Kernel }

func symbols(tb testing.TB) symbolKernels {
	all := rpmbox.Kernels(tb)
	own := all[0]
	same, other := own, own
	same.Version, other.Version = "6.1.20", "6.1.21"
	return symbolKernels{own, same, other}
}

var kmodRepository struct {
	once  sync.Once
	tar   []byte
	dir   string   // with our packages, on this machine
	later []string // with those of its next days
}

// kmodRepo is the repository with packages of built modules, kernels with and
// without the symbols that they need, and a weak-modules that writes down how it
// was called. It is made once.
func kmodRepo(tb testing.TB) []byte {
	tb.Helper()
	kmodRepository.once.Do(func() {
		specs := rpmbox.Specs(tb)
		specs["weak-modules"] = rpmbox.Render(tb, weakModulesSpec, struct{ Name, Version, Release string }{"weak-modules", "1", "1"})
		kmodRepository.tar = rpmbox.Repository(tb, specs, func(b *box.Box) {
			f := forgeIn(tb, b)
			k := symbols(tb)
			f.headers(k.own)
			f.headers(rpmbox.Kernels(tb)[1])
			for _, e := range []edition{first, second} {
				for _, r := range byKsym() {
					f.kmod(r, e, "/repo", "--format", "rpm", "--abi", "ksym", "--kernel", k.own.Uname(), "--debug")
				}
				for _, r := range byRelease() {
					f.kmod(r, e, "/repo", "--format", "rpm", "--kernel", k.own.Uname(), "--kernel", rpmbox.Kernels(tb)[1].Uname())
				}
			}
			f.rpmPair("/repo", "/later", k.own, rpmbox.Kernels(tb)[1])
			kmodRepository.dir, kmodRepository.later = f.take("/repo"), []string{f.take("/later/1"), f.take("/later/2")}
			var needed, changed []string
			for _, r := range byKsym() {
				theirs := f.checkGenerated(r, k.own)
				needed = append(needed, theirs...)
				changed = append(changed, strings.Split(theirs[0], " = ")[0]+" = 0x0badc0de")
				changed = append(changed, theirs[1:]...)
			}
			for _, kernel := range []rpmbox.Kernel{k.own, k.same, k.other, rpmbox.Kernels(tb)[1]} {
				have := needed
				if kernel == k.other {
					have = changed
				}
				specs["symbols-"+kernel.Version] = rpmbox.Render(tb, symbolKernelSpec, struct {
					rpmbox.Kernel
					Symbols []string
				}{kernel, have})
			}
		})
	})
	if kmodRepository.tar == nil {
		tb.Fatal("there is no repository: the test that was to make it has failed")
	}
	return kmodRepository.tar
}

// headers makes what one builds against for a kernel.
func (f forge) headers(k rpmbox.Kernel) {
	f.tb.Helper()
	script := strings.NewReplacer("%{buildroot}", "", "%{K}", k.Uname(), "{{.Headers}}", k.Headers).Replace(rpmbox.Farm)
	f.Must("sh", "-euc", "s=/usr/src/kernels/"+k.Uname()+"\n"+script)
	f.Symlink("/usr/src/kernels/"+k.Uname(), "/lib/modules/"+k.Uname()+"/build")
}

// checkGenerated compares what a package of symbols provides and requires with
// what the generators' rules say of the modules in it, and returns what it
// requires of the kernel.
func (f forge) checkGenerated(r real, k rpmbox.Kernel) (kernel []string) {
	f.tb.Helper()
	const oracle = "/forge/oracle.sh"
	f.Write(oracle, content(f.tb, filepath.Join(box.Project(), "pkgfmt/kmod/testdata/oracle.sh")))
	file := f.Glob("/repo/kmod-" + r.rpm + "-" + r.versionOf(first) + "-1.x86_64.rpm")[0]
	dir := "/forge/unpacked/" + r.name
	f.Must("sh", "-euc", `mkdir -p "$1"; cd "$1"; rpm2cpio "$2" | cpio -idm --quiet`, "sh", dir, file)
	modules := f.Glob(dir + "/lib/modules/" + k.Uname() + "/extra/" + r.rpm + "/*.ko*")
	if len(modules) != len(r.modules) {
		f.tb.Fatalf("%s has %q; want %q", file, modules, r.modules)
	}
	for _, what := range []string{"provides", "requires"} {
		have := map[string]bool{}
		for line := range strings.Lines(f.Must("rpm", "-qp", "--nosignature", "--"+what, file).Stdout) {
			line = strings.TrimSpace(line)
			if generated(line) {
				have[line] = true
			}
			if what == "requires" && strings.HasPrefix(line, "kernel(") {
				kernel = append(kernel, line)
			}
		}
		out := f.Must(append([]string{"bash", oracle, what, "/usr/src/kernels/" + k.Uname() + "/Module.symvers"}, modules...)...).Stdout
		for line := range strings.Lines(out) {
			if line = strings.TrimSpace(line); !have[line] {
				f.tb.Errorf("%s: %s lacks %q", file, what, line)
			}
			delete(have, line)
		}
		if len(have) > 0 {
			f.tb.Errorf("%s: the generators know nothing of %s %v", file, what, have)
		}
	}
	return kernel
}

// generated reports whether a relation is one that is read from modules.
func generated(line string) bool {
	for _, kind := range []string{"kmod", "kernel", "ksym", "modalias", "firmware"} {
		if strings.HasPrefix(line, kind+"(") {
			return true
		}
	}
	return false
}

// symbolKernelSpec is a kernel that says which symbols it has.
const symbolKernelSpec = `
%define K {{.Uname}}
%define __os_install_post %{nil}
%define debug_package %{nil}
Name: kernel-core
Version: {{.Version}}
Release: {{.Release}}
Summary: stub kernel
License: MIT
AutoReqProv: no
Provides: kernel = %{version}-%{release}
Provides: kernel-uname-r = %{K}
Provides: kernel-core-uname-r = %{K}
Provides: installonlypkg(kernel)
{{range .Symbols}}Provides: {{.}}
{{end}}
%description
stub
%install
d=%{buildroot}/lib/modules/%{K}
mkdir -p $d/kernel
for f in System.map symvers.gz modules.builtin modules.order; do : >$d/$f; done
%posttrans
depmod %{K}
%files
/lib/modules/%{K}
`

// weakModulesSpec is a weak-modules that notes its options and what it reads,
// and which of those files are there by then.
const weakModulesSpec = rpmbox.Preamble + `BuildArch: noarch
%description
stub
%install
mkdir -p %{buildroot}/usr/sbin
cat >%{buildroot}/usr/sbin/weak-modules <<'END'
#!/bin/sh
echo "$*" >>/var/log/weak-modules
while read -r file; do
	[ -e "$file" ] && echo "there $file" || echo "gone $file"
done >>/var/log/weak-modules
END
chmod 755 %{buildroot}/usr/sbin/weak-modules
%files
/usr/sbin/weak-modules
`

func newKmodHost(tb testing.TB) host {
	tb.Helper()
	h := host{Host: rpmbox.New(tb, kmodRepo(tb))}
	h.withoutCompiler()
	return h
}

// withoutCompiler takes away what builds modules.
func (h host) withoutCompiler() {
	h.TB.Helper()
	h.Must("sh", "-euc", `rm -f /usr/bin/make /usr/bin/*gcc* /usr/bin/cc /usr/bin/*-ld* /usr/bin/ld /usr/bin/ld.* /usr/bin/as /usr/bin/*-as; ! command -v make gcc cc as ld`)
	h.Dnf("install", "debian-host-compat", "weak-modules")
}

// weak returns what weak-modules was asked since the last time.
func (h host) weak() string {
	h.TB.Helper()
	log := h.Log("weak-modules")
	h.Write("/var/log/weak-modules", "")
	return log
}

// TestKmodSymbols: dnf brings a package together with a kernel that has the
// symbols it was built against, and refuses it where one of them is another.
func TestKmodSymbols(t *testing.T) {
	t.Parallel()
	h := newKmodHost(t)
	k := symbols(t)
	for _, r := range byKsym() {
		name := "kmod-" + r.rpm
		others := "--exclude=" + k.own.Core() + "*," + k.same.Core() + "*," + rpmbox.Kernels(t)[1].Core() + "*"
		refused := h.Run("dnf", "-y", others, "install", name)
		if refused.Status == 0 || !strings.Contains(refused.Stdout+refused.Stderr, " requires kernel(") {
			t.Fatalf("%s is not refused where one symbol differs:\n%s", name, refused)
		}
		if h.Run("rpm", "-q", name).Status == 0 || h.Run("rpm", "-q", k.other.Core()).Status == 0 {
			t.Errorf("what dnf refused is installed")
		}
		h.Dnf("install", name)
		if r := h.Run("rpm", "-q", k.same.Core()); r.Status != 0 {
			t.Errorf("%s came without the newest kernel that has its symbols: %s", name, h.Must("rpm", "-qa").Stdout)
		}
		if h.Run("rpm", "-q", k.other.Core()).Status == 0 {
			t.Errorf("%s came with a kernel that lacks a symbol of it", name)
		}
		// Another kernel may come, but the one with the symbols is needed.
		h.Dnf("install", k.other.Core())
		h.Dnf("remove", "--noautoremove", name)
		h.RPM("-e", k.other.Core()+"-"+k.other.Release)
		h.Dnf("remove", k.same.Core())
	}
}

// TestKmodWeakModules: weak-modules hears of what came and what went.
func TestKmodWeakModules(t *testing.T) {
	t.Parallel()
	h := newKmodHost(t)
	k := symbols(t)
	h.Dnf("install", k.own.Core())
	for _, r := range byKsym() {
		name := "kmod-" + r.rpm
		files := func(state string) (lines string) {
			for _, m := range r.modules {
				lines += fmt.Sprintf("%s /lib/modules/%s/extra/%s/%s.ko\n", state, k.own.Uname(), r.rpm, m)
			}
			return lines
		}
		const add, remove = "--add-modules --no-initramfs\n", "--remove-modules\n"
		h.weak()
		h.Dnf("install", name+"-"+r.versionOf(first))
		if got := h.weak(); got != add+files("there") {
			t.Errorf("install of %s asked weak-modules:\n%s", name, got)
		}
		h.hasKmod("install", k.own, r, first)
		h.Dnf("upgrade", name)
		if got := h.weak(); got != add+files("there")+remove+files("there") {
			t.Errorf("upgrade of %s asked weak-modules:\n%s", name, got)
		}
		h.hasKmod("upgrade", k.own, r, second)
		h.Dnf("reinstall", name)
		if got := h.weak(); got != add+files("there")+remove+files("there") {
			t.Errorf("reinstallation of %s asked weak-modules:\n%s", name, got)
		}
		h.Dnf("remove", "--noautoremove", name)
		if got := h.weak(); got != remove+files("gone") {
			t.Errorf("removal of %s asked weak-modules:\n%s", name, got)
		}
		h.nothingOfKmod(r)
	}
}

// TestKmodRelease: packages for one kernel each bring it along, and the one
// without modules follows the newest.
func TestKmodRelease(t *testing.T) {
	long(t)
	t.Parallel()
	h := newKmodHost(t)
	old, latest := rpmbox.Kernels(t)[0], rpmbox.Kernels(t)[1]
	for _, r := range byRelease() {
		name := "kmod-" + r.rpm
		latestOf := name + "-latest"
		h.Dnf("install", name+"-"+old.Uname()+"-"+r.versionOf(first))
		h.hasKmod("install", old, r, first)
		if h.Run("rpm", "-q", latest.Core()).Status == 0 {
			t.Errorf("%s for %s brought %s along", name, old.Uname(), latest.Core())
		}
		h.Dnf("install", latestOf+"-"+r.versionOf(first))
		h.hasKmod("install of the metapackage", latest, r, first)
		h.Dnf("upgrade", latestOf, name+"-"+old.Uname())
		h.hasKmod("upgrade", old, r, second)
		h.hasKmod("upgrade", latest, r, second)
		h.Dnf("remove", old.Core())
		// What depmod makes is for a kernel's own package to remove, which these
		// stubs do not.
		if left := h.Must("find", "/lib/modules/"+old.Uname(), "-mindepth", "1", "!", "-name", "modules.*").Stdout; left != "" {
			t.Errorf("of %s there is left:\n%s", old.Core(), left)
		}
		h.Dnf("remove", "--noautoremove", latestOf, name+"-"+latest.Uname())
		h.nothingOfKmod(r)
		h.Dnf("remove", latest.Core())
	}
	if got := h.weak(); got != "" {
		t.Errorf("weak-modules was asked:\n%s", got)
	}
}

// hasKmod demands that modprobe finds each module, of that edition, for a kernel.
func (h host) hasKmod(when string, k rpmbox.Kernel, r real, e edition) {
	h.TB.Helper()
	for _, name := range r.modules {
		want := path.Join("/lib/modules", k.Uname(), "extra", r.rpm, name+".ko")
		if got := strings.TrimSpace(h.Run("modinfo", "-k", k.Uname(), "-n", name).Stdout); got != want {
			h.TB.Errorf("%s: modprobe finds %s at %q; want %s", when, name, got, want)
		}
		if got, _, _ := strings.Cut(h.Run("modinfo", "-k", k.Uname(), "-F", "edition", name).Stdout, "\n"); got != e.String() {
			h.TB.Errorf("%s: %s of %s is of edition %q; want %s", when, name, k.Uname(), got, e)
		}
	}
}

// nothingOfKmod demands that nothing of the packages of a source is left.
func (h host) nothingOfKmod(r real) {
	h.TB.Helper()
	var left []string
	for _, pattern := range []string{"/lib/modules/*/extra", "/etc/depmod.d/kmod-*", "/usr/share/licenses/kmod-*", "/var/lib/rpm-state/kmod-dups"} {
		left = append(left, h.Glob(pattern)...)
	}
	for _, index := range h.Glob("/lib/modules/*/modules.dep") {
		if strings.Contains(string(h.Read(index)), "extra/") {
			left = append(left, index+" names modules")
		}
	}
	if len(left) > 0 {
		h.TB.Errorf("left of %s: %q", r.name, left)
	}
}
