package jobserver

import (
	"regexp"
	"strconv"
	"strings"
)

// Style is how a make is told of the jobs that it shares.
type Style int

// The styles, by the make that is to be run.
const (
	None Style = iota // no GNU make, or none that could be asked: nothing is shared
	FDs               // before 4.2: --jobserver-fds=R,W
	Pipe              // 4.2 and 4.3: --jobserver-auth=R,W
	FIFO              // 4.4 and later: --jobserver-auth=fifo:PATH
)

var gnuMake = regexp.MustCompile(`^GNU Make (version )?(\d+)\.(\d+)`)

// StyleOf tells the style from what `make --version` prints.
func StyleOf(version string) Style {
	m := gnuMake.FindStringSubmatch(strings.TrimSpace(version))
	if m == nil {
		return None
	}
	major, errA := strconv.Atoi(m[2])
	minor, errB := strconv.Atoi(m[3])
	switch {
	case errA != nil, errB != nil:
		return None
	case major > 4, major == 4 && minor >= 4:
		return FIFO
	case major == 4 && minor >= 2:
		return Pipe
	}
	return FDs
}

// flags is what MAKEFLAGS has to hold. For styles with descriptors these are 3
// and 4.
func (s Style) flags(jobs int, path string) string {
	share := map[Style]string{FDs: "--jobserver-fds=3,4", Pipe: "--jobserver-auth=3,4", FIFO: "--jobserver-auth=fifo:" + path}[s]
	return "-j" + strconv.Itoa(jobs) + " " + share
}
