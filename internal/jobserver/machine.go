package jobserver

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Machine is how much of the machine is ours.
type Machine struct {
	CPUs int // that this process may run on (sched_setaffinity(2), cpusets)
	// Quota is the CPU time per time that the control groups allow; 0 is all.
	Quota float64
	// Memory is the available memory in bytes, and GroupMemory what the limits
	// of the control groups leave of it; unlimited is Unknown.
	Memory, GroupMemory int64
}

// Unknown is an amount of memory that nothing is known of.
const Unknown = math.MaxInt64

// ReadMachine reads what /proc and /sys below root tell, "/" being the machine
// itself (proc_pid_status(5), proc_meminfo(5), cgroups(7)).
func ReadMachine(root string) Machine {
	m := Machine{CPUs: affinity(root), Memory: Unknown, GroupMemory: Unknown}
	if kib, ok := field(filepath.Join(root, "proc/meminfo"), "MemAvailable:"); ok {
		m.Memory = kib << 10
	}
	for _, g := range groups(root) {
		for _, dir := range g.dirs() {
			if quota := g.quota(dir); quota > 0 && (m.Quota == 0 || quota < m.Quota) {
				m.Quota = quota
			}
			m.GroupMemory = min(m.GroupMemory, g.memory(dir))
		}
	}
	return m
}

// affinity counts the CPUs of Cpus_allowed_list, such as 0-3,8.
func affinity(root string) (cpus int) {
	data, err := os.ReadFile(filepath.Join(root, "proc/self/status"))
	if err != nil {
		return runtime.NumCPU() // as it was when we were started
	}
	for line := range strings.Lines(string(data)) {
		list, found := strings.CutPrefix(line, "Cpus_allowed_list:")
		if !found {
			continue
		}
		for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
			from, to, ranged := strings.Cut(part, "-")
			first, errA := strconv.Atoi(from)
			last, errB := strconv.Atoi(to)
			if !ranged {
				last, errB = first, nil
			}
			if errA != nil || errB != nil {
				return runtime.NumCPU()
			}
			cpus += last - first + 1
		}
	}
	if cpus < 1 {
		return runtime.NumCPU()
	}
	return cpus
}

// field returns the number after name in a file of names and numbers.
func field(path, name string) (n int64, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(data) {
		words := bytes.Fields(line)
		if len(words) >= 2 && string(words[0]) == name {
			n, err = strconv.ParseInt(string(words[1]), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// number reads a file that holds one number; "max" and "-1" are none.
func number(path string) (n int64, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil && n >= 0
}
