package hooks

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// A kernel that has an image and no headers is recorded, with the name of the
// distribution package that would bring them and with those who wait, one on a
// line: TREE/.dkms-hook/waiting/RELEASE. So the package database is asked once,
// and what has been said is not said at each event.

func (r *run) waitingPath(release string) string {
	return filepath.Join(r.tree.Dir, ".dkms-hook", "waiting", release)
}

// recordWaiting records which packages wait for which kernel's headers, and
// tells what is new.
func (r *run) recordWaiting(waiting map[dkms.KernelID][]string) {
	if !r.declarative {
		return // DKMS's own actions end with that error
	}
	for _, id := range slices.SortedFunc(maps.Keys(waiting), dkms.CompareKernels) {
		names := strings.Join(waiting[id], "\n")
		brings, then, _ := r.recorded(id.Release)
		if then == names && (brings != "" && r.event != "" || r.event == "boot") {
			continue
		}
		if brings == "" {
			brings = pkgmgr.HeadersPackage(r.ctx, id.Release)
		}
		r.console.Notice(waitingLine(id.Release, waiting[id], brings))
		if err := r.writeWaiting(id.Release, brings+"\n"+names+"\n"); err != nil {
			r.console.Warn(err.Error())
		}
	}
	old, _ := filepath.Glob(r.waitingPath("*"))
	for _, path := range old {
		k, err := r.kernel(dkms.KernelID{Release: filepath.Base(path)})
		if err == nil && (k.RequireHeaders() == nil || k.Vanished()) {
			_ = os.Remove(path)
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

func (r *run) writeWaiting(release, text string) error {
	path := r.waitingPath(release)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return system.WriteFile(path, []byte(text), 0o644)
}

// recorded returns the package that would bring a kernel's headers, and who was
// waiting when that was found out.
func (r *run) recorded(release string) (brings, names string, ok bool) {
	text, err := os.ReadFile(r.waitingPath(release))
	if err != nil {
		return "", "", false
	}
	brings, names, _ = strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	return brings, names, true
}

// headersPackage is the name of the package that would bring a kernel's
// headers; empty: nobody knows.
func (r *run) headersPackage(release string) string {
	if brings, _, ok := r.recorded(release); ok {
		return brings
	}
	return pkgmgr.HeadersPackage(r.ctx, release)
}
