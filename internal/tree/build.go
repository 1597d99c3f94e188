package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Scratch is where one ref is built, out of everybody's sight.
type Scratch struct {
	// Dir is private to this build and on the tree's file system.
	Dir string
	// Build and Stage are the paths that dkms.conf files, Makefiles and
	// scripts know: NAME/VER/build and NAME/VER/RELEASE/ARCH. They exist, so
	// that the build can bind its own directories over them.
	Build, Stage string

	tree Tree
	ref  dkms.Ref
}

// NewScratch makes the directories for a build of r, which is to be closed.
// Kind NotInTree: the package is not registered.
func (t Tree) NewScratch(r dkms.Ref) (*Scratch, error) {
	if err := checkRef(r); err != nil {
		return nil, err
	}
	if !system.Exists(t.PackageDir(r.Package)) {
		return nil, notInTree(r.Package)
	}
	s := &Scratch{Build: t.BuildDir(r.Package), Stage: t.RefDir(r), tree: t, ref: r}
	if err := s.make(); err != nil {
		_ = s.Close()
		return nil, problem(r.String(), "has no place to build", err)
	}
	return s, nil
}

func (s *Scratch) make() error {
	if err := s.tree.at("scratch"); err != nil {
		return err
	}
	var err error
	for range 100 {
		// Builds of the same package that end at this moment prune the
		// directories that all of them use.
		if err = s.directories(); !isPruned(err) {
			return err
		}
	}
	return err
}

// isPruned reports whether err may come of a directory that somebody has removed
// meanwhile: os.MkdirAll says of one that it met and that is gone the next moment
// that it exists.
func isPruned(err error) bool { return isMissing(err) || errors.Is(err, fs.ErrExist) }

func (s *Scratch) directories() error {
	parent := filepath.Join(s.tree.PackageDir(s.ref.Package), scratchDir)
	for _, dir := range []string{parent, s.Build, s.Stage} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(parent, s.ref.Release+"-"+s.ref.Arch+"-")
	if err != nil {
		return err
	}
	s.Dir = dir
	// Packages may build as another user, who has to get in.
	return os.Chmod(dir, 0o755)
}

// Close removes what is left of the scratch, and Stage if nothing was published
// there.
func (s *Scratch) Close() error {
	var err error
	if s.Dir != "" {
		err = os.RemoveAll(s.Dir)
	}
	stop := s.tree.PackageDir(s.ref.Package)
	_ = os.Remove(filepath.Join(stop, scratchDir))
	// Not s.Build: another build of the package may have something bound over
	// it, which would be gone with it.
	system.PruneEmpty(s.Stage, stop)
	if err != nil {
		return problem(s.ref.String(), "scratch directory cannot be removed", err)
	}
	return nil
}

// Built says what a finished build is; it becomes part of the Manifest.
type Built struct {
	Modules     []Module // what the dkms.conf promised for this kernel
	ConfFiles   []string // the files that promised it: the dkms.conf and its overrides
	Fingerprint string   // what it was made from, in the caller's words; may be empty
}

// Publish makes the directory stage, which holds module/ and log/, the built
// state of r, in one step. stage must lie on the tree's file system, as
// Scratch.Dir does, and is gone afterwards; nothing may be bound over RefDir any
// more. What is installed stays as it is. That r failed before is forgotten.
func (t Tree) Publish(r dkms.Ref, stage string, b Built) error {
	if err := checkRef(r); err != nil {
		return err
	}
	if !system.IsDir(filepath.Join(stage, "module")) {
		return &dkms.Error{Kind: dkms.ModuleNotProduced, Object: r.String(), Problem: "nothing was staged in " + filepath.Join(stage, "module")}
	}
	if err := t.publish(r, stage, b); err != nil {
		return problem(r.String(), "cannot be published", err)
	}
	_ = t.at("publish forget")
	_ = t.dropLog(r) // a record that stays is known to be older than the build
	t.clearBuild(r)
	return nil
}

