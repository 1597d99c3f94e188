//go:build e2e

package rpm

import (
	"cmp"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// killer kills, once, those of its ancestors that are our program. The box has
// the process numbers of the machine, so it takes care to hit no other.
const killer = `#!/bin/sh
mkdir /run/killed 2>/dev/null || exit 0
victims=
p=$$
while [ "$p" -gt 1 ]; do
	[ "$(cat /proc/$p/comm)" = dkms-hook ] && victims="$victims $p"
	p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status)
done
[ "$victims" ] && exec kill -9 $victims
rmdir /run/killed
`

// Our program is killed in the middle of a transaction: dnf succeeds, what was
// installed is still there, and the next transaction does what is left.
func TestProgramKilled(t *testing.T) {
	t.Parallel()
	a := kernels(t)[0]
	h := newHost(t, engine, a.Core(), a.Devel(), "foo-dkms-1.0-1")
	h.WriteProgram("/usr/local/bin/kills", killer)
	before := h.identity(a, "foo")
	h.DnfAnyhow("install", "kills-dkms-1.0-1")
	if !h.Exists("/run/killed") {
		t.Fatal("it was not killed")
	}
	h.wantEdition("foo", "1.0-1", a)
	h.wantIdentity(before, a, "foo")
	h.Dnf("install", "bar-dkms-1.0-1")
	h.wantEdition("foo", "1.0-1", a)
	h.wantEdition("bar", "1.0", a)
	h.wantEdition("kills", "1.0-1", a)
	h.Check(0)
}

// dnf is killed at a random moment of an upgrade: there is the module of the one
// or of the other version, and what dnf and we do next ends right.
func TestDnfKilled(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	start := cmp.Or(*seed, uint64(time.Now().UnixNano()))
	moments := rand.New(rand.NewPCG(start, 0))
	t.Logf("-seed %d", start)
	for range cut(1, make([]struct{}, 8)) {
		h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.0-1")
		after := 100*time.Millisecond + time.Duration(moments.Int64N(int64(2500*time.Millisecond)))
		ended, _ := h.RunKilled(after, "dnf", "-y", "upgrade", "foo-dkms-1.1-1")
		if got := h.edition(k, "foo"); got != "1.0-1" && got != "1.1-1" {
			t.Errorf("killed after %v (ended before: %v): foo of edition %q is installed", after, ended, got)
		}
		h.afterKill("foo-dkms", "-1.1-1", "foo/1.1")
		if !h.wantEdition("foo", "1.1-1", k) {
			t.Errorf("that was killed after %v", after)
		}
		h.Check(0)
	}
}

// afterKill does what a person does after dnf was killed in an upgrade.
func (h *host) afterKill(pkg, edition, registered string) {
	h.TB.Helper()
	if strings.Count(h.Must("rpm", "-q", pkg).Stdout, "\n") > 1 {
		h.Dnf("remove", "--duplicates") // it installs the newer one once more
	}
	h.Dnf("install", pkg+edition)
	if h.Must("dkms-hook", "status", registered).Stdout == "" {
		// rpm had it down as installed, but had not run its %post.
		h.Dnf("reinstall", pkg+edition)
	}
	h.Must("dkms-hook", "sync", "--all-kernels") // dnf may have had nothing left to do
}

// The disk is full: dnf succeeds, the module that worked stays, and when there
// is room the next run catches up.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, dir := range cut(1, []string{"/var/lib/dkms", "/lib/modules"}) {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			k := kernels(t)[0]
			h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.0-1")
			size := h.Must("sh", "-c", "du -sk "+dir+"/ | cut -f1").Stdout
			h.Confine(dir, size[:len(size)-1]+"k")
			h.DnfAnyhow("upgrade", "foo-dkms-1.1-1")
			if got := h.edition(k, "foo"); got != "1.0-1" {
				t.Errorf("foo of edition %q is installed; want 1.0-1", got)
			}
			h.Check(1)
			h.Must("mount", "-o", "remount,size=100m", dir)
			h.Must("dkms-hook", "retry")
			h.wantEdition("foo", "1.1-1", k)
			h.Must("dkms-hook", "doctor", "--fix") // of what could not be written down
			h.wantVersions("foo", "1.1")
			h.Check(0)
		})
	}
}
