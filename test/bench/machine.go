package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A Machine is where something was measured.
type Machine struct {
	CPU        string `json:"cpu"`
	Processors int    `json:"processors"`
	MemoryMiB  int64  `json:"memoryMiB"`
	Kernel     string `json:"kernel"`
	Load       string `json:"load"` // average of a minute, before
	Compiler   string `json:"compiler"`
	Make       string `json:"make"`
}

// DescribeMachine describes this one, with the programs of the root that it
// measures in.
func DescribeMachine(root string) Machine {
	m := Machine{CPU: "unknown processor", Processors: runtime.NumCPU()}
	cpus, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(cpus)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	var memory unix.Sysinfo_t
	if unix.Sysinfo(&memory) == nil {
		m.MemoryMiB = int64(memory.Totalram) * int64(memory.Unit) >> 20
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	load, _ := os.ReadFile("/proc/loadavg")
	m.Load, _, _ = strings.Cut(string(load), " ")
	m.Compiler, m.Make = firstLine("chroot", root, "gcc", "--version"), firstLine("chroot", root, "make", "--version")
	return m
}

func firstLine(args ...string) string {
	out, _ := exec.Command(args[0], args[1:]...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// String is the machine in a sentence or two.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d processors, %d MiB of memory; Linux %s; %s; %s. The load was %s before.",
		m.CPU, m.Processors, m.MemoryMiB, m.Kernel, m.Compiler, m.Make, m.Load)
}
