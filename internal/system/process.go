package system

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Process is what /proc/PID/stat tells of a process (proc(5)).
type Process struct {
	PID     int
	Command string // as the kernel cut it: at most 15 bytes
	Parent  int
	Start   uint64 // in clock ticks after boot; with PID it names the process for good
}

// ReadProcess reads about process pid. Without /proc it is an error.
func ReadProcess(pid int) (Process, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	data, err := os.ReadFile(path)
	if err != nil {
		return Process{}, err
	}
	// The command stands in brackets and may hold blanks and brackets itself.
	opening, closing := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	fields := strings.Fields(string(data[closing+1:]))
	if opening < 0 || closing < opening || len(fields) < 20 {
		return Process{}, fmt.Errorf("%s: cannot be understood", path)
	}
	p := Process{PID: pid, Command: string(data[opening+1 : closing])}
	if p.Parent, err = strconv.Atoi(fields[1]); err != nil {
		return Process{}, fmt.Errorf("%s: %w", path, err)
	}
	if p.Start, err = strconv.ParseUint(fields[19], 10, 64); err != nil {
		return Process{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
