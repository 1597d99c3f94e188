package tree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// crash is what a step panics with to play a SIGKILL: no deferred clean-up of
// ours may run on it, so nothing in the package recovers or defers undoing.
type crash struct{ step string }

// scenario is a change and what may be seen after a crash in it.
type scenario struct {
	name  string
	setUp func(t *testing.T, tr Tree)
	act   func(tr Tree) error
}

func commit(tx *Transaction, err error) error {
	if err != nil {
		return err
	}
	return tx.Commit()
}

func scenarios() []scenario {
	one, two := ref("pa", "1.0"), ref("pa", "2.0")
	original := func(t *testing.T, tr Tree) {
		write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/alpha.ko.xz"), "original")
		write(t, inUpdates(tr, "beta.ko"), "somebody's")
	}
	return []scenario{
		{"first install", func(t *testing.T, tr Tree) { build(t, tr, one, "alpha.ko") },
			func(tr Tree) error { return commit(tr.Install(one, places(tr, one, "alpha.ko"), InstallOptions{})) }},
		{"install with originals", func(t *testing.T, tr Tree) { original(t, tr); build(t, tr, one, "alpha.ko", "beta.ko") },
			func(tr Tree) error {
				return commit(tr.Install(one, places(tr, one, "alpha.ko", "beta.ko"), InstallOptions{}))
			}},
		{"upgrade", func(t *testing.T, tr Tree) {
			original(t, tr)
			install(t, tr, one, "alpha.ko", "beta.ko")
			build(t, tr, two, "alpha.ko", "gamma.ko")
		},
			func(tr Tree) error {
				return commit(tr.Install(two, places(tr, two, "alpha.ko", "gamma.ko"), InstallOptions{}))
			}},
		{"reinstall as links", func(t *testing.T, tr Tree) { install(t, tr, one, "alpha.ko") },
			func(tr Tree) error {
				return commit(tr.Install(one, places(tr, one, "alpha.ko"), InstallOptions{Symlink: true}))
			}},
		{"uninstall", func(t *testing.T, tr Tree) { install(t, tr, one, "alpha.ko", "beta.ko") },
			func(tr Tree) error { return commit(tr.Uninstall(one, nil)) }},
		{"uninstall with originals", func(t *testing.T, tr Tree) { original(t, tr); install(t, tr, one, "alpha.ko", "beta.ko") },
			func(tr Tree) error { return commit(tr.Uninstall(one, nil)) }},
		{"register", func(*testing.T, Tree) {},
			func(tr Tree) error { return tr.Register(one.Package, tr.Source(one.Package)) }},
		{"unregister", func(t *testing.T, tr Tree) { build(t, tr, one, "alpha.ko") },
			func(tr Tree) error { return tr.Unregister(one.Package) }},
		{"unbuild", func(t *testing.T, tr Tree) { build(t, tr, one, "alpha.ko") },
			func(tr Tree) error { return tr.Unbuild(one) }},
		{"publish", func(t *testing.T, tr Tree) { add(t, tr, one.Package) }, publishAgain(one)},
		{"publish again", func(t *testing.T, tr Tree) { install(t, tr, one, "alpha.ko") }, publishAgain(one)},
		{"publish after a failure", func(t *testing.T, tr Tree) { install(t, tr, one, "alpha.ko"); failed(t, tr, one) }, publishAgain(one)},
		{"unbuild after a failure", func(t *testing.T, tr Tree) { build(t, tr, one, "alpha.ko"); failed(t, tr, one) },
			func(tr Tree) error { return tr.Unbuild(one) }},
		{"first failure", func(t *testing.T, tr Tree) { add(t, tr, one.Package) },
			func(tr Tree) error { return tr.RecordFailure(Failure{Ref: one, Fingerprint: "a"}) }},
		{"next failure", func(t *testing.T, tr Tree) { build(t, tr, one, "alpha.ko"); failed(t, tr, one) },
			func(tr Tree) error { return tr.RecordFailure(Failure{Ref: one, Fingerprint: "a"}) }},
		{"forget a failure", func(t *testing.T, tr Tree) { add(t, tr, one.Package); failed(t, tr, one) },
			func(tr Tree) error { return tr.ForgetFailure(one) }},
		{"retire", func(t *testing.T, tr Tree) { install(t, tr, one, "alpha.ko") },
			func(tr Tree) error { return tr.Retire(one.Package, Retirement{By: "pa-dkms"}) }},
		{"adopt", func(t *testing.T, tr Tree) { install(t, tr, one, "alpha.ko"); remove(t, tr.manifestPath(one)) },
			func(tr Tree) error { return tr.Adopt(one, Built{Fingerprint: "a"}, nil) }},
		{"unretire", func(t *testing.T, tr Tree) {
			install(t, tr, one, "alpha.ko")
			must(t, tr.Retire(one.Package, Retirement{By: "pa-dkms"}))
		}, func(tr Tree) error { return tr.Unretire(one.Package) }},
	}
}

