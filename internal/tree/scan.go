package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Snapshot is what the tree holds: what `dkms status` lists, and more.
type Snapshot struct {
	Packages []PackageState // by name, then version, in byte order: its methods rely on that
	Weak     []Weak         // modules that other kernels borrow
	Problems []Problem      // entries that could not be made sense of
}

// PackageState is one registered package.
type PackageState struct {
	dkms.Package
	State   dkms.State // Added or Broken
	Problem string     // why it is Broken
	Source  string     // what the source link says; empty when there is none
	Refs    []RefState // built and installed ones, by release, then arch
	// Failures are remembered ones, by release, then arch; a ref may be among
	// Refs, too, with an older build that still serves.
	Failures []Failure
	Retired  *Retirement // nil: it is not
}

// RefState is one package for one kernel.
type RefState struct {
	dkms.Ref
	State     dkms.State // Built or Installed
	Originals bool       // modules that it displaced are kept aside
	// Missing, Differs and Fingerprint are set by Compare: a module that was
	// promised is not in the tree; an installed file is gone or unlike that in
	// the tree; what its manifest, where there is one, says it was built from.
	Missing, Differs bool
	Fingerprint      string
	// Lacking is set beside Differs where an install mends it: a file is gone,
	// or is still that of an earlier build. Else somebody has changed it in
	// place, to sign it for one.
	Lacking bool
	Gone    bool // set beside Lacking: a file is gone, so that no earlier build serves
}

// Problem is an entry of the tree that is not as it should be and was passed
// over.
type Problem struct {
	Path string
	Text string
	Err  error // may be nil
}

// String returns "path: text".
func (p Problem) String() string {
	if p.Err == nil {
		return p.Path + ": " + p.Text
	}
	// The path of an os error would only repeat ours.
	var pe *fs.PathError
	if errors.As(p.Err, &pe) {
		return fmt.Sprintf("%s: %s: %v", p.Path, p.Text, pe.Err)
	}
	return fmt.Sprintf("%s: %s: %v", p.Path, p.Text, p.Err)
}

// Find returns the state of p; ok is false when it is not in the tree.
func (s Snapshot) Find(p dkms.Package) (state PackageState, ok bool) {
	for _, state := range s.Named(p.Name) {
		if state.Package == p {
			return state, true
		}
	}
	return PackageState{}, false
}

// Named returns every version of the package name.
func (s Snapshot) Named(name string) []PackageState {
	from := sort.Search(len(s.Packages), func(i int) bool { return s.Packages[i].Name >= name })
	return leading(s.Packages[from:], name)
}

// leading returns the packages that all begins with and that are called name.
func leading(all []PackageState, name string) []PackageState {
	n := 0
	for n < len(all) && all[n].Name == name {
		n++
	}
	return all[:n]
}

// Ref returns the state of r; its State is Absent when r is not built.
func (s Snapshot) Ref(r dkms.Ref) RefState {
	p, _ := s.Find(r.Package)
	for _, ref := range p.Refs {
		if ref.Ref == r {
			return ref
		}
	}
	return RefState{Ref: r}
}

// Failure returns what is remembered of r, as Tree.Failure does.
func (s Snapshot) Failure(r dkms.Ref) (f Failure, ok bool) {
	p, _ := s.Find(r.Package)
	for _, f := range p.Failures {
		if f.Ref == r {
			return f, true
		}
	}
	return Failure{}, false
}

// Active returns the version of the package name that is installed for k.
func (s Snapshot) Active(name string, k dkms.KernelID) (version string, ok bool) {
	for _, p := range s.Named(name) {
		for _, r := range p.Refs {
			if r.KernelID == k && r.State == dkms.Installed {
				return r.Version, true
			}
		}
	}
	return "", false
}

// Refs lists every package that is built for some kernel.
func (s Snapshot) Refs() []RefState {
	var refs []RefState
	for _, p := range s.Packages {
		refs = append(refs, p.Refs...)
	}
	return refs
}

// Newest returns the newest version of each name whose source is there and that
// is not retired, sorted by name.
func (s Snapshot) Newest() []PackageState {
	var newest []PackageState
	for rest := s.Packages; len(rest) > 0; {
		versions := leading(rest, rest[0].Name)
		if p, ok := newestOf(versions); ok {
			newest = append(newest, p)
		}
		rest = rest[len(versions):]
	}
	return newest
}

// NewestOf returns the one of Newest that is called name.
func (s Snapshot) NewestOf(name string) (p PackageState, ok bool) { return newestOf(s.Named(name)) }

func newestOf(versions []PackageState) (newest PackageState, ok bool) {
	for _, p := range versions {
		if p.State == dkms.Broken || p.Retired != nil {
			continue
		}
		if !ok || dkms.CompareVersions(p.Version, newest.Version) > 0 {
			newest, ok = p, true
		}
	}
	return newest, ok
}

// Scan reads the tree. An entry that is foreign, half written or unreadable
// becomes a Problem and hides nothing else; only ctx and a tree directory that
// is there but cannot be read at all are errors. No tree is an empty one.
func (t Tree) Scan(ctx context.Context) (Snapshot, error) {
	var s Snapshot
	names, err := os.ReadDir(t.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, problem(t.Dir, "cannot be read", err)
	}
	for _, e := range names {
		if err := ctx.Err(); err != nil {
			return s, context.Cause(ctx)
		}
		if strings.HasPrefix(e.Name(), ".") || !t.isDir(t.Dir, e) {
			continue
		}
		t.scanName(&s, e.Name())
	}
	slices.SortStableFunc(s.Packages, func(a, b PackageState) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Version, b.Version)
	})
	s.Weak = t.scanWeak(&s)
	return s, nil
}

