package tree

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

func TestRecordFailure(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	wantError(t, tr.RecordFailure(Failure{Ref: r}), dkms.NotInTree, "pa/1.0: is not in the tree")
	add(t, tr, r.Package)
	if f, ok := tr.Failure(r); ok {
		t.Errorf("Failure() = %+v; want none", f)
	}
	first := time.Date(2025, 4, 1, 8, 0, 0, 0, time.UTC)
	f := Failure{Ref: r, Step: "build", Class: "compiler", First: "alpha.c:7: no such thing", Problem: "make failed",
		Hint: "read the log", Log: tr.LogPath(r), Fingerprint: "a", Count: 40}
	for i, tt := range []struct {
		fingerprint string
		began       time.Time
		count       int
	}{
		{"a", first, 1},
		{"a", first, 2},
		{"a", first, 3},
		{"b", first.Add(3 * time.Hour), 1}, // something has changed, and it failed again
		{"b", first.Add(3 * time.Hour), 2},
		{"a", first.Add(5 * time.Hour), 1},
	} {
		f.Fingerprint, f.Last = tt.fingerprint, first.Add(time.Duration(i)*time.Hour)
		must(t, tr.RecordFailure(f))
		want := f
		want.Schema, want.Began, want.Count = 1, tt.began, tt.count
		got, ok := tr.Failure(r)
		if d := cmp.Diff(want, got); d != "" || !ok {
			t.Errorf("after failure %d Failure() = %v (-want +got):\n%s", i+1, ok, d)
		}
	}
	f.Last = time.Time{}
	must(t, tr.RecordFailure(f))
	if got, _ := tr.Failure(r); time.Since(got.Last) > time.Minute {
		t.Errorf("Last = %v; want now", got.Last)
	}
	must(t, tr.ForgetFailure(r))
	must(t, tr.ForgetFailure(r))
	if _, ok := tr.Failure(r); ok || system.Exists(filepath.Join(tr.PackageDir(r.Package), logDir)) {
		t.Error("the failure is not forgotten")
	}
}

