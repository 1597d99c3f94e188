package apply_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/jobserver"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// twin is a package whose module says for which kernel it was built, and whose
// PRE_BUILD writes that into the source by every path there is, and then meets
// the other kernel's, or must not.
var twin = map[string]string{
	"dkms.conf": `PACKAGE_NAME=twin
PACKAGE_VERSION=1
BUILT_MODULE_NAME=twin
DEST_MODULE_LOCATION=/extra
PRE_BUILD="pre.sh"
POST_BUILD="post.sh"
`,
	"Makefile": "obj-m := twin.o\n",
	"twin.c": `#include <linux/module.h>
#include "for.h"
MODULE_INFO(built_for, FOR);
MODULE_LICENSE("GPL");
`,
	"pre.sh": `#!/bin/sh
set -e
for dir in . SOURCE; do echo "#define FOR \"$kernelver\"" >$dir/for.h; done
wait_until() {
	for try in $(seq 600); do
		! eval "$1" || return 0
		sleep 0.1
	done
	echo "in vain: $1"
	return 1
}
how=$(cat MEET/how)
case $how in
together)
	: >MEET/$kernelver
	wait_until '[ $(ls MEET | wc -l) -eq 3 ]' ;;
alone)
	mkdir MEET/busy
	sleep 0.5 ;;
without\ $kernelver)
	exit 7 ;;
without*) # the other has failed, and has been cleared away
	wait_until '[ -e TREE/twin/1/.log/${how#* }/*/failure.json ]' ;;
esac
`,
	"post.sh": "#!/bin/sh\n! [ -d MEET/busy ] || rmdir MEET/busy\n",
}

// twoKernels returns two kernels of this machine whose headers are there.
func twoKernels(t *testing.T) []dkms.KernelID {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles")
	}
	arch, err := kbuild.HostArch()
	if err != nil {
		t.Fatal(err)
	}
	var ids []dkms.KernelID
	headers, _ := filepath.Glob("/lib/modules/*/build/include/config/auto.conf")
	for _, path := range headers {
		release, _, _ := strings.Cut(strings.TrimPrefix(path, "/lib/modules/"), "/")
		ids = append(ids, dkms.KernelID{Release: release, Arch: arch})
	}
	if len(ids) >= 2 {
		return ids[:2]
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("in CI, and lacks the headers of two kernels below /lib/modules")
	}
	t.Skip("needs the headers of two kernels below /lib/modules")
	return nil
}

// twins is a machine with the package twin, and the steps that build it for two
// kernels.
type twins struct {
	m      *machine.Machine
	meet   string // directory where the builds meet
	source string
	plan   plan.Plan
}

