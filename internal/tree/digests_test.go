package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

func TestDigests(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	wantDigest := func(d *Digests, key, stamp, want string) {
		t.Helper()
		if got, ok := d.Digest(key, stamp); got != want || ok != (want != "") {
			t.Errorf("Digest(%q, %q) = %q, %v; want %q", key, stamp, got, ok, want)
		}
	}
	d := tr.Digests()
	wantDigest(d, "/usr/src/pa-1.0", "s1", "")
	must(t, d.Save())
	if system.Exists(tr.digestsPath()) {
		t.Error("nothing was kept, and it was written")
	}
	d.Keep("/usr/src/pa-1.0", "s1", "d1")
	d.Keep("/usr/src/pb-1.0", "s1", "d2")
	wantDigest(d, "/usr/src/pa-1.0", "s1", "d1")
	wantDigest(d, "/usr/src/pa-1.0", "s2", "")
	must(t, d.Save())

	d = tr.Digests()
	wantDigest(d, "/usr/src/pb-1.0", "s1", "d2")
	wantDigest(d, "/usr/src/pa-1.0", "s2", "")
	before, err := os.Stat(tr.digestsPath())
	must(t, err)
	d.Keep("/usr/src/pb-1.0", "s1", "d2")
	must(t, d.Save())
	if after, err := os.Stat(tr.digestsPath()); err != nil || !os.SameFile(before, after) {
		t.Errorf("written though nothing has changed: %v", err)
	}
	d.Keep("/usr/src/pa-1.0", "s2", "d3")
	must(t, d.Save())
	wantDigest(tr.Digests(), "/usr/src/pa-1.0", "s2", "d3")
	wantDigest(tr.Digests(), "/usr/src/pa-1.0", "s1", "")
	wantDigest(tr.Digests(), "/usr/src/pb-1.0", "s1", "d2")
}

// TestDigestsDamaged: whatever is there is no worse than nothing.
func TestDigestsDamaged(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "null", "[]", `{"schema":1}`, `{"schema":2,"digests":{"k":{"stamp":"s","digest":"d"}}}`,
		`{"schema":1,"digests":{"k":{"stamp":"s","digest":"d"}}` + strings.Repeat(" ", maxDigestsFile) + "}"} {
		tr := newTree(t)
		write(t, tr.digestsPath(), text)
		d := tr.Digests()
		if got, ok := d.Digest("k", "s"); ok {
			t.Errorf("with %.40q Digest() = %q; want nothing", text, got)
		}
		d.Keep("k", "s", "new")
		must(t, d.Save())
		if got, _ := tr.Digests().Digest("k", "s"); got != "new" {
			t.Errorf("with %.40q what was kept is %q", text, got)
		}
	}
}

// TestDigestsBounded: what a run has not asked for goes first.
func TestDigestsBounded(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	d := tr.Digests()
	for i := range maxDigests {
		d.Keep(fmt.Sprint("old", i), "s", "d")
	}
	must(t, d.Save())
	d = tr.Digests()
	d.Digest("old7", "s")
	for i := range 200 {
		d.Keep(fmt.Sprint("new", i), "s", "d")
	}
	must(t, d.Save())
	d = tr.Digests()
	for i := range 200 {
		if _, ok := d.Digest(fmt.Sprint("new", i), "s"); !ok {
			t.Fatalf("new%d is lost", i)
		}
	}
	if _, ok := d.Digest("old7", "s"); !ok {
		t.Error("old7, which was asked for, is lost")
	}
	if len(d.known) != maxDigests {
		t.Errorf("%d are kept; want %d", len(d.known), maxDigests)
	}
}

func TestDigestsAtOnce(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	d := tr.Digests()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 100 {
				key := fmt.Sprint(j % 10)
				d.Keep(key, "s", fmt.Sprint(i))
				d.Digest(key, "s")
			}
		})
	}
	group.Wait()
	must(t, d.Save())
	if _, ok := tr.Digests().Digest("9", "s"); !ok {
		t.Error("key 9 is lost")
	}
}

// TestDigestsNotWritable: the answers are right all the same.
func TestDigestsNotWritable(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	write(t, filepath.Join(tr.Dir, ownDir), "a file where a directory should be")
	d := tr.Digests()
	d.Keep("k", "s", "d")
	if err := d.Save(); err == nil || !strings.Contains(err.Error(), "digests.json: cannot be written") {
		t.Errorf("Save() = %v; want an error about digests.json", err)
	}
	if got, _ := d.Digest("k", "s"); got != "d" {
		t.Errorf("Digest() = %q; want what was kept", got)
	}
}
