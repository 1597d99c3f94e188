package jobserver

import (
	"fmt"
	"math"
)

// PerJob is the memory, in bytes, that has to be available for each job: a
// compiler of a large module's largest file takes about as much.
const PerJob = 300 << 20

// Jobs returns how many jobs the machine m shall run, and why, in words. asked
// is what -j or parallel_jobs says: 0 is "no limit", which is as many as there
// are CPUs, and less than 0 that nobody said anything. More than the CPUs
// there are is never of use.
func Jobs(asked int, m Machine) (n int, why string) {
	n, why = max(m.CPUs, 1), plural(max(m.CPUs, 1), "CPU")
	if quota := int(math.Ceil(m.Quota)); quota > 0 && quota < n {
		n, why = quota, fmt.Sprintf("the control group allows %.3g CPUs", m.Quota)
	}
	switch {
	case asked > n:
		why += fmt.Sprintf(", fewer than the %d asked for", asked)
	case asked > 0 && asked < n:
		n, why = asked, "asked for"
	}
	memory, whose := m.Memory, "available"
	if m.GroupMemory < memory {
		memory, whose = m.GroupMemory, "left by the control group"
	}
	if fit := memory / PerJob; fit < int64(n) {
		n = int(max(fit, 1))
		why = fmt.Sprintf("%d MiB of memory %s, and a job may take %d", memory>>20, whose, PerJob>>20)
	}
	return n, plural(n, "job") + ": " + why
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
