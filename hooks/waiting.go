package hooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// A kernel that has an image and no headers is recorded, with the name of the
// distribution package that would bring them and with those who wait. So the package database is asked once,
// and what has been said is not said at each event.

// recordWaiting records which packages wait for which kernel's headers, and
// tells what is new.
func (r *run) recordWaiting(waiting map[dkms.KernelID][]string) {
	if !r.declarative {
		return // DKMS's own actions end with that error
	}
	for _, id := range slices.SortedFunc(maps.Keys(waiting), dkms.CompareKernels) {
		names := strings.Join(waiting[id], "\n")
		then, _ := r.machine.Tree.Waiting(id.Release)
		if then.Names == names && (then.Brings != "" && r.event != "" || r.event == "boot") {
			continue
		}
		now := tree.Waiting{Brings: then.Brings, Names: names}
		if now.Brings == "" {
			now.Brings = pkgmgr.HeadersPackage(r.ctx, id.Release)
		}
		r.console.Notice(waitingLine(id.Release, waiting[id], now.Brings))
		if err := r.machine.Tree.MarkWaiting(id.Release, now); err != nil {
			r.console.Warn(err.Error())
		}
	}
	for _, release := range r.machine.Tree.WaitingReleases() {
		k, err := r.machine.Kernel(dkms.KernelID{Release: release})
		if err == nil && (k.RequireHeaders() == nil || k.Vanished()) {
			r.machine.Tree.ForgetWaiting(release)
		}
	}
}

func waitingLine(release string, names []string, brings string) string {
	line := fmt.Sprintf("%s: no kernel headers, so not built yet: %s", release, strings.Join(names, ", "))
	if brings != "" {
		line += "; they come with the package " + brings
	}
	return line
}

// headersPackage is the name of the package that would bring a kernel's
// headers; empty: nobody knows.
func (r *run) headersPackage(release string) string {
	if w, ok := r.machine.Tree.Waiting(release); ok {
		return w.Brings
	}
	return pkgmgr.HeadersPackage(r.ctx, release)
}
