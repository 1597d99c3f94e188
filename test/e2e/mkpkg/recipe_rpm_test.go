//go:build e2e

package mkpkg

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

var recipeRepository struct {
	once sync.Once
	tar  []byte
}

// recipeRepo is the repository with what rpmbuild makes of spec files, compared
// with what dkms-mkpkg makes itself. It is made once.
func recipeRepo(tb testing.TB) []byte {
	tb.Helper()
	recipeRepository.once.Do(func() {
		kernel := rpmbox.Kernels(tb)[0]
		specs := rpmbox.Specs(tb, kernel)
		specs["weak-modules"] = rpmbox.Render(tb, weakModulesSpec, struct{ Name, Version, Release string }{"weak-modules", "1", "1"})
		recipeRepository.tar = rpmbox.Repository(tb, specs, func(b *box.Box) {
			rpmbox.Ours(tb, b)
			rpmbox.Stock(tb, b)
			f := recipeForge(tb, b)
			f.headers(kernel)
			b.Must("mkdir", "/made")
			ours := tb.TempDir()
			for _, r := range recipeSources() {
				f.rpmbuild(r, kernel, ours)
			}
			made := f.take("/made")
			for _, r := range recipeSources() {
				name := r.rpm + "-dkms-"
				want := one(tb, ours, name+"*.noarch.rpm")
				sameRPM(tb, want, one(tb, made, "ba-"+name+"*.noarch.rpm"))
				sameRPM(tb, want, one(tb, made, "rebuilt-"+name+"*.noarch.rpm"))
			}
		})
	})
	if recipeRepository.tar == nil {
		tb.Fatal("there is no repository: the test that was to make it has failed")
	}
	return recipeRepository.tar
}

// withKsym are the sources whose compiled modules are for all kernels with the
// same symbols.
func withKsym(r real) bool { return r.name == "tp-smapi" || r.name == "v4l2loopback" }

// rpmbuild makes packages of all spec files of a source, in /repo; those of
// module sources are made from the source RPM, too. Ours go to a directory of
// this machine.
func (f forge) rpmbuild(r real, kernel rpmbox.Kernel, ours string) {
	f.tb.Helper()
	parent := f.tb.TempDir()
	tree, out := filepath.Join(parent, "tree"), filepath.Join(parent, "out")
	r.recipeTree(f.tb, tree)
	mkpkg(f.tb, "source", "--format", "rpm", "--no-sbom", "-o", ours, tree)
	mkpkg(f.tb, "source", "--format", "src.rpm", "--no-sbom", "-o", out, tree)
	mkpkg(f.tb, "spec", "-o", out, tree)
	mkpkg(f.tb, "spec", "--kind", "kmod", "-o", out, tree)
	f.bring(out, r.name)
	args := []string{"kernel_version " + kernel.Uname(), "--without"}
	if withKsym(r) {
		args[1] = "--with"
	}
	f.build(r.name, `
		rpmbuild() { command rpmbuild --quiet --define "_topdir $PWD" --define '_buildhost test' "$@"; }
		rpmbuild --rebuild *.src.rpm
		mv RPMS REBUILT
		mkdir -p SOURCES # as rpm -i has it
		rpm2cpio *.src.rpm | (cd SOURCES && cpio -idm --quiet)
		rpmbuild -ba *-dkms.spec
		mv RPMS DKMS
		rpmbuild -ba *-kmod.spec --define "$1" "$2" ksym
		ls SRPMS/*-dkms-*.src.rpm SRPMS/*-kmod-*.src.rpm`, args...)
	f.Must("sh", "-euc", `cd "/forge/$1"
		cp DKMS/*/* RPMS/*/* /repo
		for p in DKMS/*/*; do cp "$p" "/made/ba-${p##*/}"; done
		for p in REBUILT/*/*; do cp "$p" "/made/rebuilt-${p##*/}"; done`, "sh", r.name)
}

// rpmQueries are what must be the same; relations are without those of rpm
// itself, and lists without their order.
var rpmQueries = map[string]string{
	"identity": `%{NAME}\n%{EPOCH}\n%{VERSION}\n%{RELEASE}\n%{ARCH}\n%{SUMMARY}\n%{LICENSE}\n%{URL}\n%{GROUP}\n%{PACKAGER}\n%{DESCRIPTION}\n`,
	"changes":  `[%{CHANGELOGTIME:day} %{CHANGELOGNAME}\n%{CHANGELOGTEXT}\n]`,
	"requires": `[%{REQUIRENAME} %{REQUIREFLAGS:depflags} %{REQUIREVERSION}\n]`, "provides": `[%{PROVIDENAME} %{PROVIDEFLAGS:depflags} %{PROVIDEVERSION}\n]`,
	"recommends": `[%{RECOMMENDS}\n]`, "suggests": `[%{SUGGESTS}\n]`, "conflicts": `[%{CONFLICTS}\n]`, "obsoletes": `[%{OBSOLETES}\n]`,
	"scripts": `%{PREIN}\n%{POSTIN}\n%{PREUN}\n%{POSTUN}\n%{PRETRANS}\n%{POSTTRANS}\n`,
	"files":   `[%{FILENAMES} %{FILEMODES:perms} %{FILEDIGESTS} %{FILEFLAGS:fflags} %{FILELINKTOS} %{FILEUSERNAME} %{FILEGROUPNAME}\n]`,
}

