package tree

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	p := dkms.Package{Name: "pa", Version: "1.0"}
	tr := newTree(t)
	add(t, tr, p)
	if got, _ := os.Readlink(tr.SourceLink(p)); got != tr.Source(p) {
		t.Errorf("source link = %q; want %q", got, tr.Source(p))
	}
	if !system.IsDir(tr.BuildDir(p)) {
		t.Error("no build directory, which dkms makes")
	}
	before := look(t, tr)
	wantError(t, tr.Register(p, tr.Source(p)), dkms.AlreadyAdded, "pa/1.0: is already in the tree")
	wantError(t, tr.Register(dkms.Package{Name: "a b", Version: "1"}, "/x"), dkms.Incomplete, "package name")
	wantError(t, tr.Register(dkms.Package{Name: "a", Version: "../1"}, "/x"), dkms.Incomplete, "package version")
	wantError(t, tr.Unregister(dkms.Package{Name: "pb", Version: "1"}), dkms.NotInTree, "is not in the tree")
	same(t, before, look(t, tr))

	must(t, tr.Unregister(p))
	if names, _ := filepath.Glob(tr.Dir + "/[^.]*"); len(names) != 0 {
		t.Errorf("after Unregister the tree holds %q; want nothing", names)
	}
	if !system.IsDir(tr.Source(p)) {
		t.Error("the source is gone")
	}
}

// TestRegisterMends: a broken link is replaced, what is built stays.
func TestRegisterMends(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	build(t, tr, r, "alpha.ko")
	remove(t, tr.SourceLink(r.Package))
	symlink(t, "/nowhere", tr.SourceLink(r.Package))
	must(t, tr.Register(r.Package, tr.Source(r.Package)))
	if d := cmp.Diff([]string{"pa/1.0, " + release + ", x86_64: built"}, statuses(t, tr, CompareOptions{})); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
}

func TestUnregisterKeepsOtherVersions(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	add(t, tr, dkms.Package{Name: "pa", Version: "1.0"})
	add(t, tr, dkms.Package{Name: "pa", Version: "2.0"})
	must(t, tr.Unregister(dkms.Package{Name: "pa", Version: "1.0"}))
	if d := cmp.Diff([]string{"pa/2.0: added"}, statuses(t, tr, CompareOptions{})); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
}

func TestScratch(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	_, err := tr.NewScratch(r)
	wantError(t, err, dkms.NotInTree, "pa/1.0: is not in the tree")
	add(t, tr, r.Package)
	before := look(t, tr)
	s, err := tr.NewScratch(r)
	must(t, err)
	for _, dir := range []string{s.Dir, s.Build, s.Stage} {
		if !system.IsDir(dir) {
			t.Errorf("%s does not exist", dir)
		}
	}
	if s.Build != tr.BuildDir(r.Package) || s.Stage != tr.RefDir(r) {
		t.Errorf("scratch = %+v; want the canonical paths", s)
	}
	if d := cmp.Diff([]string{"pa/1.0: added"}, statuses(t, tr, CompareOptions{})); d != "" {
		t.Errorf("status while building (-want +got):\n%s", d)
	}
	must(t, s.Close())
	same(t, before, look(t, tr))
}

func TestPublishNothing(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	before := look(t, tr)
	wantError(t, tr.Publish(r, filepath.Join(t.TempDir(), "none"), Built{}), dkms.ModuleNotProduced, "nothing was staged")
	same(t, before, look(t, tr))
}

// TestPublishOverInstalled: what is installed stays known, so that it can be
// removed, while the tree holds another build.
func TestPublishOverInstalled(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	must(t, publishAgain(r)(tr))
	if got := modules(t, tr)["updates/dkms/alpha.ko"]; got != "pa 1.0 alpha.ko" {
		t.Errorf("installed module = %q; want it untouched", got)
	}
	if got := read(t, tr.ModuleDir(r)+"/alpha.ko"); got != "anew" {
		t.Errorf("built module = %q; want the new one", got)
	}
	must(t, commit(tr.Uninstall(r, nil)))
	if got := modules(t, tr); len(got) != 0 {
		t.Errorf("after uninstall there is %v; want nothing", got)
	}
}

func TestKeepFailed(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	other := r
	other.Release = "6.1.0-57-amd64"
	add(t, tr, r.Package)
	fail := func(r dkms.Ref) {
		s, err := tr.NewScratch(r)
		must(t, err)
		defer s.Close()
		write(t, s.Dir+"/build/src/a.c", r.Release)
		symlink(t, "/etc/passwd", s.Dir+"/build/make.log")
		write(t, s.Dir+"/make.log", "log of "+r.Release)
		must(t, tr.KeepFailed(r, s.Dir+"/build", s.Dir+"/make.log"))
	}
	fail(r)
	fail(other)
	if got := read(t, tr.BuildDir(r.Package)+"/src/a.c"); got != other.Release {
		t.Errorf("build directory is that of %q; want the last one", got)
	}
	if got := read(t, tr.BuildDir(r.Package)+"/make.log"); got != "log of "+other.Release {
		t.Errorf("build/make.log = %q; want the last one", got)
	}
	if info, err := os.Lstat(tr.BuildDir(r.Package) + "/make.log"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("build/make.log is %v, %v; want a file", info, err)
	}
	for _, r := range []dkms.Ref{r, other} {
		if got := read(t, tr.LogPath(r)); got != "log of "+r.Release {
			t.Errorf("log of %s = %q", r, got)
		}
	}
	if d := cmp.Diff([]string{"pa/1.0: added"}, statuses(t, tr, CompareOptions{})); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
	// A success of one leaves the failure of the other to be read.
	build(t, tr, r, "alpha.ko")
	if system.Exists(tr.LogPath(r)) || !system.Exists(tr.LogPath(other)) || !system.Exists(tr.BuildDir(r.Package)+"/src/a.c") {
		t.Error("the success of one kernel removed the wrong log or build")
	}
	build(t, tr, other, "alpha.ko")
	if left, _ := os.ReadDir(tr.BuildDir(r.Package)); len(left) != 0 {
		t.Errorf("build directory still holds %v", left)
	}
	must(t, tr.KeepFailed(r, "/nowhere", "/nowhere"))
}

