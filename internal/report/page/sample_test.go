package page

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

var night = time.Date(2026, 11, 23, 2, 13, 5, 0, time.FixedZone("CET", 3600))

// maker makes a run on two slots, step by step.
type maker struct {
	in   Input
	free []float64 // when each slot is free again
	last int       // the slot of the last step
}

func newMaker(slots int) *maker {
	m := &maker{free: make([]float64, slots)}
	m.in.Host = "mail.example.org"
	m.in.Run = record.Run{Schema: 1, Event: "hook kernel-postinst 6.1.0-57-amd64", Version: "0.5.0", Began: night, Jobs: slots, JobsWhy: "2 processors"}
	return m
}

// slot returns the slot that is free first.
func (m *maker) slot() int {
	best := 0
	for i := range m.free {
		if m.free[i] < m.free[best] {
			best = i
		}
	}
	return best
}

func (m *maker) at(seconds float64) time.Time {
	return m.in.Run.Began.Add(time.Duration(seconds * float64(time.Second)))
}

// step adds a step that takes so long on the slot that is free first.
func (m *maker) step(pkg dkms.Package, release, verb string, did record.Did, seconds float64) *record.Outcome {
	i := m.slot()
	if verb == "install" {
		i = m.last // what is built is installed at once
	}
	m.last = i
	o := record.Outcome{Package: pkg.Name, Version: pkg.Version, Release: release, Arch: "x86_64", Step: verb, Did: did,
		Seconds: seconds, Began: m.at(m.free[i]), Why: "no module for this kernel yet"}
	m.free[i] += seconds
	m.in.Run.Outcomes = append(m.in.Run.Outcomes, o)
	return &m.in.Run.Outcomes[len(m.in.Run.Outcomes)-1]
}

// phases share the time of a build as most do.
func phases(seconds float64, names ...string) (out []record.Phase) {
	share := map[string]float64{"copy": 0.05, "patch": 0.03, "make": 0.78, "verify": 0.03, "strip": 0.02, "sign": 0.02, "compress": 0.07}
	after := 0.0
	for _, n := range names {
		out = append(out, record.Phase{Name: n, After: after, Seconds: share[n] * seconds})
		after += share[n] * seconds
	}
	return out
}

func (m *maker) build(pkg dkms.Package, release string, seconds float64) {
	o := m.step(pkg, release, "build", record.Built, seconds)
	o.Phases = phases(seconds, "copy", "patch", "make", "verify", "strip", "sign", "compress")
	m.step(pkg, release, "install", record.Installed, 0.3)
	m.state(pkg, release, dkms.Installed)
}

func (m *maker) state(pkg dkms.Package, release string, s dkms.State, further ...report.Further) {
	row := report.Row{Package: pkg, State: s, Further: further}
	if release != "" {
		row.Kernel = dkms.KernelID{Release: release, Arch: "x86_64"}
	}
	m.in.Rows = append(m.in.Rows, row)
}

// end adds what is done to kernels at the end.
func (m *maker) end(releases ...string) Input {
	last := 0.0
	for _, f := range m.free {
		last = max(last, f)
	}
	for i, r := range releases {
		m.in.Run.Kernels = append(m.in.Run.Kernels,
			record.KernelStep{Release: r, Arch: "x86_64", Step: "depmod", Began: m.at(last + 0.01), Seconds: 1.4},
			record.KernelStep{Release: r, Arch: "x86_64", Step: "initramfs", Began: m.at(last + 1.42 + float64(i)*6), Seconds: 5.9})
	}
	m.in.Run.Ended = m.at(last + 1.5 + 6*float64(len(releases)))
	return m.in
}

func pkg(name, version string) dkms.Package { return dkms.Package{Name: name, Version: version} }

const newKernel, oldKernel = "6.1.0-57-amd64", "6.1.0-56-amd64"

