package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// manyKernels are refs of one package.
func manyKernels(n int) (refs []dkms.Ref) {
	for i := range n {
		r := ref("pa", "1.0")
		r.Release = fmt.Sprintf("6.1.0-%d-amd64", i)
		refs = append(refs, r)
	}
	return refs
}

// allAtOnce calls fn for each ref, all at the same time.
func allAtOnce(refs []dkms.Ref, fn func(dkms.Ref) error) (errs []error) {
	errs = make([]error, len(refs))
	var group sync.WaitGroup
	for i, r := range refs {
		group.Go(func() { errs[i] = fn(r) })
	}
	group.Wait()
	return errs
}

// failWith keeps a failed build of r, in which each file names r.
func failWith(tr Tree, r dkms.Ref, files int) error {
	s, err := tr.NewScratch(r)
	if err != nil {
		return err
	}
	defer s.Close()
	log := filepath.Join(s.Dir, "make.log")
	if err := os.WriteFile(log, []byte(r.Release), 0o644); err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, "build")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for i := range files {
		// Some files are in all builds, some in this one only.
		for _, name := range []string{fmt.Sprint("file", i), fmt.Sprint(r.Release, "-", i)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(r.Release), 0o644); err != nil {
				return err
			}
		}
	}
	return tr.KeepFailed(r, dir, log)
}

// TestKeepFailedAtOnce: of several kernels' failures one is kept, whole, in the
// directory that builds under way are bound over; a success of yet another kernel
// takes nothing of it away.
func TestKeepFailedAtOnce(t *testing.T) {
	t.Parallel()
	const files = 20
	tr := newTree(t)
	refs := manyKernels(8)
	good := refs[0]
	add(t, tr, good.Package)
	before, err := os.Stat(tr.BuildDir(good.Package))
	must(t, err)
	for range 5 {
		for i, err := range allAtOnce(refs, func(r dkms.Ref) error {
			if r != good {
				return failWith(tr, r, files)
			}
			s, err := tr.NewScratch(r)
			if err != nil {
				return err
			}
			defer s.Close()
			stage := filepath.Join(s.Dir, "stage")
			if err := os.MkdirAll(filepath.Join(stage, "module"), 0o755); err != nil {
				return err
			}
			return tr.Publish(r, stage, Built{})
		}) {
			if err != nil {
				t.Fatalf("%s: %v", refs[i], err)
			}
		}
		wholeFailure(t, tr, refs[1:], 2*files+2)
		for _, r := range refs[1:] {
			if got := read(t, tr.LogPath(r)); got != r.Release {
				t.Errorf("log of %s = %q", r, got)
			}
		}
	}
	if after, err := os.Stat(tr.BuildDir(good.Package)); err != nil || !os.SameFile(before, after) {
		t.Errorf("%s is another directory now: %v", tr.BuildDir(good.Package), err)
	}
}

// wholeFailure checks that NAME/VER/build holds the failure of one of refs, of so
// many files.
func wholeFailure(t *testing.T, tr Tree, refs []dkms.Ref, files int) {
	t.Helper()
	dir := tr.BuildDir(refs[0].Package)
	owner := read(t, filepath.Join(dir, "make.log"))
	known := false
	for _, r := range refs {
		known = known || r.Release == owner && read(t, filepath.Join(dir, failedMark)) == r.String()+"\n"
	}
	if !known {
		t.Errorf("the log is of %q, the mark says %q", owner, read(t, filepath.Join(dir, failedMark)))
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != files {
		t.Errorf("%d files are kept of a build of %d", len(entries), files)
	}
	for _, e := range entries {
		if got := read(t, filepath.Join(dir, e.Name())); e.Name() != failedMark && got != owner {
			t.Errorf("%s is of %q; the log of %q", e.Name(), got, owner)
		}
	}
}

// TestScratchAtOnce: builds of one package that begin and end at the same time do
// not take the directories from each other.
func TestScratchAtOnce(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	refs := manyKernels(8)
	add(t, tr, refs[0].Package)
	for i, err := range allAtOnce(refs, func(r dkms.Ref) error {
		for range 200 {
			s, err := tr.NewScratch(r)
			if err != nil {
				return err
			}
			for _, dir := range []string{s.Dir, s.Build, s.Stage} {
				if _, err := os.Stat(dir); err != nil {
					return err
				}
			}
			if err := s.Close(); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("%s: %v", refs[i], err)
		}
	}
	noRemnants(t, tr)
}
