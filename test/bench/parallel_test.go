//go:build e2e

package bench

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var full = flag.Bool("full", false, "run the test of parallel runs whole, not its cut")

// A saboteur is a source whose build ends badly. It is for one kernel only.
type saboteur struct {
	name, makes string            // its MAKE
	files       map[string]string // besides dkms.conf
	says        string            // what the run says of it
	slow        bool              // only among the first run with a number of jobs
}

var saboteurs = []saboteur{
	{name: "fails", makes: "make -C $kernel_source_dir M=$dkms_tree/fails/1.0/build modules", files: map[string]string{
		"Makefile": "obj-m := fails.o\n", "fails.c": "this is not C\n",
	}, says: "does not compile"},
	{name: "dies", makes: "make", files: map[string]string{"Makefile": "all:\n\tkill -KILL $$PPID\n"}, says: "(killed)"},
	{name: "hangs", makes: "sleep 1000", says: "build_timeout", slow: true},
}

// sabotageTimeout, in seconds, ends what hangs. The compilers of a loaded
// machine must not be silent for as long.
const sabotageTimeout = "60"

// TestParallel proves that runs with any number of jobs install the same
// modules byte by byte but for signatures, and plan the same; and that builds
// that fail, hang or are killed among them disturb no other.
func TestParallel(t *testing.T) {
	names, runs := sources[:2], 1
	if *full {
		names, runs = sources[:len(sources)/2], 20
	}
	undisturbed := newHost(t, ours)
	undisturbed.register(names)
	undisturbed.Must("dkms-hook", "sync", "-q")
	want := undisturbed.modules()
	if len(want) < len(names)*len(undisturbed.kernels) {
		t.Fatalf("%d modules of %v: %v", len(want), names, want)
	}
	plans := map[string]string{}
	for _, jobs := range []int{1, 2, 8} {
		for run := range runs {
			t.Run(fmt.Sprintf("%d jobs run %d", jobs, run+1), func(t *testing.T) { sabotaged(t, names, jobs, run, want, plans) })
		}
	}
}

// sabotaged is one run. Plans are those of the first of its kind.
func sabotaged(t *testing.T, names []string, jobs, run int, want map[string]string, plans map[string]string) {
	h := newHost(t, ours)
	h.Write("/etc/dkms/framework.conf.d/sabotage.conf", "build_timeout="+sabotageTimeout+"\n")
	h.register(names)
	among := slices.DeleteFunc(slices.Clone(saboteurs), func(s saboteur) bool { return s.slow && run > 0 })
	for _, s := range among {
		h.sabotage(s)
	}
	h.samePlan(plans, "before", among)
	r := h.Run("dkms-hook", "sync", "-j", fmt.Sprint(jobs))
	if r.Status != 11 {
		t.Errorf("exit status %d; want 11, at least one failed\n%s", r.Status, r.Stderr)
	}
	if sum := fmt.Sprintf("modules: %d of ", len(among)); !strings.Contains(r.Stderr, sum) {
		t.Errorf("the run does not say %q:\n%s", sum, r.Stderr)
	}
	for _, s := range among {
		if !strings.Contains(r.Stderr, s.says) {
			t.Errorf("%s: the run does not say %q:\n%s", s.name, s.says, r.Stderr)
		}
	}
	if diff := cmp.Diff(want, h.modules()); diff != "" {
		t.Errorf("modules differ (-undisturbed +with %d jobs):\n%s", jobs, diff)
	}
	h.samePlan(plans, "after", among)
}

func (h host) sabotage(s saboteur) {
	dir := "/usr/src/" + s.name + "-1.0"
	h.Write(dir+"/dkms.conf", strings.Join([]string{
		"PACKAGE_NAME=" + s.name, "PACKAGE_VERSION=1.0", "BUILT_MODULE_NAME=" + s.name, "DEST_MODULE_LOCATION=/updates", "AUTOINSTALL=yes",
		"BUILD_EXCLUSIVE_KERNEL='^" + h.kernels[0] + "$'", `MAKE="` + s.makes + `"`,
	}, "\n")+"\n")
	for name, text := range s.files {
		h.Write(dir+"/"+name, text)
	}
	h.Must("dkms", "add", "-m", s.name, "-v", "1.0")
}

// since is when a build has failed: that may differ.
var since = regexp.MustCompile(`\(since [^)]*\)`)

// samePlan fails the test unless the program plans what it did in the first run
// among the same saboteurs.
func (h host) samePlan(plans map[string]string, when string, among []saboteur) {
	h.TB.Helper()
	got := since.ReplaceAllString(h.Run("dkms-hook", "plan", "--json").Stdout, "(since …)")
	key := fmt.Sprintf("%s, %d saboteurs", when, len(among))
	if first, known := plans[key]; !known {
		plans[key] = got
	} else if diff := cmp.Diff(slices.Collect(strings.Lines(first)), slices.Collect(strings.Lines(got))); diff != "" {
		h.TB.Errorf("the plan %s differs (-first run +this):\n%s", when, diff)
	}
	for _, s := range among {
		if !strings.Contains(got, s.name) {
			h.TB.Errorf("the plan %s says nothing of %s:\n%s", when, s.name, got)
		}
	}
}
