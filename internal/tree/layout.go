package tree

import (
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Tree names the three directories that all of DKMS is about.
type Tree struct {
	Dir        string // dkms_tree, such as /var/lib/dkms
	SourceDir  string // source_tree, such as /usr/src
	InstallDir string // install_tree, such as /lib/modules

	// step, in tests, is called before each change with its name; an error
	// fails the change, a panic plays the crash.
	step func(name string) error
}

// Names of ours. All start with a dot: dkms lists trees by shell patterns,
// which leave those out.
const (
	ownDir       = ".dkms-hook"      // in Tree.Dir: lock, journals, trash, runs, digests, build times, marks
	scratchDir   = ".scratch"        // in NAME/VER
	logDir       = ".log"            // in NAME/VER
	manifestFile = ".dkms-hook.json" // in NAME/VER/RELEASE/ARCH
	failureFile  = "failure.json"    // in NAME/VER/.log/RELEASE/ARCH
	retiredFile  = ".retired.json"   // in NAME/VER
	staleMark    = ".stale"          // in NAME/VER/RELEASE/ARCH
	dependPrefix = ".dep_"           // in NAME/VER/RELEASE/ARCH: .dep_NAME, dkms's too
	failedMark   = ".dkms-hook.ref"  // in NAME/VER/build: whose failed build this is
	newSuffix    = ".dkms-hook-new"  // .FILE + this: a file on its way in
	oldSuffix    = ".dkms-hook-old"  // .FILE + this: a file that may have to come back
	packageFile  = ".package"        // in dkms_main_tree of an archive: name and version as registered
	originSuffix = ".origin"         // beside an original: the path it came from
	originalsDir = "original_module" // in NAME
	activePrefix = "kernel-"         // in NAME: kernel-RELEASE-ARCH -> VER/RELEASE/ARCH
)

// reserved are the entries of NAME/VER that are no kernel releases; the last
// three were made by old versions of dkms.
var reserved = map[string]bool{"source": true, "build": true, "tarball": true, "deb": true, "rpm": true, "driver_disk": true}

// PackageDir is TREE/NAME/VER.
func (t Tree) PackageDir(p dkms.Package) string { return filepath.Join(t.Dir, p.Name, p.Version) }

// SourceLink is TREE/NAME/VER/source, the link whose presence registers p.
func (t Tree) SourceLink(p dkms.Package) string { return filepath.Join(t.PackageDir(p), "source") }

// Source is where the source of p belongs: SOURCETREE/NAME-VER.
func (t Tree) Source(p dkms.Package) string {
	return filepath.Join(t.SourceDir, p.Name+"-"+p.Version)
}

// BuildDir is TREE/NAME/VER/build, the path under which builds see their
// source; after a failed one it holds what a person wants to look at.
func (t Tree) BuildDir(p dkms.Package) string { return filepath.Join(t.PackageDir(p), "build") }

// TarballDir is TREE/NAME/VER/tarball, where mktarball puts archives.
func (t Tree) TarballDir(p dkms.Package) string { return filepath.Join(t.PackageDir(p), "tarball") }

// RefDir is TREE/NAME/VER/RELEASE/ARCH.
func (t Tree) RefDir(r dkms.Ref) string {
	return filepath.Join(t.PackageDir(r.Package), r.Release, r.Arch)
}

// ModuleDir is RefDir/module; that it exists is what makes r built.
func (t Tree) ModuleDir(r dkms.Ref) string { return filepath.Join(t.RefDir(r), "module") }

// LogPath is where the log of the last failed build of r is kept. It lies
// outside RefDir, because dkms takes a RefDir without module/ amiss (exit 3).
// The log of a build that succeeded is RefDir/log/make.log.
func (t Tree) LogPath(r dkms.Ref) string {
	return filepath.Join(t.PackageDir(r.Package), logDir, r.Release, r.Arch, "make.log")
}

// ActiveLink is TREE/NAME/kernel-RELEASE-ARCH, which points at VER/RELEASE/ARCH
// of the version that is installed.
func (t Tree) ActiveLink(name string, k dkms.KernelID) string {
	return filepath.Join(t.Dir, name, activePrefix+k.Release+"-"+k.Arch)
}

// OriginalDir is TREE/NAME/original_module/RELEASE/ARCH, which holds the
// modules that were set aside and, in FILE.origin, their old paths.
func (t Tree) OriginalDir(name string, k dkms.KernelID) string {
	return filepath.Join(t.Dir, name, originalsDir, k.Release, k.Arch)
}

// KernelDir is INSTALLTREE/RELEASE.
func (t Tree) KernelDir(release string) string { return filepath.Join(t.InstallDir, release) }

// ProbesDir is TREE/.dkms-hook/probes, where builds remember what compilers have
// answered. It is a cache: what is lost is asked again.
func (t Tree) ProbesDir() string { return t.own("probes") }

// CacheDir is TREE/.dkms-hook/cache, for the modules that are kept of builds
// where the tree is not the machine's own.
func (t Tree) CacheDir() string { return t.own("cache") }

func (t Tree) own(elem ...string) string {
	return filepath.Join(append([]string{t.Dir, ownDir}, elem...)...)
}

func (t Tree) lockPath() string               { return t.own("lock") }
func (t Tree) trashDir() string               { return t.own("trash") }
func (t Tree) journalDir() string             { return t.own("journal") }
func (t Tree) depmodDir() string              { return t.own("depmod") }
func (t Tree) runsDir() string                { return t.own("runs") }
func (t Tree) digestsPath() string            { return t.own("digests.json") }
func (t Tree) buildTimesPath() string         { return t.own("build-times.json") }
func (t Tree) manifestPath(r dkms.Ref) string { return filepath.Join(t.RefDir(r), manifestFile) }

func (t Tree) stalePath(r dkms.Ref) string       { return filepath.Join(t.RefDir(r), staleMark) }
func (t Tree) removedPath(release string) string { return t.own("removed", release) }
func (t Tree) waitingPath(release string) string { return t.own("waiting", release) }
func (t Tree) upgradePath(p dkms.Package) string { return t.own("rpm", p.Name+"-"+p.Version) }

func activeTarget(r dkms.Ref) string { return filepath.Join(r.Version, r.Release, r.Arch) }

// at announces a change to the tests.
func (t Tree) at(name string) error {
	if t.step == nil {
		return nil
	}
	return t.step(name)
}

// hidden returns the dot-name of ours that stands beside path.
func hidden(path, suffix string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+suffix)
}

// below reports whether path lies properly inside dir, by its text alone.
func below(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && filepath.IsLocal(rel)
}

// ModuleName returns the name of the module in a file: file's base name
// without .ko, .ko.gz, .ko.xz or .ko.zst. ok is false for other files.
func ModuleName(file string) (name string, ok bool) {
	base := filepath.Base(file)
	for _, suffix := range suffixes {
		if name, ok := strings.CutSuffix(base, suffix); ok && name != "" {
			return name, true
		}
	}
	return "", false
}

var suffixes = []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"}

// sameModule reports whether two names are one to the kernel, which takes "-"
// and "_" for the same.
func sameModule(a, b string) bool {
	return strings.ReplaceAll(a, "-", "_") == strings.ReplaceAll(b, "-", "_")
}
