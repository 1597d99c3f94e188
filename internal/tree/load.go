package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// LoadRequest says what to load (ldtarball).
type LoadRequest struct {
	Archive string
	// Package, where its fields are not empty, wins over what the archive
	// says (-m, -v).
	Package dkms.Package
	// Force loads a package that is already added and replaces its source
	// and the builds that the archive has; none of them may be installed.
	Force bool
	// Identify returns PACKAGE_NAME and PACKAGE_VERSION of a dkms.conf, or
	// why it is invalid. What named has already is not judged. It is called on
	// the unpacked archive, before anything else is written.
	Identify func(conf string, named dkms.Package) (dkms.Package, error)
}

// Loaded is what Load did.
type Loaded struct {
	Package dkms.Package
	Source  string     // where the source is; the target of the source link
	Refs    []dkms.Ref // now built
	Skipped []dkms.Ref // were built already and stayed as they are
}

// Load reads an archive that Pack or dkms mktarball wrote, or any archive with
// a dkms.conf in it, compressed by gzip, xz, zstd, bzip2 or not at all: the
// source goes to SOURCETREE/NAME-VER, where it replaces what is there, and is
// registered; the kernels in it become built. An archive of binaries leaves an
// existing source alone, and else makes one of the dkms.conf only.
//
// The archive is unpacked into a scratch directory and judged there. On any
// error everything is as before. Kind SourceMissing: there is no archive;
// ArchiveNoConf: it has no dkms.conf, or is no archive; ArchiveInvalid: it is
// damaged, hostile or inconsistent; ConfInvalid: the package is in the tree
// already, without Force.
func (t Tree) Load(ctx context.Context, req LoadRequest) (Loaded, error) {
	if info, err := os.Stat(req.Archive); err != nil || !info.Mode().IsRegular() {
		return Loaded{}, &dkms.Error{Kind: dkms.SourceMissing, Object: req.Archive, Problem: "is not an archive file", Err: cause(err)}
	}
	own := system.Exists(t.own(scratchDir))
	if err := os.MkdirAll(t.own(scratchDir), 0o755); err != nil {
		return Loaded{}, problem(t.Dir, "cannot be written", err)
	}
	dir, err := os.MkdirTemp(t.own(scratchDir), "load-")
	if err != nil {
		return Loaded{}, problem(t.Dir, "cannot be written", err)
	}
	defer func() {
		_ = os.RemoveAll(dir)
		if !own {
			_ = os.Remove(t.own(scratchDir))
		}
	}()
	if err := extract(ctx, req.Archive, dir, archiveLimits); err != nil {
		return Loaded{}, badArchive(ctx, req.Archive, err)
	}
	l := loader{tree: t, req: req, dir: dir}
	if err := l.judge(); err != nil {
		return Loaded{}, err
	}
	return l.load()
}

// cause drops the path of an os error, which the Object has already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func badArchive(ctx context.Context, archive string, err error) error {
	switch {
	case ctx.Err() != nil:
		return &dkms.Error{Kind: dkms.Interrupted, Object: archive, Problem: "loading was interrupted", Err: err, Hint: "nothing of it was loaded: load it again"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return problem(archive, "cannot be unpacked", err)
	}
	if errors.Is(err, errNoArchive) {
		return &dkms.Error{Kind: dkms.ArchiveNoConf, Object: archive, Problem: "is no archive, so there is no dkms.conf in it", Err: err}
	}
	return &dkms.Error{Kind: dkms.ArchiveInvalid, Object: archive, Problem: "is damaged or unsafe; nothing was loaded", Err: err}
}

type loader struct {
	tree Tree
	req  LoadRequest
	dir  string // the unpacked archive

	pkg      dkms.Package
	source   string // directory with the dkms.conf
	binaries bool
	refs     []dkms.Ref
	added    bool
	undo     []func()
}

