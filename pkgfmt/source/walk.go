package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// confName is the file that makes a directory a source.
const confName = "dkms.conf"

// What a tree may have at most. The sources of the biggest modules there are
// (graphics, file systems) have a tenth of it.
const (
	maxFiles    = 50_000
	maxSeen     = 10 // times as many, with those that are left out
	maxFile     = 512 << 20
	maxTree     = 1 << 30
	maxPath     = 1000 // bytes, below the tree
	maxWarnings = 50
)

// A walk collects the files of a tree. It never leaves the tree: every file is
// opened from the directory that it was found in, and links are not followed.
type walk struct {
	dir    string // absolute
	root   *os.Root
	ignore *ignorer
	most   int // of files: maxFiles, unless a test makes do with fewer
	problems
	files    []pkgfmt.File
	warnings []string
	newest   time.Time // of files
	seen     int
	size     int64
	stopped  bool
}

func (w *walk) close() { _ = w.root.Close() }

// run walks the tree. The error tells of all problems.
func (w *walk) run(ctx context.Context) error {
	w.visit(ctx, w.root, ".")
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.err(dkms.ArchiveInvalid, w.dir, "cannot be packaged", "what should not be in the package is left out by "+ignoreOwn+", a file like .gitignore"); err != nil {
		return err
	}
	slices.SortFunc(w.files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	w.dangling()
	return nil
}

// dangling warns of links to what exists and is left out.
func (w *walk) dangling() {
	there := map[string]bool{".": true}
	for _, f := range w.files {
		for at := f.Path; !there[at]; at = path.Dir(at) {
			there[at] = true
		}
	}
	for _, f := range w.files {
		to := path.Join(path.Dir(f.Path), f.Target)
		if f.Kind != pkgfmt.Link || there[to] {
			continue
		}
		if _, err := w.root.Stat(f.Path); err == nil && !w.throughLink(to, there) {
			w.warn("%s: is a link to %s, which is left out", f.Path, f.Target)
		}
	}
}

// throughLink tells whether a path that is not there by itself is by way of a
// link to a directory.
func (w *walk) throughLink(name string, there map[string]bool) bool {
	for at := path.Dir(name); at != "."; at = path.Dir(at) {
		if there[at] {
			i, found := slices.BinarySearchFunc(w.files, at, func(f pkgfmt.File, at string) int { return strings.Compare(f.Path, at) })
			return found && w.files[i].Kind == pkgfmt.Link
		}
	}
	return false
}

// warn notes what is odd, and no reason to stop.
func (w *walk) warn(format string, args ...any) {
	switch {
	case len(w.warnings) < maxWarnings:
		w.warnings = append(w.warnings, fmt.Sprintf(format, args...))
	case len(w.warnings) == maxWarnings:
		w.warnings = append(w.warnings, w.dir+": has more that is odd")
	}
}

// visit looks at what is in one directory, named at from the root.
func (w *walk) visit(ctx context.Context, here *os.Root, at string) {
	names, err := w.names(here)
	if err != nil {
		w.add(at, 0, "cannot be read: %v", system.Cause(err))
		return
	}
	for _, file := range []string{ignoreGit, ignoreOwn} {
		if slices.Contains(names, file) {
			w.readIgnore(here, at, file)
		}
	}
	if len(names) == 0 && at != "." && w.ignore.tracked == nil {
		w.files = append(w.files, pkgfmt.File{Path: at, Kind: pkgfmt.Directory, Mode: 0o755})
	}
	for _, name := range names {
		if w.stopped || w.full() || ctx.Err() != nil {
			return
		}
		w.entry(ctx, here, path.Join(at, name))
	}
}

// names are those in a directory, in order, as many as may be.
func (w *walk) names(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for {
		some, err := f.Readdirnames(1000)
		names = append(names, some...)
		if w.seen += len(some); w.seen > maxSeen*w.most {
			w.stop(w.dir, "has more than %d files, those that are left out included", maxSeen*w.most)
			return nil, nil
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// stop notes a problem after which nothing else is looked at.
func (w *walk) stop(object, format string, args ...any) {
	if !w.stopped {
		w.add(object, 0, format, args...)
	}
	w.stopped = true
}

func (w *walk) readIgnore(here *os.Root, at, file string) {
	text, err := readSmall(here, file, maxIgnoreFile)
	if err != nil {
		w.add(path.Join(at, file), 0, "cannot be read: %v", system.Cause(err))
		return
	}
	if !w.ignore.read(at, file, string(text)) {
		w.stop(path.Join(at, file), "has more patterns than a tree may have, %d", maxPatterns)
	}
}

// entry takes up one thing that is in the directory here.
func (w *walk) entry(ctx context.Context, here *os.Root, name string) {
	base := path.Base(name)
	info, err := here.Lstat(base)
	if err != nil {
		w.add(printable(name), 0, "cannot be looked at: %v", system.Cause(err))
		return
	}
	if w.ignore.ignored(name, info.IsDir()) {
		return
	}
	if problem := badName(name); problem != "" {
		w.add(printable(name), 0, "%s", problem)
		return
	}
	switch info.Mode().Type() {
	case fs.ModeDir:
		sub, err := here.OpenRoot(base)
		if err != nil {
			w.add(name, 0, "cannot be read: %v", system.Cause(err))
			return
		}
		defer func() { _ = sub.Close() }()
		w.visit(ctx, sub, name)
	case 0:
		w.regular(name, info)
	case fs.ModeSymlink:
		w.link(here, name)
	default:
		w.add(name, 0, "is a %s, which no source needs", kindName(info.Mode()))
	}
	if len(w.files) > w.most {
		w.stop(w.dir, "has more than %d files", w.most)
	}
}

// regular takes up a file. What its mode says of others and the group depends
// on who has checked it out, so only the owner's x counts.
func (w *walk) regular(name string, info fs.FileInfo) {
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	if info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
		w.warn("%s: is setuid, setgid or sticky here, and will not be in the package", name)
	}
	w.size += info.Size()
	switch {
	case info.Size() > maxFile:
		w.add(name, 0, "has %d MiB, more than the %d that a file may have", info.Size()>>20, maxFile>>20)
	case w.size > maxTree:
		w.stop(w.dir, "has more than %d MiB", maxTree>>20)
	}
	if info.ModTime().After(w.newest) {
		w.newest = info.ModTime()
	}
	w.files = append(w.files, pkgfmt.File{Path: name, Kind: pkgfmt.Regular, Mode: mode, Source: filepath.Join(w.dir, name), Size: info.Size()})
}

// link takes up a symbolic link to something in the tree.
func (w *walk) link(here *os.Root, name string) {
	target, err := here.Readlink(path.Base(name))
	if err != nil {
		w.add(name, 0, "cannot be read: %v", system.Cause(err))
		return
	}
	to := path.Join(path.Dir(name), target)
	switch {
	case badName(target) != "":
		w.add(name, 0, "is a link to %s, which %s", printable(target), badName(target))
		return
	case path.IsAbs(target):
		w.add(name, 0, "is a link to %s, an absolute path", target)
		return
	case to == ".." || strings.HasPrefix(to, "../"):
		w.add(name, 0, "is a link to %s, which is out of the tree", target)
		return
	}
	if _, err := w.root.Stat(name); err != nil {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			w.warn("%s: is a link to %s, which does not exist", name, target)
		case errors.Is(err, syscall.ELOOP):
			w.warn("%s: is a link that leads to itself", name)
		default:
			// By way of other links.
			w.add(name, 0, "is a link to %s, which cannot be followed inside the tree: %v", target, system.Cause(err))
			return
		}
	}
	if name == confName {
		w.add(name, 0, "is a link, and has to be a file")
		return
	}
	w.files = append(w.files, pkgfmt.File{Path: name, Kind: pkgfmt.Link, Mode: 0o777, Target: target})
}

// badName says why something cannot be called that, or nothing.
func badName(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "has a name that is not UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a control character in its name"
	case len(name) > maxPath:
		return fmt.Sprintf("has a path of %d bytes, more than %d", len(name), maxPath)
	}
	return ""
}

// printable is a name that may be shown: quoted where it could do harm.
func printable(name string) string {
	if badName(name) == "" {
		return name
	}
	if len(name) > 2*maxName {
		name = name[:maxName] + "…" + name[len(name)-maxName:]
	}
	return fmt.Sprintf("%q", name)
}

// maxName is how much of either end of a long name is shown.
const maxName = 60

func kindName(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "FIFO"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// openRegular opens a file in a directory, and nothing else: neither a FIFO,
// which would block, nor a device, nor by way of a link.
func openRegular(dir *os.Root, name string) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is no regular file")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readSmall reads a regular file of at most that many bytes.
func readSmall(dir *os.Root, name string, most int64) ([]byte, error) {
	f, err := openRegular(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := system.ReadUpTo(f, most+1)
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("has more than %d KiB", most>>10)
	}
	return text, err
}
