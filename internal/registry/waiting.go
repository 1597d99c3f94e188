package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// A kernel that has an image and no headers is recorded, with the name of the
// distribution package that would bring them and with those who wait. So the
// package database is asked once, and what has been said is not said at each
// event.

// RecordWaiting records which packages wait for which kernel's headers, and
// tells what is new.
func (g *Registry) RecordWaiting(ctx context.Context, waiting map[dkms.KernelID][]string, event string) {
	for _, id := range slices.SortedFunc(maps.Keys(waiting), dkms.CompareKernels) {
		names := strings.Join(waiting[id], "\n")
		then, _ := g.tree.Waiting(id.Release)
		if then.Names == names && (then.Brings != "" && event != "" || event == "boot") {
			continue
		}
		now := tree.Waiting{Brings: then.Brings, Names: names}
		if now.Brings == "" {
			now.Brings = pkgmgr.HeadersPackage(ctx, id.Release)
		}
		g.console.Notice(waitingLine(id.Release, waiting[id], now.Brings))
		if err := g.tree.MarkWaiting(id.Release, now); err != nil {
			g.console.Warn(err.Error())
		}
	}
	for _, release := range g.tree.WaitingReleases() {
		k, err := g.machine.Kernel(dkms.KernelID{Release: release})
		if err == nil && (k.RequireHeaders() == nil || k.Vanished()) {
			g.tree.ForgetWaiting(release)
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

// HeadersPackage is the name of the package that would bring a kernel's
// headers; empty: nobody knows.
func (g *Registry) HeadersPackage(ctx context.Context, release string) string {
	if w, ok := g.tree.Waiting(release); ok {
		return w.Brings
	}
	return pkgmgr.HeadersPackage(ctx, release)
}
