package hooks

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/apply"
	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/templates"
)

// demoPackage is what templates.Demo holds.
var demoPackage = dkms.Package{Name: "dkms-hook-demo", Version: "1.0"}

// demo takes the sample package through add, build, install and status, for a
// kernel whose headers are here, in a temporary directory that plays
// /usr/src, /var/lib/dkms and /lib/modules; then it removes the directory.
func (r *run) demo() error {
	k, err := r.demoKernel()
	if err != nil {
		return err
	}
	root, err := os.MkdirTemp("", "dkms-hook-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(root) }()
	modules := filepath.Join(root, "lib/modules", k.Release)
	if err := r.demoRoot(root, modules, k); err != nil {
		return err
	}
	c := call.Call{
		Kernels: []string{k.Release}, Jobs: r.call.Jobs, Quiet: r.call.Quiet, Verbose: r.call.Verbose,
		DKMSTree: filepath.Join(root, "var/lib/dkms"), SourceTree: filepath.Join(root, "usr/src"), InstallTree: filepath.Join(root, "lib/modules"),
	}
	for _, action := range []string{"add", "build", "install", "status"} {
		if err := r.demoStep(c, action); err != nil {
			return err
		}
	}
	modinfo := []string{"modinfo", "-b", root, "-k", k.Release, "dkms_hook_demo"}
	fmt.Fprintf(r.result, "\n$ %s\n", strings.Join(modinfo, " "))
	err = system.Run(r.ctx, system.Command{Args: modinfo, Stdout: r.result, Stderr: r.Stderr})
	fmt.Fprintf(r.result, "\neverything was below %s and is gone now\n", root)
	return err
}

// demoStep runs one action as a call of its own and shows its times.
func (r *run) demoStep(c call.Call, action string) error {
	fmt.Fprintf(r.result, "\n$ dkms-hook %s %s -k %s\n", action, demoPackage, c.Kernels[0])
	c.Action, c.Operands = action, []string{demoPackage.String()}
	found, _ := find(action)
	inner, err := newRun(r.ctx, r.Engine, c, false, r.limits)
	if err != nil {
		return err
	}
	var spent times
	inner.observers = []apply.Observer{&spent}
	inner.tracedBy(r.tracer)
	if err := found.run(inner); err != nil {
		return err
	}
	if action == "build" || action == "install" {
		report.Console{W: r.result}.Timing(spent.phases)
	}
	return nil
}

// times notes where the time goes.
type times struct {
	apply.Deaf
	phases []report.Phase
}

func (t *times) Ended(s plan.Step, o apply.Outcome) {
	for _, p := range o.Phases {
		t.phases = append(t.phases, report.Phase{Of: s.Subject(), Name: p.Name, Duration: p.Duration})
	}
	if d := o.Duration(); d > time.Millisecond && s.Verb != plan.Build { // whose phases are known
		t.phases = append(t.phases, report.Phase{Of: s.Subject(), Name: string(s.Verb), Duration: d})
	}
}

// demoKernel is the newest kernel on disk that has headers, or that of -k.
func (r *run) demoKernel() (kbuild.Kernel, error) {
	ids, err := r.call.Targets()
	if err != nil {
		return kbuild.Kernel{}, err
	}
	if len(r.call.Kernels) == 0 {
		releases, err := kbuild.Releases(r.machine.Tree.InstallDir)
		if err != nil {
			return kbuild.Kernel{}, err
		}
		for _, release := range releases {
			id := dkms.KernelID{Release: release, Arch: ids[0].Arch}
			if k, err := r.machine.Kernel(id); err == nil && k.Headers {
				ids[0] = id
			}
		}
	}
	k, err := r.machine.Kernel(ids[0])
	if err != nil {
		return k, err
	}
	return k, k.RequireHeaders()
}

// demoRoot lays out the directories and the source.
func (r *run) demoRoot(root, modules string, k kbuild.Kernel) error {
	if err := os.MkdirAll(modules, 0o755); err != nil {
		return err
	}
	headers, err := filepath.EvalSymlinks(k.Source)
	if err != nil {
		return err
	}
	if err := os.Symlink(headers, filepath.Join(modules, "build")); err != nil {
		return err
	}
	// A kernel without modules of its own, so that depmod has an index to renew.
	for _, index := range []string{"modules.order", "modules.builtin", "modules.dep"} {
		if err := os.WriteFile(filepath.Join(modules, index), nil, 0o644); err != nil {
			return err
		}
	}
	source, err := fs.Sub(templates.Demo, "demo")
	if err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(root, "usr/src", demoPackage.Name+"-"+demoPackage.Version), source)
}