// sameRPM demands that both packages say and hold the same.
func sameRPM(tb testing.TB, ours, theirs string) {
	tb.Helper()
	for what, format := range rpmQueries {
		query := func(file string) (all []string) {
			for _, l := range lines(output(tb, "rpm", "--dbpath", tb.TempDir(), "-qp", "--nosignature", "--qf", format, file)) {
				l = versioned.ReplaceAllString(strings.TrimSpace(l), "$1/")
				if strings.HasPrefix(l, "rpmlib(") || strings.HasPrefix(l, "/bin/sh") && what == "requires" || isDocDir(l) || slices.Contains(all, l) && what != "scripts" {
					continue
				}
				all = append(all, l)
			}
			if what != "changes" && what != "scripts" {
				slices.Sort(all)
			}
			return all
		}
		if diff := cmp.Diff(query(ours), query(theirs)); diff != "" {
			tb.Errorf("%s: %s: -ours +rpmbuild's\n%s", filepath.Base(theirs), what, diff)
		}
	}
}

// versioned is a directory for texts whose name some distributions' macros end
// in the version.
var versioned = regexp.MustCompile(`^(/usr/share/(?:doc|licenses)/[^/]*-dkms)-[0-9][^/ ]*/`)

// isDocDir tells of a directory for texts, which rpmbuild packs, too.
func isDocDir(line string) bool {
	return (strings.HasPrefix(line, "/usr/share/doc/") || strings.HasPrefix(line, "/usr/share/licenses/")) && strings.Contains(line, " drwx")
}

// TestRecipeRPM: dnf installs what rpmbuild makes of a spec, on our engine and,
// with -full, on dkms.
func TestRecipeRPM(t *testing.T) {
	t.Parallel()
	repo := recipeRepo(t)
	for _, engine := range cut(1, []string{"dkms-hook", "dkms"}) {
		h := host{rpmbox.New(t, repo), recipeSources(), []rpmbox.Kernel{rpmbox.Kernels(t)[0]}}
		h.Dnf("install", "debian-host-compat", "debian-host-matched", engine, h.kernels[0].Core(), h.kernels[0].Devel())
		var names []string
		for _, r := range h.reals {
			names = append(names, r.rpm+"-dkms")
		}
		h.Dnf(append([]string{"install"}, names...)...)
		h.has("install on "+engine, first, first)
		if engine == "dkms-hook" {
			h.Check(0)
		}
		h.hasOdd(odd.rpm + "-dkms")
		h.Dnf(append([]string{"remove", "--noautoremove"}, names...)...)
		h.nothing("removal on " + engine)
		h.hasNoOdd()
		if got := h.Log("odd"); got != "100% 1\n100% 0\n" {
			t.Errorf("the scripts of the source's own were called with %q", got)
		}
	}
}

// TestRecipeKmod: dnf installs modules that rpmbuild has compiled where nothing
// can be compiled, and brings their kernel.
func TestRecipeKmod(t *testing.T) {
	t.Parallel()
	h := host{Host: rpmbox.New(t, recipeRepo(t))}
	h.withoutCompiler()
	kernel := rpmbox.Kernels(t)[0]
	for _, r := range recipeSources() {
		name := "kmod-" + r.rpm
		h.Dnf("install", name)
		if h.Run("rpm", "-q", kernel.Core()).Status != 0 {
			t.Errorf("%s came without its kernel", name)
		}
		h.hasKmod("install", kernel, r, first)
		if withKsym(r) != strings.HasPrefix(h.weak(), "--add-modules --no-initramfs\nthere /lib/modules/") {
			t.Errorf("%s has asked weak-modules, or has not", name)
		}
		if r.name == odd.name {
			h.hasOdd(r.rpm + "-kmod-common")
		}
		h.Dnf("remove", "--noautoremove", kernel.Core(), name, name+"-*", r.rpm+"-kmod-common")
		h.nothingOfKmod(r)
		h.hasNoOdd()
	}
}

// oddFiles are the further files of odd, but for its scripts.
var oddFiles = []string{"/usr/share/odd sample/a b%c$d.conf", "/etc/default/odd_sample", "/usr/lib/odd-sample/ctl", "/usr/lib/firmware/blob.bin",
	"/usr/lib/modprobe.d/odd-e2e.conf", "/usr/lib/udev/rules.d/60-odd-e2e.rules"}

// hasOdd demands that all of odd's further files are of that package, and are
// what they were.
func (h host) hasOdd(owner string) {
	h.TB.Helper()
	for _, path := range oddFiles {
		if got := strings.TrimSpace(h.Must("rpm", "-qf", "--qf", "%{NAME}", path).Stdout); got != owner {
			h.TB.Errorf("%s is of %s; want %s", path, got, owner)
		}
	}
	if got := string(h.Read(oddFiles[0])); got != oddTree["data/a b%c$d.conf"] {
		h.TB.Errorf("%s is\n%s", oddFiles[0], got)
	}
	if got := string(h.Read("/usr/lib/firmware/blob.bin")); got != oddTree["data/blob.bin"] {
		h.TB.Errorf("the firmware is %q", got)
	}
	if got := h.Must("/usr/lib/odd-sample/ctl", "x").Stdout; got != "100% x\n" {
		h.TB.Errorf("the program of the source's own says %q", got)
	}
}

func (h host) hasNoOdd() {
	h.TB.Helper()
	for _, path := range oddFiles {
		if h.Exists(path) {
			h.TB.Errorf("%s is left", path)
		}
	}
}
