//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKill kills the program at random moments of add, build and install of a
// new version. After each, status works, the module that was installed before
// is intact (or the new one is, when the moment was late), and the same
// command again ends as if nothing had happened.
func TestKill(t *testing.T) {
	t.Parallel()
	moments := 10
	if *full {
		moments = 50
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: repeat with -seed %[1]d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))

	k := newKillRange(t)
	for i := range moments {
		after := time.Duration(random.Float64() * float64(k.whole))
		if !t.Run(fmt.Sprintf("%02d after %v", i, after.Round(time.Millisecond)), func(t *testing.T) { k.kill(t, after) }) {
			return // what follows would meet a broken machine
		}
	}
	t.Logf("of %d moments, %d were in time; a whole run takes %v", moments, k.killed, k.whole.Round(time.Millisecond))
	if k.killed < moments/2 {
		t.Errorf("only %d of %d runs were killed before they ended", k.killed, moments)
	}
}

// A killRange is a machine with version 1 of a package installed, and version
// 2 to be installed.
type killRange struct {
	machine
	before, after facts // with version 1, and with version 2 over it
	install       []string
	whole         time.Duration // that an undisturbed run takes
	killed        int
}

func newKillRange(t *testing.T) *killRange {
	k := &killRange{machine: newMachine(t, ours)}
	for _, v := range []string{"1", "2"} {
		dir := "/usr/src/bad-" + v
		k.Write(dir+"/dkms.conf", strings.Replace(goodConf, "1.0", v, 1))
		k.Write(dir+"/Makefile", "obj-m := bad.o\n")
		k.Write(dir+"/bad.c", goodSource+"MODULE_VERSION(\""+v+"\");\n")
	}
	k.install = k.words([]string{"install", "bad/2", "-k", "{K}"})
	k.want(t, 0, "install", "bad/1", "-k", "{K}")
	k.before = k.observe(t, 0)
	k.whole = k.Must(k.install...).Took
	k.after = k.observe(t, 0)
	k.back(t)
	k.whole = min(k.whole, k.Must(k.install...).Took)
	k.back(t)
	return k
}

// back makes all as it was before.
func (k *killRange) back(t *testing.T) {
	t.Helper()
	k.want(t, 0, "remove", "bad/2", "--all")
	k.want(t, 0, "install", "bad/1", "-k", "{K}")
	k.same(t, "after going back", k.before)
}

func (k *killRange) same(t *testing.T, when string, want facts) {
	t.Helper()
	for what, diff := range differ(want, k.observe(t, 0)) {
		t.Errorf("%s: %s differs (- want, + got):\n%s", when, what, strings.Join(diff, "\n"))
	}
}

func (k *killRange) kill(t *testing.T, after time.Duration) {
	if ended, took := k.RunKilled(after, k.install...); ended {
		k.whole = min(k.whole, took)
	} else {
		k.killed++
	}
	r := k.dkms("status")
	if r.Status != 0 || !strings.Contains(r.Stdout, "bad/1, ") {
		t.Errorf("after the kill, status is wrong: exit status %d\n%s", r.Status, r)
	}
	if got := k.loadable(t); !slices.Equal(got, k.loadableOf(k.before)) && !slices.Equal(got, k.loadableOf(k.after)) {
		t.Errorf("after the kill, the installed module is neither the old nor the new one: %v", got)
	}
	if r := k.Run(k.install...); r.Status != 0 {
		t.Fatalf("the same command again: exit status %d\n%s", r.Status, r)
	}
	k.same(t, "after the same command again", k.after)
	if left := k.Glob("/lib/modules/*/updates/dkms/.*"); len(left) > 0 {
		t.Errorf("left beside the module: %v", left)
	}
	if left := k.Glob("/var/lib/dkms/bad/2/.scratch*/*"); len(left) > 0 {
		t.Errorf("left of the build that was killed: %v", left)
	}
	k.back(t)
}

// loadable is what modprobe could load: dot-files are not.
func (k *killRange) loadable(t *testing.T) []string {
	return k.loadableOf(facts{modules: k.installed(t)})
}

func (k *killRange) loadableOf(f facts) []string {
	var out []string
	for _, line := range f[modules] {
		if strings.Contains(line, "/updates/") && strings.Contains(line, "/bad.ko") {
			out = append(out, line)
		}
	}
	return out
}