func publishAgain(r dkms.Ref) func(Tree) error {
	return func(tr Tree) error {
		s, err := tr.NewScratch(r)
		if err != nil {
			return err
		}
		stage := filepath.Join(s.Dir, "stage")
		if err := errors.Join(os.MkdirAll(stage+"/module", 0o755), os.WriteFile(stage+"/module/alpha.ko", []byte("anew"), 0o644)); err != nil {
			return err
		}
		if err := tr.Publish(r, stage, Built{}); err != nil {
			return errors.Join(err, s.Close())
		}
		return s.Close()
	}
}

// steps runs act and returns the names of its steps.
func (sc scenario) steps(t *testing.T) []string {
	t.Helper()
	tr := newTree(t)
	sc.setUp(t, tr)
	var names []string
	tr.step = func(name string) error { names = append(names, name); return nil }
	must(t, sc.act(tr))
	if len(names) == 0 {
		t.Fatal("no steps")
	}
	return names
}

// stopAt runs act and ends it at its nth step, by a panic or an error.
func (sc scenario) stopAt(tr Tree, n int, fail error) (err error) {
	defer func() {
		if c := recover(); c != nil {
			if _, ok := c.(crash); !ok {
				panic(c)
			}
			err = nil
		}
	}()
	tr.step = func(name string) error {
		if n--; n == 0 {
			if fail != nil {
				return fail
			}
			panic(crash{name})
		}
		return nil
	}
	return sc.act(tr)
}

// TestCrash stops every change at every step, sweeps, and wants the old state
// or the new one; then the same change must succeed.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios() {
		done := sc.finished(t)
		for i, step := range sc.steps(t) {
			t.Run(fmt.Sprintf("%s/%d %s", sc.name, i+1, step), func(t *testing.T) {
				t.Parallel()
				tr := newTree(t)
				sc.setUp(t, tr)
				before := look(t, tr)
				must(t, sc.stopAt(tr, i+1, nil))
				if _, err := tr.Scan(t.Context()); err != nil {
					t.Errorf("Scan() after the crash: %v", err)
				}
				if _, err := tr.Sweep(t.Context()); err != nil {
					t.Fatalf("Sweep() = %v", err)
				}
				after := look(t, tr)
				if back := treetest.Diff(before, after); back != "" {
					if d := treetest.Diff(done, rebase(after, tr)); d != "" {
						t.Errorf("neither old nor new state; to the old one:\n%s\nto the new one:\n%s", back, d)
					}
				} else {
					must(t, sc.act(tr))
					if d := treetest.Diff(done, rebase(look(t, tr), tr)); d != "" {
						t.Errorf("after doing it again:\n%s", d)
					}
				}
				noRemnants(t, tr)
			})
		}
	}
}

