package system

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxFiles is as many open files as a command is given: enough to link a kernel
// with LTO, and few enough for old programs that close every number there may
// be before they start another.
const maxFiles = 1 << 16

// RaiseFileLimit lets the commands that are run from now on open as many files
// as they may, but no more than 65536 (getrlimit(2), RLIMIT_NOFILE). We
// ourselves already may: the runtime raises our own limit when it starts, and
// gives commands the one that we were started with until this is called.
func RaiseFileLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	limit.Cur = min(limit.Max, maxFiles)
	// This one, not x/sys's: it tells the runtime to leave the limit alone.
	return os.NewSyscallError("setrlimit", syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
}

// Full reports whether the file system that holds path has less room than the
// smallest build needs, or none for another file (statfs(2)). One that has no
// limit of its own is never full.
func Full(path string) bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return false
	}
	few := uint64(leastRoom / max(fs.Bsize, 1))
	return fs.Blocks > 0 && fs.Bfree < few || fs.Files > 0 && fs.Ffree == 0
}

// leastRoom is in bytes: the compiler's temporary files of one small source file.
const leastRoom = 1 << 20

// OOMKills returns how many processes the kernel has killed for want of memory,
// here and in every control group, since it started (proc_vmstat(5)). ok is
// false where it does not say: before 4.13, or without /proc.
func OOMKills() (kills int, ok bool) {
	data, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(data) {
		if text, found := bytes.CutPrefix(line, []byte("oom_kill ")); found {
			kills, err = strconv.Atoi(string(bytes.TrimSpace(text)))
			return kills, err == nil
		}
	}
	return 0, false
}