func (t Tree) publish(r dkms.Ref, stage string, b Built) error {
	m := newManifest(r, b)
	// What the former build's modules were installed as is still there.
	m.Installed = t.readManifest(r).Installed
	if err := t.at("publish manifest"); err != nil {
		return err
	}
	if err := os.Chmod(stage, 0o755); err != nil { // anybody may ask for the status
		return err
	}
	path := filepath.Join(stage, manifestFile)
	if err := removeIf(path); err != nil {
		return err
	}
	if err := writeNew(m.encode(), 0o644)(path); err != nil {
		return err
	}
	if err := system.SyncTree(stage); err != nil {
		return err
	}
	if err := t.at("publish swap"); err != nil {
		return err
	}
	former, err := t.swap(stage, t.RefDir(r))
	if err != nil {
		return err
	}
	if err := system.SyncDir(filepath.Dir(t.RefDir(r))); err != nil {
		return err
	}
	if err := system.SyncDir(t.PackageDir(r.Package)); err != nil {
		return err
	}
	if former == "" {
		return nil
	}
	if err := t.at("publish discard"); err != nil {
		return err
	}
	return t.discard(former)
}

// builds is held while something in a NAME/VER/build is replaced: those of one
// package for several kernels end when they like.
var builds sync.Mutex

// clearBuild empties NAME/VER/build after a success, as dkms does, unless it
// holds the failed build of another ref. The directory itself stays.
func (t Tree) clearBuild(r dkms.Ref) {
	builds.Lock()
	defer builds.Unlock()
	dir := t.BuildDir(r.Package)
	if data, err := os.ReadFile(filepath.Join(dir, failedMark)); err == nil && string(data) != r.String()+"\n" {
		return
	}
	t.empty(dir)
}

// empty removes what is in a NAME/VER/build, the mark first.
func (t Tree) empty(dir string) {
	_ = os.Remove(filepath.Join(dir, failedMark))
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}

// KeepFailed keeps what a failed build left for a person to read: the tree in
// buildDir moves to NAME/VER/build, with the log as make.log in it, and the log
// alone to LogPath(r), where no build of another kernel overwrites it. Either
// may be missing. Of several at once, one is there in the end, and whole. The
// directory NAME/VER/build stays the same one, since builds that are under way
// have theirs bound over it. Errors are about the keeping only.
func (t Tree) KeepFailed(r dkms.Ref, buildDir, log string) error {
	if err := checkRef(r); err != nil {
		return err
	}
	if err := t.keepFailed(r, buildDir, log); err != nil {
		return problem(r.String(), "failed build cannot be kept", err)
	}
	return nil
}

func (t Tree) keepFailed(r dkms.Ref, buildDir, log string) error {
	data, err := os.ReadFile(log)
	if err != nil && !isMissing(err) {
		return err
	}
	if err == nil {
		if err := t.keepLog(r, t.LogPath(r), data); err != nil {
			return err
		}
	}
	return t.fillBuild(r, buildDir, data)
}

// fillBuild has NAME/VER/build hold what is in from, the log and the mark. The
// mark goes first and comes last: where it is, all the rest is.
func (t Tree) fillBuild(r dkms.Ref, from string, log []byte) error {
	builds.Lock()
	defer builds.Unlock()
	dir := t.BuildDir(r.Package)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t.empty(dir)
	entries, err := os.ReadDir(from)
	if err != nil && !isMissing(err) {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err := overwrite(filepath.Join(dir, "make.log"), log); err != nil {
		return err
	}
	return overwrite(filepath.Join(dir, failedMark), []byte(r.String()+"\n"))
}

// overwrite does not follow a link that the build may have left at path.
func overwrite(path string, data []byte) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return os.WriteFile(path, data, fs.FileMode(0o644))
}

// Unbuild removes what is built for r, and what is remembered of its failures.
// It must not be installed. Kind NotInTree: nothing is built for it.
func (t Tree) Unbuild(r dkms.Ref) error {
	if err := checkRef(r); err != nil {
		return err
	}
	if !system.Exists(t.RefDir(r)) {
		return &dkms.Error{Kind: dkms.NotInTree, Object: r.String(), Problem: "is not built"}
	}
	if err := t.at("unbuild"); err != nil {
		return problem(r.String(), "cannot be removed", err)
	}
	// The record first: for a ref that is gone, nothing would ever drop it.
	if err := t.dropLog(r); err != nil {
		return problem(r.String(), "cannot be removed", err)
	}
	if err := t.discard(t.RefDir(r)); err != nil {
		return problem(r.String(), "cannot be removed", err)
	}
	system.PruneEmpty(filepath.Dir(t.RefDir(r)), t.PackageDir(r.Package))
	return nil
}
