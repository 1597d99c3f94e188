package jobserver

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

const gib = 1 << 30

func TestJobs(t *testing.T) {
	t.Parallel()
	plenty := Machine{CPUs: 8, Memory: 32 * gib, GroupMemory: Unknown}
	with := func(change func(*Machine)) Machine {
		m := plenty
		change(&m)
		return m
	}
	for _, c := range []struct {
		asked int
		m     Machine
		n     int
		why   string
	}{
		{-1, plenty, 8, "8 jobs: 8 CPUs"},
		{0, plenty, 8, "8 jobs: 8 CPUs"},
		{8, plenty, 8, "8 jobs: 8 CPUs"},
		{3, plenty, 3, "3 jobs: asked for"},
		{1, plenty, 1, "1 job: asked for"},
		{64, plenty, 8, "8 jobs: 8 CPUs, fewer than the 64 asked for"},
		{-1, with(func(m *Machine) { m.Quota = 1.5 }), 2, "2 jobs: the control group allows 1.5 CPUs"},
		{-1, with(func(m *Machine) { m.Quota = 0.1 }), 1, "1 job: the control group allows 0.1 CPUs"},
		{-1, with(func(m *Machine) { m.Quota = 64 }), 8, "8 jobs: 8 CPUs"},
		{4, with(func(m *Machine) { m.Quota = 3 }), 3, "3 jobs: the control group allows 3 CPUs, fewer than the 4 asked for"},
		{-1, with(func(m *Machine) { m.Memory = gib }), 3, "3 jobs: 1024 MiB of memory available, and a job may take 300"},
		{2, with(func(m *Machine) { m.Memory = gib }), 2, "2 jobs: asked for"},
		{-1, with(func(m *Machine) { m.Memory = 100 << 20 }), 1, "1 job: 100 MiB of memory available, and a job may take 300"},
		{-1, with(func(m *Machine) { m.GroupMemory = 700 << 20 }), 2, "2 jobs: 700 MiB of memory left by the control group, and a job may take 300"},
		{-1, with(func(m *Machine) { m.GroupMemory = 0 }), 1, "1 job: 0 MiB of memory left by the control group, and a job may take 300"},
		{-1, with(func(m *Machine) { m.Memory = Unknown }), 8, "8 jobs: 8 CPUs"},
		{-1, Machine{CPUs: 1, Memory: Unknown, GroupMemory: Unknown}, 1, "1 job: 1 CPU"},
		{-1, Machine{Memory: Unknown, GroupMemory: Unknown}, 1, "1 job: 1 CPU"},
	} {
		if n, why := Jobs(c.asked, c.m); n != c.n || why != c.why {
			t.Errorf("Jobs(%d, %+v) = %d, %q; want %d, %q", c.asked, c.m, n, why, c.n, c.why)
		}
	}
}

// The machines are as they were found: each has the files of one, as far as
// they are read.
func TestReadMachine(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Machine{
		"v2-systemd":       {CPUs: 16, Memory: 27503684 << 10, GroupMemory: Unknown},
		"v2-docker":        {CPUs: 8, Quota: 1.5, Memory: 6009480 << 10, GroupMemory: 536870912 - (402653184 - 301989888)},
		"v2-nested":        {CPUs: 4, Quota: 2, Memory: 6009480 << 10, GroupMemory: 1 << 30},
		"v1-docker":        {CPUs: 4, Quota: 0.5, Memory: 3120940 << 10, GroupMemory: 256<<20 - (100<<20 - 20<<20)},
		"v1-hybrid":        {CPUs: 2, Memory: 22385752 << 10, GroupMemory: Unknown},
		"no-cgroups":       {CPUs: 3, Memory: Unknown, GroupMemory: Unknown},
		"v2-over-the-edge": {CPUs: 1, Memory: 1000 << 10, GroupMemory: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			root := t.TempDir()
			if err := txtar.Write(archive, root); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, ReadMachine(root)); diff != "" {
				t.Errorf("ReadMachine (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadThisMachine(t *testing.T) {
	t.Parallel()
	m := ReadMachine("/")
	if m.CPUs != runtime.NumCPU() {
		t.Errorf("CPUs = %d; the runtime found %d", m.CPUs, runtime.NumCPU())
	}
	if m.Memory == Unknown || m.Memory < 1<<20 {
		t.Errorf("Memory = %d", m.Memory)
	}
	if m := ReadMachine(t.TempDir()); m != (Machine{CPUs: runtime.NumCPU(), Memory: Unknown, GroupMemory: Unknown}) {
		t.Errorf("ReadMachine of nothing = %+v", m)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if mounted := strings.Contains(string(mounts), " - cgroup2 "); mounted && len(groups("/")) == 0 {
		t.Errorf("no control groups were found in\n%s", mounts)
	}
}

func TestStyleOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version string
		want    Style
		flags   string
	}{
		{"GNU Make 3.82\nCopyright (C) 2010", FDs, "-j5 --jobserver-fds=3,4"},
		{"GNU Make version 3.79.1, by Richard Stallman", FDs, "-j5 --jobserver-fds=3,4"},
		{"GNU Make 4.1\n", FDs, "-j5 --jobserver-fds=3,4"},
		{"GNU Make 4.2.1\nBuilt for x86_64-redhat-linux-gnu", Pipe, "-j5 --jobserver-auth=3,4"},
		{"GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu", Pipe, "-j5 --jobserver-auth=3,4"},
		{"GNU Make 4.4.1\n", FIFO, "-j5 --jobserver-auth=fifo:/run/x/pipe"},
		{"GNU Make 4.10\n", FIFO, "-j5 --jobserver-auth=fifo:/run/x/pipe"},
		{"GNU Make 5.0\n", FIFO, "-j5 --jobserver-auth=fifo:/run/x/pipe"},
		{"bmake 20200710", None, ""},
		{"", None, ""},
	} {
		got := StyleOf(c.version)
		if got != c.want {
			t.Errorf("StyleOf(%q) = %d; want %d", c.version, got, c.want)
		}
		if flags := got.flags(5, "/run/x/pipe"); got != None && flags != c.flags {
			t.Errorf("flags of %q = %q; want %q", c.version, flags, c.flags)
		}
	}
}