func (l *loader) invalid(text string) error {
	return &dkms.Error{Kind: dkms.ArchiveInvalid, Object: l.req.Archive, Problem: text}
}

// judge finds out what the archive is, and refuses what cannot be loaded.
func (l *loader) judge() error {
	switch {
	case isFile(filepath.Join(l.dir, sourceTree, "dkms.conf")):
		l.source = filepath.Join(l.dir, sourceTree)
	case isFile(filepath.Join(l.dir, binariesOnly, "dkms.conf")):
		l.source, l.binaries = filepath.Join(l.dir, binariesOnly), true
	default:
		if l.source = findConf(l.dir); l.source == "" {
			return &dkms.Error{Kind: dkms.ArchiveNoConf, Object: l.req.Archive, Problem: "has no dkms.conf in it"}
		}
	}
	if err := l.identify(); err != nil {
		return err
	}
	if err := l.kernels(); err != nil {
		return err
	}
	if l.binaries && len(l.refs) == 0 {
		return l.invalid("promises binaries and has none")
	}
	state, listed := l.tree.source(l.pkg)
	l.added = listed && state.State == dkms.Added
	if l.added && !l.binaries && !l.req.Force {
		return &dkms.Error{Kind: dkms.ConfInvalid, Object: l.pkg.String(), Problem: "is already in the tree", Hint: "--force loads it all the same"}
	}
	if !l.req.Force {
		return nil
	}
	for _, r := range l.refs {
		if active, ok := l.tree.activeRef(r.Name, r.KernelID); ok && active == r {
			return &dkms.Error{Kind: dkms.AlreadyInstalled, Object: r.String(), Problem: "is installed", Hint: "dkms uninstall it first"}
		}
	}
	return nil
}

// findConf returns the directory of the uppermost dkms.conf.
func findConf(dir string) string {
	found, depth := "", 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() == "dkms.conf" {
			if n := strings.Count(path, "/"); found == "" || n < depth {
				found, depth = filepath.Dir(path), n
			}
		}
		return nil
	})
	return found
}

// identify decides on name and version: the request's, else those that it was
// registered under where it was packed, else the dkms.conf's.
func (l *loader) identify() error {
	packed := l.packed()
	named := dkms.Package{Name: first(l.req.Package.Name, packed.Name), Version: first(l.req.Package.Version, packed.Version)}
	conf, err := l.req.Identify(filepath.Join(l.source, "dkms.conf"), named)
	if err != nil {
		return err
	}
	l.pkg = dkms.Package{Name: first(named.Name, conf.Name), Version: first(named.Version, conf.Version)}
	if err := checkNew(l.pkg); err != nil {
		var e *dkms.Error
		if errors.As(err, &e) {
			e.Kind = dkms.ArchiveInvalid
		}
		return err
	}
	return nil
}

func (l *loader) packed() dkms.Package {
	read := func(elem ...string) string {
		data, err := os.ReadFile(filepath.Join(append([]string{l.dir}, elem...)...))
		if err != nil || len(data) > 4096 {
			return ""
		}
		return strings.TrimSpace(string(data))
	}
	if l.binaries {
		return dkms.Package{Name: read(binariesOnly, "PACKAGE_NAME"), Version: read(binariesOnly, "PACKAGE_VERSION")}
	}
	name, version, _ := strings.Cut(read(mainTree, packageFile), "\n")
	return dkms.Package{Name: name, Version: version}
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// kernels lists and checks dkms_main_tree/RELEASE/ARCH.
func (l *loader) kernels() error {
	top := filepath.Join(l.dir, mainTree)
	releases, err := os.ReadDir(top)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, release := range releases {
		if strings.HasPrefix(release.Name(), ".") {
			continue
		}
		arches, err := os.ReadDir(filepath.Join(top, release.Name()))
		if err != nil {
			return l.invalid(mainTree + "/" + release.Name() + " is not a directory")
		}
		for _, arch := range arches {
			r := dkms.Ref{Package: l.pkg, KernelID: dkms.KernelID{Release: release.Name(), Arch: arch.Name()}}
			if err := l.checkRef(r, filepath.Join(top, release.Name(), arch.Name())); err != nil {
				return err
			}
			l.refs = append(l.refs, r)
		}
	}
	return nil
}

func (l *loader) checkRef(r dkms.Ref, dir string) error {
	if err := checkRef(r); err != nil {
		return l.invalid(mainTree + "/" + r.KernelID.String() + " is not a kernel's name")
	}
	entries, err := os.ReadDir(filepath.Join(dir, "module"))
	if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { _, ok := ModuleName(e.Name()); return ok && e.Type().IsRegular() }) {
		return l.invalid("has no modules in " + mainTree + "/" + r.KernelID.String() + "/module")
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			rel, _ := filepath.Rel(l.dir, path)
			return l.invalid("has a link among its modules: " + rel)
		}
		return err
	})
}

