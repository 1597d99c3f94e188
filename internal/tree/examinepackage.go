package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

const foreign = "is nothing that belongs here; it is passed over"

// atHome are the names of files that dkms, or a file system, puts into the tree.
var atHome = map[string]bool{"mok.key": true, "mok.pub": true, "dkms_dbversion": true, "lost+found": true}

// names looks at TREE and at TREE/NAME.
func (x *examiner) names() {
	t := x.tree
	for _, path := range glob(t.Dir, "*") {
		name := filepath.Base(path)
		switch {
		case atHome[name]:
		case !system.IsDir(path):
			x.person(path, foreign, "remove it if nobody needs it")
		case isEmpty(path):
			x.junk(path, "is empty", t.Dir)
		default:
			x.name(name)
		}
	}
}

func (x *examiner) name(name string) {
	dir := filepath.Join(x.tree.Dir, name)
	entries, _ := os.ReadDir(dir) // else a Problem of Scan
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case isActiveLink(e):
			x.activeLink(name, path)
		case e.Name() == originalsDir:
			for _, path := range glob(path, "*", "*") {
				x.originals(name, path)
			}
		case x.tree.isDir(dir, e):
			x.version(dkms.Package{Name: name, Version: e.Name()})
		default:
			x.person(path, foreign, "remove it if nobody needs it")
		}
	}
}

// activeLink looks at a link that says what is installed. One that says so for
// another kernel, or in another form, is somebody else's as long as it leads
// somewhere.
func (x *examiner) activeLink(name, path string) {
	t := x.tree
	target, ok := t.activeOf(name, filepath.Base(path))
	if !ok {
		if !system.Exists(path + "/.") {
			x.junk(path, "leads nowhere", filepath.Join(t.Dir, name))
		}
		return
	}
	r := dkms.Ref{Package: dkms.Package{Name: name, Version: filepath.Dir(filepath.Dir(target))},
		KernelID: dkms.KernelID{Release: filepath.Base(filepath.Dir(target)), Arch: filepath.Base(target)}}
	if system.IsDir(t.ModuleDir(r)) {
		return
	}
	x.explained[filepath.Join(t.Dir, name, target)] = true
	x.safe(path, "says that "+target+" is installed, where nothing is built", "take it as not installed, and put originals back",
		"was removed", func() error { return x.lower(r) })
}

// lower uninstalls r, which may be gone but for its active link.
func (x *examiner) lower(r dkms.Ref) error {
	tx, err := x.tree.Uninstall(r, nil)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if !system.IsDir(x.tree.KernelDir(r.Release)) {
		return x.tree.DepmodDone(r.Release)
	}
	return nil
}

// originals looks at modules that were set aside for a version that is not
// active any more.
func (x *examiner) originals(name, path string) {
	t := x.tree
	k := dkms.KernelID{Release: filepath.Base(filepath.Dir(path)), Arch: filepath.Base(path)}
	if _, active := t.activeRef(name, k); active {
		return
	}
	stop := filepath.Join(t.Dir, name)
	switch {
	case isEmpty(path):
		x.junk(path, "is empty", stop)
	case x.lacksKernel(k.Release):
		x.junk(path, "holds modules of a kernel that is gone", stop)
	case t.allBack(dkms.Ref{Package: dkms.Package{Name: name}, KernelID: k}, path):
		x.junk(path, "holds modules that are back in their places", stop)
	default:
		x.person(path, "holds modules that were set aside for a version of "+name+" that is installed no more",
			"where the kernel lacks one, copy it to the path that stands in its .origin file and run depmod "+k.Release+"; then remove the directory")
	}
}

// allBack reports whether every original in dir also stands where it came from.
func (t Tree) allBack(r dkms.Ref, dir string) bool {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		kept := filepath.Join(dir, e.Name())
		if strings.HasSuffix(e.Name(), originSuffix) {
			continue
		}
		if path, ok := t.origin(r, kept); !ok || !system.SameContent(kept, path) {
			return false
		}
	}
	return len(entries) > 0
}

