package machine

import (
	"cmp"
	"context"
	"runtime"
	"sync"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// EtcDir holds framework.conf and what an administrator overrides.
const EtcDir = "/etc/dkms"

// Options are what a call says of the machine, beside framework.conf.
type Options struct {
	DKMSTree, SourceTree, InstallTree string   // empty: framework.conf's
	KernelSource, KernelConfig        string   // --kernelsourcedir, --config
	ConfFile                          string   // -c: the dkms.conf of what the call is about
	Directives                        []string // --directive, for the same: NAME=VALUE
	Jobs                              int      // -j: -1: not given, 0: no limit
	Verbose                           bool
	// Declarative has what is there compared with what it was made from.
	Declarative bool
	// Unattended: nobody is there who could mend a dkms.conf.
	Unattended bool
}

// Machine is what a run knows of the machine. Its methods may be called by any
// number of goroutines.
type Machine struct {
	Framework conf.Framework
	Tree      tree.Tree
	Digests   *tree.Digests // of what has been read
	// ForceVersion has modules placed whatever versions the kernel has.
	ForceVersion bool

	o       Options
	console *report.Console

	distribution func() (string, error) // Distribution, asked once

	kernels memo[dkms.KernelID, kbuild.Kernel]
	ahead   memo[dkms.Ref, evaluated] // until Recipe asks
	recipes memo[dkms.Ref, kbuild.Recipe]

	fingerprinter *kbuild.Fingerprinter
	fingerprints  memo[dkms.Ref, kbuild.Fingerprint]

	reading  sync.Mutex // held while a dkms.conf is evaluated; guards packages
	packages map[dkms.Package]*Candidate
}

// Open reads framework.conf. What is odd about it, and later about each
// dkms.conf, is said on console.
func Open(ctx context.Context, o Options, console *report.Console) (*Machine, error) {
	framework, problems, err := conf.LoadFramework(ctx, EtcDir)
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		console.Warn(p.String())
	}
	m := &Machine{o: o, Framework: framework, console: console, packages: map[dkms.Package]*Candidate{}, distribution: sync.OnceValues(Distribution)}
	m.Tree = tree.Tree{
		Dir:        cmp.Or(o.DKMSTree, framework.DKMSTree),
		SourceDir:  cmp.Or(o.SourceTree, framework.SourceTree),
		InstallDir: cmp.Or(o.InstallTree, framework.InstallTree),
	}
	m.Digests = m.Tree.Digests()
	m.fingerprinter = &kbuild.Fingerprinter{Digests: m.Digests}
	return m, nil
}

// Talkative reports whether all that is known shall be printed.
func (m *Machine) Talkative() bool { return m.o.Verbose || m.Framework.Verbose }

// Jobs is how many compilers a make may run at a time that shares its jobs with
// no other: -j, else parallel_jobs, else one for each processor; 0 is no limit.
func (m *Machine) Jobs() int {
	if n := m.Asked(); n >= 0 {
		return n
	}
	return runtime.NumCPU()
}

// Asked is what -j says, else parallel_jobs: 0 for no limit, less where neither
// says anything.
func (m *Machine) Asked() int {
	if m.o.Jobs >= 0 {
		return m.o.Jobs
	}
	return m.Framework.ParallelJobs
}