// load carries it out: source, link, builds. Each stage is a valid state.
func (l *loader) load() (Loaded, error) {
	done := Loaded{Package: l.pkg, Source: l.tree.Source(l.pkg)}
	err := l.install(&done)
	if err != nil {
		slices.Reverse(l.undo)
		for _, undo := range l.undo {
			undo()
		}
		return Loaded{}, problem(l.pkg.String(), "cannot be loaded", err)
	}
	_ = l.tree.discard(l.former())
	return done, nil
}

// former is where the source that was replaced waits until all is done.
func (l *loader) former() string { return hidden(l.tree.Source(l.pkg), oldSuffix) }

func (l *loader) install(done *Loaded) error {
	if !l.binaries || !l.added && !system.IsDir(done.Source) {
		if err := l.putSource(done.Source); err != nil {
			return err
		}
	}
	if err := l.link(done); err != nil {
		return err
	}
	for _, r := range l.refs {
		if system.IsDir(l.tree.ModuleDir(r)) && !l.req.Force {
			done.Skipped = append(done.Skipped, r)
			continue
		}
		if err := l.tree.at("load publish"); err != nil {
			return err
		}
		if err := l.publish(r); err != nil {
			return err
		}
		done.Refs = append(done.Refs, r)
	}
	return nil
}

// publish makes r built and remembers how it was.
func (l *loader) publish(r dkms.Ref) error {
	stage := filepath.Join(l.dir, mainTree, r.Release, r.Arch)
	// A manifest from elsewhere is never believed.
	if err := os.RemoveAll(filepath.Join(stage, manifestFile)); err != nil {
		return err
	}
	dir := l.tree.RefDir(r)
	if !system.Exists(dir) {
		if err := l.tree.Publish(r, stage, Built{}); err != nil {
			return err
		}
		l.undo = append(l.undo, func() { _ = l.tree.Unbuild(r) })
		return nil
	}
	kept := filepath.Join(l.dir, "former-"+r.Release+"-"+r.Arch)
	if err := system.CopyTree(dir, kept); err != nil {
		return err
	}
	l.undo = append(l.undo, func() { _, _ = l.tree.swap(kept, dir) })
	return l.tree.Publish(r, stage, Built{})
}

// link registers the package, or points it at the source that was loaded.
func (l *loader) link(done *Loaded) error {
	link := l.tree.SourceLink(l.pkg)
	target, err := os.Readlink(link)
	if l.added && (l.binaries || err != nil || target == done.Source) {
		done.Source = target
		return nil
	}
	before, build := target, system.Exists(l.tree.BuildDir(l.pkg))
	l.undo = append(l.undo, func() {
		_ = setLink(link, before)
		if !build {
			_ = os.Remove(l.tree.BuildDir(l.pkg))
		}
		system.PruneEmpty(l.tree.PackageDir(l.pkg), l.tree.Dir)
	})
	if l.added {
		return setLink(link, done.Source)
	}
	return l.tree.Register(l.pkg, done.Source)
}