// version looks at TREE/NAME/VER.
func (x *examiner) version(p dkms.Package) {
	t, dir := x.tree, x.tree.PackageDir(p)
	if _, listed := x.snapshot.Find(p); !listed && !x.unregistered(p) {
		return
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.Name() == "source" && e.Type().IsRegular():
			x.person(path, "is a file, where the link to the source belongs", "remove it and add the package again")
		case strings.HasPrefix(e.Name(), ".") || reserved[e.Name()]:
		case !t.isDir(dir, e):
			x.person(path, foreign, "remove it if nobody needs it")
		case isEmpty(path):
			x.junk(path, "is a half-finished build", dir)
		default:
			x.release(p, e.Name())
		}
	}
	x.logs(p)
	if _, err := t.retirement(p); err != nil && !isMissing(err) {
		x.record(t.retirementPath(p), err, func() error { return t.Unretire(p) })
	}
}

// unregistered looks at a TREE/NAME/VER that has no source and reports whether
// modules are in it.
func (x *examiner) unregistered(p dkms.Package) bool {
	dir := x.tree.PackageDir(p)
	switch {
	case isEmpty(dir):
		x.junk(dir, "is not registered, and nothing is in it", x.tree.Dir)
	case len(glob(dir, "*", "*", "module")) == 0:
		x.person(dir, "is not registered, and nothing is built of it", "remove it if nobody needs what is in it")
	default:
		x.person(dir, "has built modules but neither a source link nor "+x.tree.Source(p),
			"put the source back and dkms add "+p.String()+", or remove the directory once nothing of it is installed")
		return true
	}
	return false
}

// release looks at TREE/NAME/VER/RELEASE.
func (x *examiner) release(p dkms.Package, release string) {
	t, dir := x.tree, filepath.Join(x.tree.PackageDir(p), release)
	arches, _ := os.ReadDir(dir)
	for _, e := range arches {
		r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: release, Arch: e.Name()}}
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !t.isDir(dir, e) {
			x.person(path, foreign, "remove it if nobody needs it")
			continue
		}
		if system.IsDir(t.ModuleDir(r)) {
			x.ref(r)
			continue
		}
		if entries, err := os.ReadDir(path); err == nil && isRemnant(entries) {
			x.junk(path, "is a half-finished build", t.PackageDir(p))
			continue
		}
		x.person(path, "has no module/ and so is no build", "remove it if nobody needs what is in it")
	}
}

// ref looks at something that is built.
func (x *examiner) ref(r dkms.Ref) {
	t := x.tree
	if _, err := t.Manifest(r); err != nil && !isMissing(err) {
		x.record(t.manifestPath(r), err, func() error { return removeIf(t.manifestPath(r)) })
	}
	if !x.lacksKernel(r.Release) {
		return
	}
	if x.snapshot.Ref(r).State != dkms.Installed {
		x.person(t.RefDir(r), "is built for a kernel that has no directory in "+t.InstallDir,
			"if that kernel is gone for good: dkms unbuild "+r.Package.String()+" -k "+r.Release+" -a "+r.Arch)
		return
	}
	x.safe(t.RefDir(r), "is installed for a kernel that is gone", "remove it", "was removed", func() error {
		if err := x.lower(r); err != nil {
			return err
		}
		return t.Unbuild(r)
	})
}

// logs looks at NAME/VER/.log.
func (x *examiner) logs(p dkms.Package) {
	t := x.tree
	t.eachLog(p, func(r dkms.Ref) {
		_, err := t.readFailure(r)
		forget := func() error { return t.ForgetFailure(r) }
		switch {
		case x.lacksKernel(r.Release):
			x.safe(filepath.Dir(t.LogPath(r)), "tells of a failure for a kernel that is gone", "forget it", "was removed", forget)
		case err != nil && !isMissing(err):
			x.record(t.FailurePath(r), err, forget)
		}
	})
}

// record adds a file of ours that cannot be read.
func (x *examiner) record(path string, err error, drop func() error) {
	if newer(err) {
		x.person(path, "was written by a newer dkms-hook", "use that one")
		return
	}
	var unreadable *fs.PathError
	if errors.As(err, &unreadable) {
		x.person(path, "cannot be read: "+unreadable.Err.Error(), "see to the disk, and to the permissions")
		return
	}
	text := strings.TrimPrefix(err.Error(), path+": ")
	x.safe(path, "is damaged: "+text, "remove it", "was removed", drop)
}
