package tree

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

const (
	release = "6.1.0-56-amd64"
	arch    = "x86_64"
)

var kernel = dkms.KernelID{Release: release, Arch: arch}

func ref(name, version string) dkms.Ref {
	return dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: kernel}
}

// fleeting is t.TempDir in memory, where there is a place for files: a thousand
// trees that nothing outlives wait for no disk.
func fleeting(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tree-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// newTree returns a tree in a directory of its own, with a kernel.
func newTree(t testing.TB) Tree {
	t.Helper()
	dir := fleeting(t)
	tr := Tree{Dir: filepath.Join(dir, "dkms"), SourceDir: filepath.Join(dir, "src"), InstallDir: filepath.Join(dir, "modules")}
	write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/stock.ko"), "stock")
	for _, d := range []string{tr.Dir, tr.SourceDir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func symlink(t testing.TB, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add registers a package that has a source.
func add(t testing.TB, tr Tree, p dkms.Package) {
	t.Helper()
	write(t, filepath.Join(tr.Source(p), "dkms.conf"), "PACKAGE_NAME="+p.Name+"\nPACKAGE_VERSION="+p.Version+"\n")
	write(t, filepath.Join(tr.Source(p), "Makefile"), "all:\n")
	must(t, tr.Register(p, tr.Source(p)))
}

// build publishes modules with the given files, content "NAME VER FILE".
func build(t testing.TB, tr Tree, r dkms.Ref, files ...string) {
	t.Helper()
	if _, err := os.Lstat(tr.SourceLink(r.Package)); err != nil {
		add(t, tr, r.Package)
	}
	s, err := tr.NewScratch(r)
	must(t, err)
	defer s.Close()
	stage := filepath.Join(s.Dir, "stage")
	b := Built{ConfFiles: []string{filepath.Join(tr.Source(r.Package), "dkms.conf")}}
	for _, f := range files {
		write(t, filepath.Join(stage, "module", f), r.Name+" "+r.Version+" "+f)
		b.Modules = append(b.Modules, Module{Name: moduleOf(f), Dir: "/updates/dkms"})
	}
	write(t, filepath.Join(stage, "log/make.log"), "built\n")
	must(t, tr.Publish(r, stage, b))
}

// failed records that r could not be built, with its log. It is later than all
// before and earlier than all that follows, by any clock.
func failed(t testing.TB, tr Tree, r dkms.Ref) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	write(t, log, "a log")
	must(t, tr.KeepFailed(r, "/nowhere", log))
	remove(t, tr.BuildDir(r.Package))
	must(t, os.Mkdir(tr.BuildDir(r.Package), 0o755))
	time.Sleep(2 * tick)
	must(t, tr.RecordFailure(Failure{Ref: r, Step: "build", Fingerprint: "a"}))
	time.Sleep(2 * tick)
}

// places are the placements in updates/dkms.
func places(tr Tree, r dkms.Ref, files ...string) []Placement {
	var list []Placement
	for _, f := range files {
		list = append(list, Placement{From: f, To: inUpdates(tr, f), Dest: "/kernel/drivers/misc"})
	}
	return list
}

func inUpdates(tr Tree, file string) string {
	return filepath.Join(tr.KernelDir(release), "updates/dkms", file)
}

// install builds, installs and commits.
func install(t testing.TB, tr Tree, r dkms.Ref, files ...string) {
	t.Helper()
	build(t, tr, r, files...)
	tx, err := tr.Install(r, places(tr, r, files...), InstallOptions{})
	must(t, err)
	must(t, tx.Commit())
	must(t, tr.DepmodDone(release))
}

// asDKMS makes the tree look as if dkms had built and installed it: without
// anything of ours.
func asDKMS(t testing.TB, tr Tree, r dkms.Ref) {
	t.Helper()
	remove(t, tr.manifestPath(r))
	remove(t, tr.own())
}

// look is what counts of all three directories: all but our own directory.
func look(t testing.TB, tr Tree) map[string]string {
	t.Helper()
	return treetest.Without(treetest.Snapshot(t, tr.Dir, tr.SourceDir, tr.InstallDir), ownDir)
}

// same fails when something differs from before.
func same(t testing.TB, before, after map[string]string) {
	t.Helper()
	if d := treetest.Diff(before, after); d != "" {
		t.Errorf("not as before:\n%s", d)
	}
}

// kindOf returns the kind of an error, or -1.
func kindOf(err error) dkms.Kind {
	var e *dkms.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return -1
}

// wantError checks kind, and that the text reads as errors here do.
func wantError(t testing.TB, err error, kind dkms.Kind, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q", text)
	}
	if got := kindOf(err); got != kind {
		t.Errorf("kind of %q = %d; want %d", err, got, kind)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q; want it to contain %q", err, text)
	}
	if strings.HasSuffix(err.Error(), ".") {
		t.Errorf("error %q ends with a full stop", err)
	}
}

// statuses returns the lines that status would print, of all packages or the given
// ones.
func statuses(t testing.TB, tr Tree, o CompareOptions, only ...dkms.Package) []string {
	t.Helper()
	s, err := tr.Scan(t.Context())
	must(t, err)
	s.Packages = slices.DeleteFunc(s.Packages, func(p PackageState) bool { return len(only) > 0 && !slices.Contains(only, p.Package) })
	must(t, tr.Compare(t.Context(), &s, o))
	var lines []string
	for _, p := range s.Packages {
		if p.State == dkms.Broken || len(p.Refs) == 0 {
			lines = append(lines, p.Package.String()+": "+p.State.String())
			continue
		}
		for _, r := range p.Refs {
			line := r.Package.String() + ", " + r.Release + ", " + r.Arch + ": " + r.State.String()
			if r.Originals {
				line += " (Original modules exist)"
			}
			if r.Differs {
				line += " (Differences between built and installed modules)"
			}
			if r.Missing {
				line += " (Built modules are missing in the kernel modules folder)"
			}
			lines = append(lines, line)
		}
	}
	for _, w := range s.Weak {
		lines = append(lines, w.Name+", "+w.Version+", "+w.Release+", "+w.Arch+": installed-weak from "+w.From)
	}
	return lines
}
