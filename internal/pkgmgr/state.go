package pkgmgr

import (
	"context"
	"strings"
)

// State is how far a distribution package has come.
type State string

// The states of a package.
const (
	Absent     State = "absent"     // not there, or only its configuration files
	Unfinished State = "unfinished" // half-installed, unpacked or half-configured
	Settled    State = "settled"    // installed, if only triggers are still to be processed
)

// PackageState asks dpkg, or where it is not the machine's package manager
// rpm, how far pkg has come (dpkg(1), Package states). Of a package that is
// there for several architectures the one that came furthest counts. A package
// of which nobody knows is Absent.
func PackageState(ctx context.Context, pkg string) State {
	if pkg == "" || strings.HasPrefix(pkg, "-") || strings.ContainsAny(pkg, `*?[\`) {
		return Absent // an option or a pattern
	}
	out, err := query(ctx, "dpkg-query", "-W", "-f", "${db:Status-Status}\n", pkg)
	if err == nil {
		state := Absent
		for line := range strings.Lines(out) {
			state = further(state, dpkgState(strings.TrimSpace(line)))
		}
		return state
	}
	if _, err := query(ctx, "rpm", "-q", pkg); err == nil {
		return Settled
	}
	return Absent
}

func dpkgState(status string) State {
	switch status {
	case "half-installed", "unpacked", "half-configured":
		return Unfinished
	case "installed", "triggers-awaited", "triggers-pending":
		return Settled
	}
	return Absent
}

func further(a, b State) State {
	if a == Settled || b == Absent {
		return a
	}
	return b
}