// TestFailure fails every change at every step and wants everything as before,
// at once: no Sweep.
func TestFailure(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios() {
		for i, step := range sc.steps(t) {
			if strings.Contains(step, " finish") || strings.Contains(step, " forget") || step == "publish discard" {
				continue // past the point of no return: TestCrash has these
			}
			t.Run(fmt.Sprintf("%s/%d %s", sc.name, i+1, step), func(t *testing.T) {
				t.Parallel()
				tr := newTree(t)
				sc.setUp(t, tr)
				before := look(t, tr)
				err := sc.stopAt(tr, i+1, syscall.ENOSPC)
				if err == nil {
					t.Fatal("no error")
				}
				if kindOf(err) == -1 || !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("error %q is no dkms.Error about a full disk", err)
				}
				tr.step = nil
				if strings.HasSuffix(step, "journal") && i > 1 { // Commit failed: still to be undone
					if _, err := tr.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				same(t, before, look(t, tr))
			})
		}
	}
}

// finished is what a run without a crash leaves.
func (sc scenario) finished(t *testing.T) map[string]string {
	t.Helper()
	tr := newTree(t)
	sc.setUp(t, tr)
	must(t, sc.act(tr))
	return rebase(look(t, tr), tr)
}

// rebase makes snapshots of different trees comparable. Manifests hold paths
// and times, and links and .origin files paths.
func rebase(s map[string]string, tr Tree) map[string]string {
	root := filepath.Dir(tr.Dir)
	out := map[string]string{}
	for path, what := range s {
		if base := filepath.Base(path); base == manifestFile || base == failureFile || base == retiredFile || strings.HasSuffix(base, originSuffix) {
			what = "any"
		}
		out[strings.ReplaceAll(path, root, "")] = strings.ReplaceAll(what, root, "")
	}
	return out
}

// noRemnants wants no temporary name anywhere.
func noRemnants(t *testing.T, tr Tree) {
	t.Helper()
	for path := range treetest.Snapshot(t, tr.Dir, tr.SourceDir, tr.InstallDir) {
		if strings.HasSuffix(path, newSuffix) || strings.HasSuffix(path, oldSuffix) ||
			strings.Contains(path, "/"+scratchDir) || filepath.Dir(path) == tr.journalDir() || filepath.Dir(path) == tr.trashDir() {
			t.Errorf("left over: %s", path)
		}
	}
}

// TestSweepTellsDepmod wants the note about modules.dep to outlive a crash.
func TestSweepTellsDepmod(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	build(t, tr, r, "alpha.ko")
	if _, err := tr.Install(r, places(tr, r, "alpha.ko"), InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	// Neither Commit nor Undo: the process is gone.
	s, err := tr.Sweep(t.Context())
	must(t, err)
	if len(s.Depmod) != 1 || s.Depmod[0] != release {
		t.Errorf("Sweep().Depmod = %q; want %q", s.Depmod, release)
	}
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "taken back") {
		t.Errorf("Sweep().Notes = %q; want one that tells of the install", s.Notes)
	}
	if _, err := os.Lstat(inUpdates(tr, "alpha.ko")); err == nil {
		t.Error("the module of an unfinished install is still there")
	}
	must(t, tr.DepmodDone(release))
	if s, err = tr.Sweep(t.Context()); err != nil || len(s.Depmod)+len(s.Notes) != 0 {
		t.Errorf("second Sweep() = %+v, %v; want nothing", s, err)
	}
}

// A compiler whose make was killed writes on for a while.
func TestSweepOutlastsWriters(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	add(t, tr, ref("pa", "1.0").Package)
	dir := filepath.Join(tr.PackageDir(ref("pa", "1.0").Package), scratchDir, "build")
	write(t, filepath.Join(dir, "first"), "")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
			// Into the directory, as long as it is there.
			_ = os.WriteFile(filepath.Join(dir, strconv.Itoa(time.Now().Nanosecond())), nil, 0o644)
		}
	}()
	_, err := tr.Sweep(t.Context())
	must(t, err)
	<-done
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) > 0 {
		t.Errorf("left in the scratch directory: %v", left)
	}
}