// failing is a night on which some builds failed.
func failing() Input {
	m := newMaker(2)
	for i, p := range []dkms.Package{pkg("nvidia-current", "535.247.01"), pkg("zfs", "2.1.11"), pkg("virtualbox", "7.0.20"), pkg("bbswitch", "0.8"),
		pkg("v4l2loopback", "0.12.7"), pkg("acpi-call", "1.2.2"), pkg("dm-writeboost", "2.2.16"), pkg("tp-smapi", "0.44")} {
		m.build(p, newKernel, []float64{61, 48.5, 17, 2.1, 2.9, 2.2, 3.4, 2.7}[i])
		m.state(p, oldKernel, dkms.Installed)
	}
	p := pkg("it87", "eol")
	o := m.step(p, newKernel, "build", record.Failed, 4.2)
	o.Phases = phases(4.2, "copy", "patch", "make")
	o.Class, o.First = "kernel API change", "it87.c:3214:19: error: initialization of ‘void (*)(struct platform_device *)’ from incompatible pointer type"
	o.Error = "it87/eol for 6.1.0-57-amd64: does not compile (kernel API change): it87.c:3214:19: error"
	o.Log, o.Still = "/var/lib/dkms/it87/eol/.log/6.1.0-57-amd64/x86_64/make.log", "it87/2023 is still installed for 6.1.0-56-amd64"
	o.Retried = "with one job: the parallel build of a Makefile that does not say that it can had failed"
	m.state(p, newKernel, dkms.Added, report.Further{State: report.BuildFailed, Reason: "does not compile (kernel API change)", Log: o.Log})
	m.state(p, oldKernel, dkms.Installed)
	ui := pkg("it87-ui", "1.0")
	for _, blocked := range []struct {
		pkg        dkms.Package
		verb, need string
	}{{p, "install", "build it87/eol"}, {ui, "build", "build it87/eol"}, {ui, "install", "build it87-ui/1.0"}} {
		o = m.step(blocked.pkg, newKernel, blocked.verb, record.NotTried, 0)
		o.Began, o.Error = time.Time{}, "needs "+blocked.need+"/6.1.0-57-amd64/x86_64, which did not succeed"
	}
	p = ui
	m.state(p, newKernel, dkms.Added, report.Further{State: report.PendingDepends, Reason: "it87 is not built"})
	p = pkg("rtl8821ce", "5.5.2.1")
	m.state(p, newKernel, dkms.Added, report.Further{State: report.Excluded, Reason: "BUILD_EXCLUSIVE_KERNEL: ^(5|6\\.0)"})
	m.state(p, oldKernel, dkms.Added, report.Further{State: report.BuildFailed, Reason: "header missing: linux/genhd.h", Log: "/var/lib/dkms/rtl8821ce/5.5.2.1/.log/make.log", Since: night.Add(-240 * time.Hour)})
	m.state(p, "6.12.9+bpo-cloud-amd64", dkms.Added, report.Further{State: report.PendingHeaders, Reason: "apt install linux-headers-6.12.9+bpo-cloud-amd64"})
	m.in.Run.Notes = []record.Note{
		{Package: "rtl8821ce", Version: "5.5.2.1", Release: "6.12.9+bpo-cloud-amd64", Reason: "pending-headers", Text: "they come with the package linux-headers-6.12.9+bpo-cloud-amd64"},
		{Package: "rtl8821ce", Version: "5.5.2.1", Release: newKernel, Reason: "excluded", Text: "BUILD_EXCLUSIVE_KERNEL: ^(5|6\\.0)"},
	}
	return m.end(newKernel)
}

// fine is a run with nothing to worry about.
func fine() Input {
	m := newMaker(2)
	m.build(pkg("zfs", "2.1.11"), newKernel, 48.5)
	m.build(pkg("bbswitch", "0.8"), newKernel, 2.1)
	return m.end(newKernel)
}

// early is a record of a version that did not know when a step began.
func early() Input {
	in := Input{Run: record.Run{Event: "install it87/eol", Version: "0.1.0", Began: night, Ended: night.Add(9 * time.Second)}}
	in.Run.Outcomes = []record.Outcome{{Package: "it87", Version: "eol", Release: oldKernel, Arch: "x86_64", Did: record.Failed, Seconds: 8.5,
		Error: "it87/eol for 6.1.0-56-amd64: does not compile"}}
	return in
}

// big is a run of 200 packages for 5 kernels, of which every 25th fails.
func big() Input {
	m := newMaker(8)
	random := rand.New(rand.NewPCG(5, 5))
	releases := []string{"6.1.0-55-amd64", oldKernel, newKernel, "6.1.0-57-cloud-amd64", "6.12.9+bpo-amd64"}
	for i := range 200 {
		p := pkg(fmt.Sprintf("package-%03d", i), "1.2.3")
		for j, r := range releases {
			seconds := 1.5 + random.ExpFloat64()*8
			if (i*5+j)%25 != 7 {
				m.build(p, r, seconds)
				continue
			}
			o := m.step(p, r, "build", record.Failed, seconds)
			o.Phases = phases(seconds, "copy", "patch", "make")
			o.Class, o.First, o.Log = "kernel API change", "main.c:42:7: error: implicit declaration of function ‘gone’", "/var/lib/dkms/"+p.Name+"/make.log"
			m.state(p, r, dkms.Added, report.Further{State: report.BuildFailed, Reason: "does not compile (kernel API change)"})
		}
	}
	return m.end(releases...)
}

// hostile has in every text what must not be taken for anything else.
func hostile() Input {
	const evil = "</title></style></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' {{.}} \x1b[31m\u202egnp.exe\xff"
	m := newMaker(1)
	p := pkg(evil, evil)
	o := m.step(p, evil, evil, record.Failed, 3)
	o.Arch, o.Error, o.Why, o.From, o.Retried, o.Class, o.First, o.Log, o.Hint, o.Still = evil, evil, evil, evil, evil, evil, evil, evil, evil, evil
	o.Phases = []record.Phase{{Name: evil, Seconds: 1}, {Name: "make", After: 1, Seconds: 2}}
	o = m.step(p, evil, "build", record.NotTried, 0)
	o.Error = evil
	m.build(p, "6.1", 2)
	for _, s := range []report.FurtherState{report.BuildFailed, report.Stale, evil} {
		m.state(p, evil, dkms.Installed, report.Further{State: s, Reason: evil, Log: evil})
		m.state(p, "", dkms.Broken, report.Further{State: s, Reason: evil, Log: evil})
	}
	r := &m.in.Run
	r.Notes = []record.Note{{Package: evil, Version: evil, Release: evil, Reason: evil, Text: evil}}
	r.Event, r.Version, r.JobsWhy, m.in.Host = evil, evil, evil, evil
	m.end(evil)
	m.in.Run.Kernels[0].Error = evil
	m.in.Run.Kernels[0].Step = evil
	m.in.Rows[0].WeakFrom = evil
	return m.in
}
