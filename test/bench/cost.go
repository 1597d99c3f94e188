package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Cost is what a command needed.
type Cost struct {
	Wall time.Duration `json:"wall"` // from its start to its own end
	CPU  time.Duration `json:"cpu"`  // user and system, of it and all its descendants
	// Peak is the most memory, in bytes, that the process itself had, apart
	// from its children's: VmHWM of proc_pid_status(5), looked up every few
	// milliseconds.
	Peak int64 `json:"peak"`
}

// A Meter tells what commands cost. It runs one at a time, and nothing else
// may be started meanwhile.
type Meter struct {
	// group is a control group (version 2) of our own, which counts whatever
	// comes of a command: its directory, cpu.stat and cgroup.events, open, as
	// they cannot be reached by their paths from another root. Without one,
	// orphans become our children, and wait4(2) tells what they needed.
	group, stat, events *os.File
}

// groupMounts are where version 2 is mounted: alone, or beside version 1.
var groupMounts = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}

// NewMeter returns a meter; Close it. How says in words how it counts.
func NewMeter() (m *Meter, how string, err error) {
	for _, mount := range groupMounts {
		if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err != nil {
			continue
		}
		dir := filepath.Join(mount, "bench-dkms-"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			continue // read-only, as in many containers
		}
		m := &Meter{}
		for name, file := range map[string]**os.File{"": &m.group, "cpu.stat": &m.stat, "cgroup.events": &m.events} {
			if *file, err = os.Open(filepath.Join(dir, name)); err != nil {
				return nil, "", errors.Join(err, os.Remove(dir))
			}
		}
		return m, "cpu.stat of a control group", nil
	}
	return newReaper()
}

func newReaper() (*Meter, string, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, "", fmt.Errorf("PR_SET_CHILD_SUBREAPER: %w", err)
	}
	return &Meter{}, "wait4 of all descendants", nil
}

// Close removes the control group.
func (m *Meter) Close() error {
	if m.group == nil {
		return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	}
	return errors.Join(m.stat.Close(), m.events.Close(), m.group.Close(), os.Remove(m.group.Name()))
}

// Run runs cmd to its end, and to the end of all that it has left running. An
// exit status is no error: cmd.ProcessState has it.
func (m *Meter) Run(cmd *exec.Cmd) (Cost, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if m.group != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(m.group.Fd())
	}
	before, err := m.groupCPU()
	if err != nil {
		return Cost{}, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return Cost{}, err
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watchPeak(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	c := Cost{Wall: time.Since(begin)}
	close(ended)
	c.Peak = <-peak
	if exited := new(exec.ExitError); err != nil && !errors.As(err, &exited) {
		return c, err
	}
	if m.group == nil {
		c.CPU, err = reapOrphans(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
		return c, err
	}
	if err := m.settle(); err != nil {
		return c, err
	}
	after, err := m.groupCPU()
	c.CPU = after - before
	return c, err
}

// groupCPU is what the group's processes have needed until now.
func (m *Meter) groupCPU() (time.Duration, error) {
	if m.group == nil {
		return 0, nil
	}
	us, err := number(m.stat, "usage_usec")
	return time.Duration(us) * time.Microsecond, err
}

// patience is how long orphans may outlive a command.
const patience = time.Minute

// settle waits until nothing runs in the group.
func (m *Meter) settle() error {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(5 * time.Millisecond) {
		n, err := number(m.events, "populated")
		if err != nil || n == 0 {
			return err
		}
	}
	return fmt.Errorf("%s: processes outlive their command by %v", m.group.Name(), patience)
}

// reapOrphans waits for all children that are left, and adds what they needed.
func reapOrphans(sum time.Duration) (time.Duration, error) {
	for {
		var use syscall.Rusage
		switch _, err := syscall.Wait4(-1, nil, 0, &use); err {
		case nil:
			sum += time.Duration(use.Utime.Nano() + use.Stime.Nano())
		case syscall.EINTR:
		case syscall.ECHILD:
			return sum, nil
		default:
			return sum, fmt.Errorf("wait4: %w", err)
		}
	}
}

// watchPeak reads a process's peak memory until it has ended. What it had in
// its last milliseconds may be missed.
func watchPeak(pid int, ended <-chan struct{}) (peak int64) {
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer status.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if kib, err := number(status, "VmHWM:"); err == nil {
			peak = max(peak, kib<<10)
		}
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
	}
}

// number reads, from a file of the kernel's, the number that follows a word at
// the beginning of a line.
func number(f *os.File, word string) (int64, error) {
	text := make([]byte, 16<<10)
	n, err := f.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	for line := range strings.Lines(string(text[:n])) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == word {
			return strconv.ParseInt(words[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s: has no %s", f.Name(), word)
}
