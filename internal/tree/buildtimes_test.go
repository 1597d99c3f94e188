package tree

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

func version(name, v string) dkms.Package { return dkms.Package{Name: name, Version: v} }

func wantTime(t *testing.T, b *BuildTimes, p dkms.Package, want time.Duration) {
	t.Helper()
	if got, ok := b.Of(p); got != want || ok != (want != 0) {
		t.Errorf("Of(%s) = %v, %v; want %v", p, got, ok, want)
	}
}

// TestBuildTimes: of the same version, else of the version that was built last, in
// this process and the next.
func TestBuildTimes(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	b := tr.BuildTimes()
	wantTime(t, b, version("pa", "1.0"), 0)
	b.Keep(version("pa", "1.0"), 0) // nothing was measured
	must(t, b.Save())
	if system.Exists(tr.buildTimesPath()) {
		t.Error("nothing was kept, and it was written")
	}
	b.Keep(version("pa", "1.0"), 2*time.Second)
	b.Keep(version("pa", "0.9"), 1500*time.Millisecond)
	b.Keep(version("pab", "1.0"), time.Hour)
	must(t, b.Save())
	for _, b := range []*BuildTimes{b, tr.BuildTimes()} {
		wantTime(t, b, version("pa", "1.0"), 2*time.Second)
		wantTime(t, b, version("pa", "0.9"), 1500*time.Millisecond)
		wantTime(t, b, version("pa", "2.0"), 1500*time.Millisecond)
		wantTime(t, b, version("pab", "2.0"), time.Hour)
		wantTime(t, b, version("p", "1.0"), 0)
	}
	b = tr.BuildTimes()
	b.Keep(version("pa", "1.0"), 3*time.Second)
	must(t, b.Save())
	wantTime(t, tr.BuildTimes(), version("pa", "2.0"), 3*time.Second)
	wantTime(t, tr.BuildTimes(), version("pa", "0.9"), 1500*time.Millisecond)
}

// TestBuildTimesOnDisk: where people and other programs find them, and no remnants.
func TestBuildTimesOnDisk(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	install(t, tr, ref("pa", "1.0"), "alpha.ko")
	b := tr.BuildTimes()
	b.Keep(version("pa", "1.0"), 2500*time.Millisecond)
	must(t, b.Save())
	must(t, commit(tr.Uninstall(ref("pa", "1.0"), nil)))
	must(t, tr.Unbuild(ref("pa", "1.0")))
	must(t, tr.ForgetKernel(release))
	must(t, tr.Unregister(version("pa", "1.0")))
	write(t, filepath.Join(tr.Dir, ".dkms-hook/.build-times.json8271638467234"), "{") // of a run that was killed
	_, err := tr.Sweep(t.Context())
	must(t, err)
	text := read(t, filepath.Join(tr.Dir, ".dkms-hook/build-times.json"))
	for _, want := range []string{`"schema": 1`, `"pa/1.0": {`, `"seconds": 2.5`} {
		if !strings.Contains(text, want) {
			t.Errorf("with the kernel and the package gone the file is %s; want %s in it", text, want)
		}
	}
	if system.Exists(filepath.Join(tr.Dir, ".dkms-hook/.build-times.json8271638467234")) {
		t.Error("a remnant is left")
	}
}

// TestBuildTimesDamaged: whatever is there is no worse than nothing.
func TestBuildTimesDamaged(t *testing.T) {
	t.Parallel()
	const good = `"pa/1.0":{"seconds":5}`
	for _, text := range []string{"", "{", "null", "[]", "\x00\xff", `{"schema":1}`, `{"packages":{` + good + `}}`, `{"schema":2,"packages":{` + good + `}}`,
		`{"schema":1,"packages":{"pa/1.0":{"seconds":-5}}}`, `{"schema":1,"packages":{"pa/1.0":{"seconds":1e300}}}`, `{"schema":1,"packages":{"pa/1.0":{"seconds":1e999}}}`,
		`{"schema":1,"packages":{"pa/1.0":null,"pa":{"seconds":1},"/":{"seconds":1}}}`, `{"schema":1,"packages":{"pa/1.0":{"seconds":5,"at":"yesterday"}}}`,
		`{"schema":1,"packages":{` + good + `}` + strings.Repeat(" ", maxBuildTimesFile) + "}"} {
		tr := newTree(t)
		write(t, tr.buildTimesPath(), text)
		b := tr.BuildTimes()
		if got, ok := b.Of(version("pa", "1.0")); ok {
			t.Errorf("with %.60q Of() = %v; want nothing", text, got)
		}
		b.Keep(version("pa", "1.0"), time.Second)
		must(t, b.Save())
		wantTime(t, tr.BuildTimes(), version("pa", "1.0"), time.Second)
	}
}

// TestBuildTimesBounded: the oldest go.
func TestBuildTimesBounded(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	b := tr.BuildTimes()
	for i := range maxBuildTimes + 10 {
		b.Keep(version(fmt.Sprint("p", i), "1"), time.Second)
	}
	must(t, b.Save())
	b = tr.BuildTimes()
	wantTime(t, b, version("p9", "1"), 0)
	wantTime(t, b, version("p10", "1"), time.Second)
	wantTime(t, b, version(fmt.Sprint("p", maxBuildTimes+9), "1"), time.Second)
}

func TestBuildTimesAtOnce(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	b := tr.BuildTimes()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 100 {
				b.Keep(version("pa", fmt.Sprint(i)), time.Second)
				b.Of(version("pa", "x"))
			}
		})
	}
	group.Wait()
	must(t, b.Save())
	wantTime(t, tr.BuildTimes(), version("pa", "7"), time.Second)
}

// TestBuildTimesNotWritable: the answers are right all the same.
func TestBuildTimesNotWritable(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	write(t, filepath.Join(tr.buildTimesPath(), "a directory"), "where a file should be")
	b := tr.BuildTimes()
	b.Keep(version("pa", "1.0"), time.Second)
	if err := b.Save(); err == nil || !strings.Contains(err.Error(), "build-times.json: cannot be written") {
		t.Errorf("Save() = %v; want an error about build-times.json", err)
	}
	wantTime(t, b, version("pa", "1.0"), time.Second)
}
