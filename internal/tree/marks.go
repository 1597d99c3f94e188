package tree

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Marks are small files that one run leaves for those that follow.

// MarkStale has r built again, for a reason in words. What is built stays in
// place until then; the mark, NAME/VER/RELEASE/ARCH/.stale, goes with it.
func (t Tree) MarkStale(r dkms.Ref, why string) error {
	return system.WriteFile(t.stalePath(r), []byte(why+"\n"), 0o644)
}

// MarkedStale returns the reason that MarkStale was given; ok is false where r
// bears no mark.
func (t Tree) MarkedStale(r dkms.Ref) (why string, ok bool) {
	text, err := os.ReadFile(t.stalePath(r))
	return strings.TrimSpace(string(text)), err == nil
}

// WriteDepends leaves in a stage, beside what was built, the versions of the
// packages that it was built with, as DKMS does: a file .dep_NAME each.
func WriteDepends(stage string, with []dkms.Package) error {
	for _, p := range with {
		if err := os.WriteFile(filepath.Join(stage, dependPrefix+p.Name), []byte(p.Version+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// BuiltWith reads those files of r: version by name.
func (t Tree) BuiltWith(r dkms.Ref) map[string]string {
	entries, _ := os.ReadDir(t.RefDir(r))
	var with map[string]string
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), dependPrefix)
		if !ok {
			continue
		}
		text, err := os.ReadFile(filepath.Join(t.RefDir(r), e.Name()))
		if err != nil {
			continue
		}
		if with == nil {
			with = map[string]string{}
		}
		with[name] = strings.TrimSpace(string(text))
	}
	return with
}

// MarkRemoved notes that the kernel's package has been removed:
// TREE/.dkms-hook/removed/RELEASE. The kernel may keep its headers, and where it
// was made of several packages its modules as well; it is not wanted then,
// unlike one whose image is yet to come.
func (t Tree) MarkRemoved(release string) error { return writeMark(t.removedPath(release), "") }

// WasRemoved reports whether MarkRemoved was said of the kernel last.
func (t Tree) WasRemoved(release string) bool { return system.Exists(t.removedPath(release)) }

// MarkBack takes MarkRemoved back: the kernel is there again, or somebody has
// named it.
func (t Tree) MarkBack(release string) { _ = os.Remove(t.removedPath(release)) }

// Waiting is a kernel that has an image and no headers, as it was found last:
// TREE/.dkms-hook/waiting/RELEASE.
type Waiting struct {
	Brings string // distribution package that would bring the headers; empty: nobody knows
	Names  string // the packages that wait, one on a line
}

// MarkWaiting records who waits for the kernel's headers.
func (t Tree) MarkWaiting(release string, w Waiting) error {
	return writeMark(t.waitingPath(release), w.Brings+"\n"+w.Names+"\n")
}

// Waiting returns what MarkWaiting recorded; ok is false where nothing is.
func (t Tree) Waiting(release string) (w Waiting, ok bool) {
	text, err := os.ReadFile(t.waitingPath(release))
	if err != nil {
		return w, false
	}
	w.Brings, w.Names, _ = strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	return w, true
}

// WaitingReleases are the kernels of which something is recorded.
func (t Tree) WaitingReleases() []string {
	paths, _ := filepath.Glob(t.waitingPath("*"))
	for i, path := range paths {
		paths[i] = filepath.Base(path)
	}
	return paths
}

// ForgetWaiting drops what is recorded of a kernel.
func (t Tree) ForgetWaiting(release string) { _ = os.Remove(t.waitingPath(release)) }

// MarkUpgrade notes which rpm transaction has added p:
// TREE/.dkms-hook/rpm/NAME-VER.
func (t Tree) MarkUpgrade(p dkms.Package, transaction string) error {
	return writeMark(t.upgradePath(p), transaction+"\n")
}

// TakeUpgrade returns the transaction that MarkUpgrade was given, and takes the
// mark away: it has served, or is of another time. ok is false where there is
// none.
func (t Tree) TakeUpgrade(p dkms.Package) (transaction string, ok bool) {
	text, err := os.ReadFile(t.upgradePath(p))
	if err != nil {
		return "", false
	}
	_ = os.Remove(t.upgradePath(p))
	return strings.TrimSpace(string(text)), true
}

func writeMark(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return system.WriteFile(path, []byte(text), 0o644)
}