func TestUnbuild(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	add(t, tr, r.Package)
	before := look(t, tr)
	wantError(t, tr.Unbuild(r), dkms.NotInTree, "is not built")
	build(t, tr, r, "alpha.ko")
	must(t, tr.Unbuild(r))
	same(t, before, look(t, tr))
}

// TestSweepRemnants: directories that dkms would stumble over go, all that may
// be somebody's stays.
func TestSweepRemnants(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	write(t, tr.PackageDir(r.Package)+"/junk/dir/file", "")
	write(t, tr.PackageDir(r.Package)+"/tarball/x.tar.gz", "")
	write(t, tr.Dir+"/pa/file", "")
	write(t, tr.Dir+"/other/9/file", "")
	write(t, tr.SourceDir+"/.hidden/file", "")
	write(t, tr.LogPath(ref("pa", "1.0")), "log")
	before := look(t, tr)

	write(t, tr.PackageDir(r.Package)+"/half/x86_64/log/make.log", "")
	must(t, os.MkdirAll(tr.PackageDir(r.Package)+"/empty/x86_64", 0o755))
	must(t, os.MkdirAll(tr.Dir+"/begun/1.0/build", 0o755))
	write(t, tr.PackageDir(r.Package)+"/.scratch/x/build/a.c", "")
	write(t, tr.trashDir()+"/1/x", "")
	symlink(t, "x", tr.Dir+"/pa/.kernel-x"+newSuffix)
	write(t, tr.SourceDir+"/.pa-3.0"+newSuffix+"/x", "")
	s, err := tr.Sweep(t.Context())
	must(t, err)
	same(t, before, look(t, tr))
	if len(s.Notes) != 4 {
		t.Errorf("Sweep().Notes = %q; want 4", s.Notes)
	}
	noRemnants(t, tr)
}

func TestSweepStrangeJournal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", `{"schema":99}`, `{"schema":1,"changes":[{"op":"drop","path":"/etc/passwd","old":"/etc/x"}]}`} {
		tr := newTree(t)
		write(t, tr.journalDir()+"/x.json", text)
		write(t, tr.journalDir()+"/.x.json123", text)
		before := look(t, tr)
		_, err := tr.Sweep(t.Context())
		if err == nil {
			t.Errorf("Sweep() with the journal %q: no error", text)
		}
		same(t, before, look(t, tr))
	}
}

func TestSweepNoTree(t *testing.T) {
	t.Parallel()
	tr := Tree{Dir: filepath.Join(t.TempDir(), "none"), SourceDir: "/nowhere", InstallDir: "/nowhere"}
	if s, err := tr.Sweep(t.Context()); err != nil || len(s.Notes) != 0 {
		t.Errorf("Sweep() = %+v, %v; want nothing", s, err)
	}
	if system.Exists(tr.Dir) {
		t.Error("Sweep() made the tree")
	}
}

func TestLock(t *testing.T) { // LockEnv is the process's: not parallel
	tr := newTree(t)
	lock, err := tr.Lock(t.Context(), nil)
	must(t, err)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("interrupted"))
	defer cancel()
	// Without the variable this process does not look like its own child.
	t.Setenv(system.LockEnv, "")
	waited := 0
	_, err = tr.Lock(ctx, func(pid int) { waited = pid })
	var known *dkms.Error
	if !errors.As(err, &known) || known.Kind != dkms.Interrupted || known.Problem != "interrupted while waiting for another run" || known.Hint == "" {
		t.Errorf("Lock() = %v; want that it was interrupted, and a hint", err)
	}
	if waited != os.Getpid() {
		t.Errorf("waited for %d; want %d", waited, os.Getpid())
	}
	must(t, lock.Unlock())
	lock, err = tr.Lock(t.Context(), nil)
	must(t, err)
	must(t, lock.Unlock())

	remove(t, tr.Dir)
	write(t, tr.Dir, "a file")
	_, err = tr.Lock(t.Context(), nil)
	wantError(t, err, dkms.Unknown, "cannot be written")
}

func TestModuleName(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"a.ko": "a", "/x/a-b.ko.xz": "a-b", "a.ko.zst": "a", "a.ko.gz": "a",
		"a.o": "", ".ko": "", "a.ko.bz2": "", "a": "", "a.ko.origin": ""} {
		if got, ok := ModuleName(file); got != want || ok != (want != "") {
			t.Errorf("ModuleName(%q) = %q, %v; want %q", file, got, ok, want)
		}
	}
}