// TestFailureEnds: what makes the ref built or unwanted takes the record and
// the log away, and leaves no empty directory.
func TestFailureEnds(t *testing.T) {
	t.Parallel()
	r := ref("pa", "1.0")
	for _, tt := range []struct {
		name string
		act  func(t *testing.T, tr Tree)
	}{
		{"published", func(t *testing.T, tr Tree) { build(t, tr, r, "alpha.ko") }},
		{"unbuilt", func(t *testing.T, tr Tree) { must(t, tr.Unbuild(r)) }},
		{"unregistered", func(t *testing.T, tr Tree) { must(t, tr.Unregister(r.Package)) }},
		{"forgotten", func(t *testing.T, tr Tree) { must(t, tr.ForgetFailure(r)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			build(t, tr, r, "alpha.ko")
			failed(t, tr, r)
			tt.act(t, tr)
			if system.Exists(filepath.Join(tr.PackageDir(r.Package), logDir)) {
				t.Errorf("the log is still there: %v", look(t, tr))
			}
		})
	}
}

// TestFailureKeptByFailingPublish: a build that cannot be published has not
// mended anything.
func TestFailureKeptByFailingPublish(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	add(t, tr, r.Package)
	failed(t, tr, r)
	before := look(t, tr)
	wantError(t, tr.Publish(r, filepath.Join(t.TempDir(), "none"), Built{}), dkms.ModuleNotProduced, "nothing was staged")
	same(t, before, look(t, tr))
	if _, ok := tr.Failure(r); !ok {
		t.Error("the record is lost")
	}
}

func TestScanFailures(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	add(t, tr, r.Package)
	var want []Failure
	for _, release := range []string{"6.1.0-1", "6.1.0-2"} {
		for _, arch := range []string{"i686", "x86_64"} {
			r.KernelID = dkms.KernelID{Release: release, Arch: arch}
			failed(t, tr, r)
			f, ok := tr.Failure(r)
			if !ok {
				t.Fatal("no record")
			}
			want = append(want, f)
		}
	}
	r.Release = "6.1.0-3"
	write(t, tr.LogPath(r), "a log of an older program, which kept no record")
	r.Release = "6.1.0-4"
	write(t, tr.FailurePath(r), "{")
	r.Release = "6.1.0-5"
	write(t, tr.FailurePath(r), `{"schema": 2, "name": "pa", "version": "1.0", "release": "6.1.0-5", "arch": "x86_64"}`)
	write(t, filepath.Join(tr.PackageDir(r.Package), logDir, "file"), "foreign")

	s, err := tr.Scan(t.Context())
	must(t, err)
	if len(s.Packages) != 1 || s.Packages[0].State != dkms.Added || len(s.Packages[0].Refs) != 0 {
		t.Fatalf("Scan() = %+v; want pa/1.0 as added", s)
	}
	if d := cmp.Diff(want, s.Packages[0].Failures); d != "" {
		t.Errorf("failures (-want +got):\n%s", d)
	}
	var odd []string
	for _, p := range s.Problems {
		rel, _ := filepath.Rel(tr.PackageDir(r.Package), p.Path)
		odd = append(odd, rel)
	}
	if d := cmp.Diff([]string{".log/6.1.0-4/x86_64/failure.json", ".log/6.1.0-5/x86_64/failure.json"}, odd); d != "" {
		t.Errorf("problems (-want +got):\n%s", d)
	}
	// What cannot be read is as good as nothing, and can be written anew.
	must(t, tr.RecordFailure(Failure{Ref: r}))
	if f, ok := tr.Failure(r); !ok || f.Count != 1 {
		t.Errorf("Failure() = %+v, %v; want a first one", f, ok)
	}
}

// TestFailureBuiltSince: a build after the failure outdates the record, whoever
// made it; a failure after a build does not.
func TestFailureBuiltSince(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	build(t, tr, r, "alpha.ko")
	time.Sleep(2 * tick)
	must(t, tr.RecordFailure(Failure{Ref: r, Fingerprint: "a"}))
	if _, ok := tr.Failure(r); !ok {
		t.Error("a failure beside an older build is not told")
	}
	if _, err := tr.Sweep(t.Context()); err != nil || !system.Exists(tr.FailurePath(r)) {
		t.Errorf("Sweep() = %v, or it took the record away", err)
	}
	time.Sleep(2 * tick)
	remove(t, tr.RefDir(r))
	write(t, tr.ModuleDir(r)+"/alpha.ko", "built by dkms")
	s, err := tr.Scan(t.Context())
	must(t, err)
	if f, ok := tr.Failure(r); ok || len(s.Packages[0].Failures) != 0 {
		t.Errorf("Failure() = %+v; want none, for it has been built since", f)
	}
	must(t, tr.RecordFailure(Failure{Ref: r, Fingerprint: "a"}))
	if f, _ := tr.Failure(r); f.Count != 1 {
		t.Errorf("Count = %d; want 1: the older one is over", f.Count)
	}
	time.Sleep(2 * tick)
	write(t, tr.ModuleDir(r)+"/beta.ko", "built by dkms")
	if _, err := tr.Sweep(t.Context()); err != nil || system.Exists(filepath.Join(tr.PackageDir(r.Package), logDir)) {
		t.Errorf("Sweep() = %v, or it left the record", err)
	}
}

// TestFailureAfterPublish: what is built and cannot be installed has failed,
// though the caller took the time before.
func TestFailureAfterPublish(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	began := time.Now()
	time.Sleep(2 * tick)
	build(t, tr, r, "alpha.ko")
	must(t, tr.RecordFailure(Failure{Ref: r, Step: "install", Last: began}))
	if f, ok := tr.Failure(r); !ok || f.Step != "install" {
		t.Errorf("Failure() = %+v, %v; want that of the install", f, ok)
	}
}

// TestFailuresAtOnce: builds of one package for several kernels end at the same
// time, some well.
func TestFailuresAtOnce(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	add(t, tr, r.Package)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			r := r
			r.Release = string(rune('a' + i))
			for range 20 {
				if err := tr.RecordFailure(Failure{Ref: r}); err != nil {
					t.Error(err)
				}
				if err := tr.ForgetFailure(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if system.Exists(filepath.Join(tr.PackageDir(r.Package), logDir)) {
		t.Error("an empty .log is left")
	}
}

// TestSweepTemps: files that a crash kept from their names go, others stay.
func TestSweepTemps(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	add(t, tr, r.Package)
	failed(t, tr, r)
	before := look(t, tr)
	other := r
	other.Release = "other"
	for _, path := range []string{
		filepath.Join(filepath.Dir(tr.LogPath(r)), ".failure.json123456789"),
		filepath.Join(filepath.Dir(tr.LogPath(other)), ".make.log123456789"),
		filepath.Join(tr.PackageDir(r.Package), "..retired.json123456789"),
	} {
		write(t, path, "half")
	}
	_, err := tr.Sweep(t.Context())
	must(t, err)
	same(t, before, look(t, tr))
}
