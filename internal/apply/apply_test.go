package apply_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

var kernel = dkms.KernelID{Release: "6.1.0-1-test", Arch: "x86_64"}

func ref(name string) dkms.Ref {
	return dkms.Ref{Package: dkms.Package{Name: name, Version: "1"}, KernelID: kernel}
}

// open returns a machine in a directory of its own, with a kernel's headers and
// the registered packages names.
func open(t *testing.T, names ...string) *machine.Machine {
	t.Helper()
	dir := t.TempDir()
	o := machine.Options{DKMSTree: dir + "/dkms", SourceTree: dir + "/src", InstallTree: dir + "/modules", Jobs: 1}
	headers := filepath.Join(o.InstallTree, kernel.Release, "build")
	treetest.Write(t, headers+"/include/config/auto.conf", "CONFIG_MODULES=y\n")
	treetest.Write(t, headers+"/include/config/kernel.release", kernel.Release+"\n")
	treetest.Write(t, headers+"/Makefile", "")
	treetest.Write(t, headers+"/Module.symvers", "")
	m, err := machine.Open(t.Context(), o, &report.Console{W: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		source := m.Tree.Source(ref(name).Package)
		treetest.Write(t, source+"/dkms.conf", "PACKAGE_NAME="+name+"\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME="+name+"\nDEST_MODULE_LOCATION=/extra\nAUTOINSTALL=yes\nMAKE=true\n")
		if err := m.Tree.Register(ref(name).Package, source); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// stub is a Builder that builds what it is told to.
type stub struct {
	errs map[string]error // by name of the package
	mu   sync.Mutex
	work []apply.Work

	closed int
}

func (b *stub) Slots() int { return 1 }

func (b *stub) Views() bool { return false }

func (b *stub) Close() { b.closed++ }

func (b *stub) Build(_ context.Context, w apply.Work) (kbuild.Result, error) {
	b.mu.Lock()
	b.work = append(b.work, w)
	b.mu.Unlock()
	w.Progress("building " + w.Recipe.Name)
	phases := []kbuild.Phase{{Name: kbuild.PhaseMake, Duration: time.Second}}
	if err := b.errs[w.Recipe.Name]; err != nil {
		return kbuild.Result{}, &kbuild.BuildError{Ref: w.Recipe.Ref, Phase: kbuild.PhaseMake, Err: err, Phases: phases}
	}
	stage := filepath.Join(w.Scratch, "stage")
	for _, module := range w.Recipe.Modules {
		if err := os.MkdirAll(stage+"/module", 0o755); err != nil {
			return kbuild.Result{}, err
		}
		if err := os.WriteFile(stage+"/module/"+module.Dest+".ko", []byte("a module"), 0o644); err != nil {
			return kbuild.Result{}, err
		}
	}
	return kbuild.Result{Stage: stage, Phases: phases, Cached: true}, nil
}

// witness writes down what it is told.
type witness struct {
	mu    sync.Mutex
	heard []string
}

func (w *witness) hear(words ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, strings.Join(words, " "))
}

func (w *witness) Started(s plan.Step)           { w.hear("started", string(s.ID())) }
func (w *witness) Line(_ plan.Step, text string) { w.hear("line", text) }
func (w *witness) Ended(s plan.Step, o apply.Outcome) {
	said := []string{"ended", string(s.ID()) + ":", o.Status.String()}
	for _, p := range o.Phases {
		said = append(said, p.Name, p.Duration.String())
	}
	if o.Cached {
		said = append(said, "cached")
	}
	if o.Idle {
		said = append(said, "idle")
	}
	w.hear(said...)
}

func applier(t *testing.T, m *machine.Machine, b apply.Workshop) *apply.Applier {
	t.Helper()
	console := &report.Console{W: t.Output()}
	return apply.New(m, apply.NewKeys(m, console), console, apply.Options{
		Open: func(context.Context) apply.Workshop { return b }, Kernel: func() (dkms.KernelID, bool) { return kernel, true },
	})
}

// TestApply takes one package that builds and one that does not, on which
// another step waits, through the Builder, the tree and the Observer.
func TestApply(t *testing.T) {
	t.Parallel()
	m := open(t, "good", "bad")
	b := &stub{errs: map[string]error{"bad": errors.New("make failed")}}
	good, bad := plan.Step{Verb: plan.Build, Ref: ref("good")}, plan.Step{Verb: plan.Build, Ref: ref("bad")}
	install := plan.Step{Verb: plan.Install, Ref: ref("bad"), Needs: []plan.StepID{bad.ID()}}
	depmod := plan.Step{Verb: plan.Depmod, Ref: dkms.Ref{KernelID: kernel}, After: []plan.StepID{install.ID()}}
	a, w := applier(t, m, b), &witness{}
	done, err := a.Apply(t.Context(), plan.Plan{Steps: []plan.Step{good, bad, install, depmod}}, w)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"started build good/1/6.1.0-1-test/x86_64", "line building good", "ended build good/1/6.1.0-1-test/x86_64: done make 1s cached",
		"started build bad/1/6.1.0-1-test/x86_64", "line building bad", "ended build bad/1/6.1.0-1-test/x86_64: failed make 1s",
		"ended install bad/1/6.1.0-1-test/x86_64: blocked",
		"started depmod 6.1.0-1-test/x86_64", "ended depmod 6.1.0-1-test/x86_64: done idle",
	}, w.heard); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
	if b.closed != 1 {
		t.Errorf("the workshop was closed %d times", b.closed)
	}
	if done[good.ID()].Status != sched.Done || done[bad.ID()].Status != sched.Failed || done[install.ID()].Status != sched.Blocked {
		t.Errorf("outcomes = %v", done)
	}
	if o, ok := a.Result(ref("good")); !ok || o.Did != "built" || o.Err != nil {
		t.Errorf("Result(good) = %+v, %v; want it built", o, ok)
	}
	if o, _ := a.Result(ref("bad")); o.Err == nil || a.Failed() != 1 {
		t.Errorf("Result(bad) = %+v, Failed() = %d; want the one failure", o, a.Failed())
	}
	if text, err := os.ReadFile(m.Tree.ModuleDir(ref("good")) + "/good.ko"); err != nil || string(text) != "a module" {
		t.Errorf("the module in the tree = %q, %v; want what the Builder staged", text, err)
	}
	if _, err := os.Stat(m.Tree.RefDir(ref("bad"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v; want nothing published of a failed build", m.Tree.RefDir(ref("bad")), err)
	}
	manifest, err := m.Tree.Manifest(ref("good"))
	if err != nil || manifest.Fingerprint == "" || manifest.Fingerprint != b.work[0].From.String() {
		t.Errorf("Manifest() = %+v, %v; want the fingerprint that the Builder was told", manifest, err)
	}
}

// TestRemember proves that what would fail again is told from what may not.
func TestRemember(t *testing.T) {
	t.Parallel()
	m := open(t, "bad", "unlucky")
	b := &stub{errs: map[string]error{"bad": errors.New("does not compile"), "unlucky": context.DeadlineExceeded}}
	a := applier(t, m, interrupting{b})
	steps := []plan.Step{{Verb: plan.Build, Ref: ref("bad")}, {Verb: plan.Build, Ref: ref("unlucky")}}
	if _, err := a.Apply(t.Context(), plan.Plan{Steps: steps}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		again bool
	}{{"bad", true}, {"unlucky", false}} {
		have, err := m.Tree.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f, ok := m.Tree.Failure(ref(tt.name))
		if !ok || f.Step != "build" {
			t.Errorf("Failure(%s) = %+v, %v; want it remembered", tt.name, f, ok)
		}
		if _, again := m.FailedBefore(t.Context(), ref(tt.name), have); again != tt.again {
			t.Errorf("FailedBefore(%s) = %v; want %v", tt.name, again, tt.again)
		}
	}
	b.errs = nil
	if _, err := a.Apply(t.Context(), plan.Plan{Steps: steps}); err != nil {
		t.Fatal(err)
	}
	if f, ok := m.Tree.Failure(ref("bad")); ok {
		t.Errorf("Failure(bad) after a build = %+v; want it forgotten", f)
	}
}

// TestRememberCause: what is remembered says why, without the name that it is
// remembered under; that it cannot be is told with its cause.
func TestRememberCause(t *testing.T) {
	t.Parallel()
	m := open(t, "bad")
	var said strings.Builder
	console := &report.Console{W: &said}
	a := apply.New(m, apply.NewKeys(m, console), console, apply.Options{
		Open: func(context.Context) apply.Workshop { return &stub{} }, Kernel: func() (dkms.KernelID, bool) { return kernel, true },
	})
	build := plan.Step{Verb: plan.Build, Ref: ref("bad")}
	install := plan.Step{Verb: plan.Install, Ref: ref("bad")}
	after := install
	after.Needs = []plan.StepID{build.ID()}
	treetest.Write(t, m.Tree.KernelDir(kernel.Release)+"/updates", "in the way")
	treetest.Write(t, m.Tree.KernelDir(kernel.Release)+"/extra", "in the way")
	if _, err := a.Apply(t.Context(), plan.Plan{Steps: []plan.Step{build, after}}); err != nil {
		t.Fatal(err)
	}
	f, ok := m.Tree.Failure(ref("bad"))
	if !ok || f.Step != "install" || !strings.HasPrefix(f.Problem, "install cannot be done: ") || !strings.HasSuffix(f.Problem, "not a directory") {
		t.Errorf("Failure() = %+v, %v; want the install's, with its cause", f, ok)
	}
	log := filepath.Dir(filepath.Dir(filepath.Dir(m.Tree.LogPath(ref("bad")))))
	if err := os.RemoveAll(log); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, log, "in the way")
	said.Reset()
	if _, err := a.Apply(t.Context(), plan.Plan{Steps: []plan.Step{install}}); err != nil {
		t.Fatal(err)
	}
	if got := said.String(); strings.Count(got, ref("bad").String()) != 1 || strings.Count(got, "recorded") != 1 || !strings.HasSuffix(got, "not a directory\n") {
		t.Errorf("what is said of a failure that cannot be recorded: %q; want it told once, with the cause", got)
	}
}

// interrupting is a Builder whose deadlines are no fault of the package.
type interrupting struct{ apply.Workshop }

func (i interrupting) Build(ctx context.Context, w apply.Work) (kbuild.Result, error) {
	r, err := i.Workshop.Build(ctx, w)
	var failed *kbuild.BuildError
	if errors.Is(err, context.DeadlineExceeded) && errors.As(err, &failed) {
		failed.Class = kbuild.Interrupted
	}
	return r, err
}

// TestPostAddFails proves that a package whose POST_ADD fails is not there.
func TestPostAddFails(t *testing.T) {
	t.Parallel()
	m := open(t)
	p := ref("odd").Package
	source := m.Tree.Source(p)
	treetest.Write(t, source+"/dkms.conf", "PACKAGE_NAME=odd\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=odd\nDEST_MODULE_LOCATION=/extra\nPOST_ADD=no.sh\n")
	treetest.Write(t, source+"/no.sh", "#!/bin/sh\nexit 7\n")
	if err := os.Chmod(source+"/no.sh", 0o755); err != nil {
		t.Fatal(err)
	}
	c := m.Candidate(p, source, false)
	k, err := m.Kernel(kernel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Recipe(t.Context(), c, k); err != nil {
		t.Fatal(err)
	}
	step := plan.Step{Verb: plan.Add, Ref: dkms.Ref{Package: p}}
	done, err := applier(t, m, &stub{}).Apply(t.Context(), plan.Plan{Steps: []plan.Step{step}})
	if err != nil || dkms.KindOf(done[step.ID()].Err) != dkms.ScriptFailed {
		t.Errorf("Apply() = %v, %v; want the script's failure", done, err)
	}
	have, err := m.Tree.Scan(t.Context())
	if state, ok := have.Find(p); err != nil || ok && state.State != dkms.Broken || c.Registered {
		t.Errorf("after a failed POST_ADD the package is %+v, registered %v, %v", state, c.Registered, err)
	}
}
