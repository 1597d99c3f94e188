//go:build e2e

package rpm

import (
	"flag"

	"golang.org/x/sys/unix"
)

var (
	full = flag.Bool("full", false, "run the long tests, too")
	seed = flag.Uint64("seed", 0, "seed of the moments at which dnf is killed; 0 takes one from the clock")
)

// cut returns the first n of some cases, all of them with -full.
func cut[T any](n int, cases []T) []T {
	if *full {
		return cases
	}
	return cases[:n]
}

// uname is the release of the kernel that runs.
func uname() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		panic(err)
	}
	return unix.ByteSliceToString(u.Release[:])
}