func newTwins(t *testing.T, kernels []dkms.KernelID) twins {
	t.Helper()
	dir := t.TempDir()
	m, err := machine.Open(t.Context(), machine.Options{DKMSTree: dir + "/dkms", SourceTree: dir + "/src", InstallTree: "/lib/modules", Jobs: -1}, &report.Console{W: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	m.Framework.TrySignModules = conf.Never // with a key of this tree only
	p := dkms.Package{Name: "twin", Version: "1"}
	w := twins{m: m, meet: dir + "/meet", source: m.Tree.Source(p)}
	for name, text := range twin {
		path := filepath.Join(w.source, name)
		treetest.Write(t, path, strings.NewReplacer("MEET", w.meet, "SOURCE", w.source, "TREE", m.Tree.Dir).Replace(text))
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Tree.Register(p, w.source); err != nil {
		t.Fatal(err)
	}
	for _, id := range kernels {
		w.plan.Steps = append(w.plan.Steps, plan.Step{Verb: plan.Build, Ref: dkms.Ref{Package: p, KernelID: id}})
	}
	return w
}

// apply builds both with so many jobs, and returns how that ended and what their
// workshop said of views.
func (w twins) apply(t *testing.T, how string, jobs int) (done map[plan.StepID]apply.Outcome, views bool) {
	t.Helper()
	treetest.Write(t, w.meet+"/how", how)
	console := &report.Console{W: t.Output()}
	compilers := apply.Compilers{
		Asked: jobs, Limits: func() jobserver.Machine {
			return jobserver.Machine{CPUs: 8, Memory: jobserver.Unknown, GroupMemory: jobserver.Unknown}
		},
		Places: []string{w.m.Tree.Dir, w.m.Tree.SourceDir}, Decided: func(int, string) {}, Console: console,
	}
	a := apply.New(w.m, apply.NewKeys(w.m, console), console, apply.Options{Open: func(ctx context.Context) apply.Workshop {
		shop := compilers.Open(ctx)
		views = shop.Views()
		if jobs > 1 && shop.Slots() < 2 {
			t.Errorf("%d slots for %d jobs", shop.Slots(), jobs)
		}
		return shop
	}})
	done, err := a.Apply(t.Context(), w.plan)
	if err != nil {
		t.Fatal(err)
	}
	return done, views
}

// take returns the hash of the module that s has built, which is not built any
// more then.
func (w twins) take(t *testing.T, s plan.Step, o apply.Outcome) string {
	t.Helper()
	if o.Status != sched.Done {
		log, _ := os.ReadFile(w.m.Tree.LogPath(s.Ref))
		t.Fatalf("%s: %s, %v\n%s", s.ID(), o.Status, o.Err, log)
	}
	path := w.m.Tree.ModuleDir(s.Ref) + "/twin.ko"
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "\x00built_for="+s.Ref.Release+"\x00") {
		t.Errorf("%s was not built for its kernel: %v", path, err)
	}
	hash, err := system.Hash(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.m.Tree.Unbuild(s.Ref); err != nil {
		t.Fatal(err)
	}
	return hash
}

// build builds both, and returns their modules' hashes by release.
func (w twins) build(t *testing.T, how string, jobs int) (modules map[string]string, views bool) {
	t.Helper()
	done, views := w.apply(t, how, jobs)
	modules = map[string]string{}
	for _, s := range w.plan.Steps {
		modules[s.Ref.Release] = w.take(t, s, done[s.ID()])
	}
	return modules, views
}

// TestKernelsTogether proves that builds of one package for two kernels are under
// way at the same time, that neither meets anything of the other nor changes the
// source, and that the modules are those of builds one after the other.
func TestKernelsTogether(t *testing.T) {
	t.Parallel()
	w := newTwins(t, twoKernels(t))
	before := treetest.Snapshot(t, w.source)
	together, views := w.build(t, "together", 2)
	if !views {
		t.Error("the workshop says that there are no views")
	}
	if diff := treetest.Diff(before, treetest.Snapshot(t, w.source)); diff != "" {
		t.Errorf("the source has changed:\n%s", diff)
	}
	serial, views := w.build(t, "as they come", 1)
	if views {
		t.Error("the workshop has views for one build at a time")
	}
	if diff := cmp.Diff(serial, together); diff != "" {
		t.Errorf("modules (-one after the other +together):\n%s", diff)
	}
	// What the compilers took, which no machine does in a moment, is remembered.
	if took, ok := w.m.Tree.BuildTimes().Of(w.plan.Steps[0].Ref.Package); !ok || took < 50*time.Millisecond {
		t.Errorf("it took %v, known %v", took, ok)
	}
	w.oneFails(t, serial)
}

// oneFails proves that a build that fails leaves what it has for a person to read
// and does not disturb the other, nor the other's success that.
func (w twins) oneFails(t *testing.T, want map[string]string) {
	t.Helper()
	bad, good := w.plan.Steps[0], w.plan.Steps[1]
	done, _ := w.apply(t, "without "+bad.Ref.Release, 2)
	if o := done[bad.ID()]; o.Status != sched.Failed || dkms.KindOf(o.Err) != dkms.ScriptFailed {
		t.Errorf("%s: %s, %v; want the script's failure", bad.ID(), o.Status, o.Err)
	}
	if got := w.take(t, good, done[good.ID()]); got != want[good.Ref.Release] {
		t.Errorf("the other's module is %s; want %s", got, want[good.Ref.Release])
	}
	kept := w.m.Tree.BuildDir(bad.Ref.Package)
	for name, want := range map[string]string{"for.h": `"` + bad.Ref.Release + `"`, "make.log": "for kernel " + bad.Ref.Release + " "} {
		if text, err := os.ReadFile(filepath.Join(kept, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s in %s is %q, %v; want %q in it", name, kept, text, err, want)
		}
	}
}

// nobodyEnv has the test be nobody.
const nobodyEnv = "APPLY_TEST_NOBODY"

// TestKernelsInPlace proves that builds of one package are one after the other
// where there is no privilege for private views.
func TestKernelsInPlace(t *testing.T) {
	t.Parallel()
	kernels := twoKernels(t)
	if os.Getuid() == 0 && os.Getenv(nobodyEnv) == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestKernelsInPlace$", "-test.v")
		cmd.Env = append(os.Environ(), nobodyEnv+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestKernelsInPlace") {
			t.Errorf("as nobody: %v\n%s", err, out)
		}
		return
	}
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			t.Fatal(err)
		}
	}
	w := newTwins(t, kernels)
	inTurn, views := w.build(t, "alone", 2)
	if views {
		t.Error("the workshop says that there are views")
	}
	serial, _ := w.build(t, "as they come", 1)
	if diff := cmp.Diff(serial, inTurn); diff != "" {
		t.Errorf("modules (-with one job +with two):\n%s", diff)
	}
}