// isDir follows links: people move parts of the tree to other disks.
func (t Tree) isDir(dir string, e fs.DirEntry) bool {
	if e.Type() != fs.ModeSymlink {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// scanName reads TREE/NAME.
func (t Tree) scanName(s *Snapshot, name string) {
	dir := filepath.Join(t.Dir, name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.problem(dir, "cannot be read", err)
		return
	}
	active := map[string]bool{} // "VER/RELEASE/ARCH", and whether it is built
	originals := false
	for _, e := range entries {
		if isActiveLink(e) {
			if target, ok := t.activeOf(name, e.Name()); ok {
				active[target] = false
			}
		}
		originals = originals || e.Name() == originalsDir
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."), e.Name() == originalsDir:
		case isActiveLink(e):
		case t.isDir(dir, e):
			t.scanVersion(s, dkms.Package{Name: name, Version: e.Name()}, active, originals)
		}
	}
	for target, built := range active {
		if built {
			continue
		}
		path := filepath.Join(dir, target, "module")
		if _, err := os.Stat(path); err != nil {
			s.problem(filepath.Join(dir, target), "is marked as installed but is not built", nil)
		}
	}
}

func isActiveLink(e fs.DirEntry) bool {
	return e.Type() == fs.ModeSymlink && strings.HasPrefix(e.Name(), activePrefix)
}

// activeOf reads an active link and returns VER/RELEASE/ARCH when the link is
// that of RELEASE and ARCH. Others (a link by which another kernel borrows the
// module) do not make anything installed.
func (t Tree) activeOf(name, link string) (target string, ok bool) {
	text, err := os.Readlink(filepath.Join(t.Dir, name, link))
	if err != nil {
		return "", false
	}
	if filepath.IsAbs(text) {
		if text, err = filepath.Rel(filepath.Join(t.Dir, name), text); err != nil {
			return "", false
		}
	}
	text = filepath.Clean(text)
	parts := strings.Split(text, "/")
	if len(parts) != 3 || link != activePrefix+parts[1]+"-"+parts[2] {
		return "", false
	}
	return text, true
}

// scanVersion reads TREE/NAME/VER.
func (t Tree) scanVersion(s *Snapshot, p dkms.Package, active map[string]bool, originals bool) {
	dir := t.PackageDir(p)
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.problem(dir, "cannot be read", err)
		return
	}
	state, listed := t.source(p)
	for _, e := range entries {
		switch {
		case e.Name() == retiredFile:
			state.Retired = t.scanRetirement(s, p)
		case e.Name() == logDir:
			state.Failures = t.scanFailures(s, p)
		case strings.HasPrefix(e.Name(), ".") || reserved[e.Name()] || !t.isDir(dir, e):
		default:
			state.Refs = append(state.Refs, t.scanRelease(s, p, e.Name(), active, originals)...)
		}
	}
	if !listed && state.Retired != nil {
		// Its source has gone with its distribution package, as is to be
		// expected; what it installed must not be forgotten.
		state.State, listed = dkms.Broken, true
		state.Problem = "it is retired and its source is gone"
	}
	if !listed {
		if len(state.Refs) > 0 {
			s.problem(dir, "has built modules but neither a source link nor "+t.Source(p), nil)
		}
		return
	}
	s.Packages = append(s.Packages, state)
}

// source tells whether p is registered and, if its source cannot be reached,
// what is wrong with it.
func (t Tree) source(p dkms.Package) (state PackageState, listed bool) {
	state = PackageState{Package: p, State: dkms.Added}
	link := t.SourceLink(p)
	info, err := os.Stat(link)
	state.Source, _ = os.Readlink(link)
	switch {
	case err == nil && info.IsDir():
		if state.Source == "" {
			state.Source = link // a directory: old archives of binaries
		}
		return state, true
	case state.Source != "":
		state.State = dkms.Broken
		state.Problem = "the source link points at " + state.Source + ", where there is no directory"
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			state.Problem = "the source link points at " + state.Source + ", which cannot be reached"
		}
		return state, true
	}
	if info, err := os.Stat(t.Source(p)); err != nil || !info.IsDir() {
		return state, false
	}
	state.State = dkms.Broken
	state.Problem = "the source link is missing though " + t.Source(p) + " exists"
	return state, true
}

// scanRelease reads TREE/NAME/VER/RELEASE.
func (t Tree) scanRelease(s *Snapshot, p dkms.Package, release string, active map[string]bool, originals bool) []RefState {
	dir := filepath.Join(t.PackageDir(p), release)
	arches, err := os.ReadDir(dir)
	if err != nil {
		s.problem(dir, "cannot be read", err)
		return nil
	}
	var refs []RefState
	for _, e := range arches {
		if strings.HasPrefix(e.Name(), ".") || !t.isDir(dir, e) {
			continue
		}
		r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: release, Arch: e.Name()}}
		if info, err := os.Stat(t.ModuleDir(r)); err != nil || !info.IsDir() {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.problem(t.RefDir(r), "cannot be read", err)
			}
			continue
		}
		state := RefState{Ref: r, State: dkms.Built}
		if _, ok := active[activeTarget(r)]; ok {
			state.State, active[activeTarget(r)] = dkms.Installed, true
		}
		if originals {
			info, err := os.Stat(t.OriginalDir(p.Name, r.KernelID))
			state.Originals = err == nil && info.IsDir()
		}
		refs = append(refs, state)
	}
	return refs
}

func (s *Snapshot) problem(path, text string, err error) {
	s.Problems = append(s.Problems, Problem{path, text, err})
}
