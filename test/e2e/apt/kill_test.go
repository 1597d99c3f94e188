//go:build e2e

package apt

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"
)

// TestKill sends SIGKILL, at random moments of an apt command, to dpkg or to
// the program under test. After each, foo is there in the old or the new
// version; "dpkg --configure -a" and the same command again end right.
func TestKill(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: repeat with -seed %[1]d", *seed)
	moments := 2
	if *full {
		moments = 25
	}
	for i, program := range []string{"dpkg", "dkms-hook"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(*seed, uint64(i)))
			m := newSmall(t)
			k := killRange{machine: m}
			k.transaction(1)
			k.whole = m.Apt(k.command...).Took
			killed := 0
			for n := 2; n < 2+moments && !t.Failed(); n++ {
				k.transaction(n)
				after := time.Duration(random.Float64() * float64(k.whole))
				// Every other time, what the killed one has started may end first.
				if k.kill(program, after, n%2 == 0) {
					killed++
				}
				k.recover(n, fmt.Sprintf("%s killed after %v", program, after.Round(time.Millisecond)))
			}
			t.Logf("of %d moments, %d were in time; a whole command takes %v", moments, killed, k.whole.Round(time.Millisecond))
			if *full && killed < moments/2 {
				t.Errorf("only %d of %d were killed before the command ended", killed, moments)
			}
		})
	}
}

// interrupted is what dpkg and apt say of a package that is unpacked in part.
var interrupted = regexp.MustCompile(`very bad inconsistent state|needs to be reinstalled`)

// A killRange is a machine on which one command after the other is disturbed.
type killRange struct {
	machine
	command  []string // arguments for apt-get
	versions []string // that foo may have: before and after the command
	whole    time.Duration
}

// transaction makes the n-th command: a new version of one package, another
// one, and headers again, which sets off their hook.
func (k *killRange) transaction(n int) {
	k.versions = []string{fmt.Sprintf("1.%d", n-1), fmt.Sprintf("1.%d", n)}
	k.command = []string{"install", "--reinstall",
		k.pack(dkmsDeb("foo", k.versions[1], good)), k.pack(dkmsDeb("bar", k.versions[1], good)),
		"linux-headers-" + k.Old}
}

// kill runs the command and kills a program at the given time or, if it is not
// running then, as soon as it is. It says whether it met one.
func (k *killRange) kill(program string, after time.Duration, settle bool) bool {
	k.TB.Helper()
	// Not a pipe: it would end with apt, and what still runs would end of it.
	wait := k.Start("sh", "-c", `exec apt-get -q -y "$@" >>/root/apt.log 2>&1`, "apt", k.command[0], k.command[1], k.command[2], k.command[3], k.command[4])
	ended := make(chan struct{})
	go func() { wait(); close(ended) }()
	timer := time.NewTimer(after)
	defer timer.Stop()
	met := false
	select {
	case <-ended:
	case <-timer.C:
		for !met {
			select {
			case <-ended:
				return false
			case <-time.After(2 * time.Millisecond):
				met = k.Kill(program) > 0
			}
		}
		<-ended
	}
	if settle {
		k.Settle()
	}
	return met
}

// recover does what a person would, and then all must be right.
func (k *killRange) recover(n int, when string) {
	k.TB.Helper()
	if v := k.Field(k.Old, "foo", "version"); k.Find(k.Old, "foo") == "" || v != k.versions[0] && v != k.versions[1] {
		k.TB.Errorf("%s: foo is %q", when, v)
	}
	for _, again := range [][]string{
		{"dpkg", "--configure", "-a"},
		{"apt-get", "-q", "-y", "--fix-broken", "install"},
		append([]string{"apt-get", "-q", "-y"}, k.command...),
	} {
		// What dpkg was unpacking when it was killed, only another unpacking mends.
		if r := k.Run(again...); r.Status != 0 && !interrupted.MatchString(r.Stderr) {
			k.TB.Fatalf("%s: exit status %d:\n%s\nthe command that was disturbed:\n%s", when, r.Status, r, k.Read("/root/apt.log"))
		}
	}
	k.Settled()
	k.Has(k.Old, "foo", k.versions[1])
	k.Has(k.Old, "bar", k.versions[1])
	k.Check(0)
	if left := k.Glob("/lib/modules/*/updates/dkms/.*"); len(left) > 0 {
		k.TB.Errorf("%s: left beside the modules: %v", when, left)
	}
	if left := k.Glob("/var/lib/dkms/*/*/.scratch*/*"); len(left) > 0 {
		k.TB.Errorf("%s: left of the build that was killed: %v", when, left)
	}
	if k.TB.Failed() {
		k.TB.Logf("%s: %s\nthe command that was disturbed:\n%s", when, k.Run("dkms-hook", "status"), k.Read("/root/apt.log"))
	}
	k.RemoveAll("/root/apt.log")
}
