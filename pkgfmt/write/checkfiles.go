package write

import (
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Bounds of a package. RPM's headers have 32 bits for sizes, some readers of
// them signed ones; cpio and tar need room for names and headers.
const (
	maxSize  = 1<<31 - 1<<27 // bytes of all files together, 1.9 GiB
	maxFiles = 1_000_000
	maxPath  = 4000 // PATH_MAX without what it is unpacked below
	maxName  = 255  // NAME_MAX
)

// files checks what the package says of its files, and that no two of them need
// the same place.
func (l *problems) files(p pkgfmt.Package) {
	if len(p.Files) > maxFiles {
		l.add("package", "has %d files, and more than %d are too many", len(p.Files), maxFiles)
		return
	}
	kinds := make(map[string]pkgfmt.FileKind, len(p.Files))
	var size int64
	for _, f := range p.Files {
		name := f.Path
		if p.Format == pkgfmt.SourceRPM {
			name = path.Base(f.Path)
			if f.Kind != pkgfmt.Regular {
				l.add(f.Path, "is no regular file, and a source package has nothing else")
			}
		} else if problem := pathProblem(f.Path); problem != "" {
			l.add(shown(f.Path), "%s", problem)
			continue
		}
		if _, twice := kinds[name]; twice {
			l.add(name, "is there twice")
		}
		kinds[name] = f.Kind
		l.file(f)
		if p.Format == pkgfmt.Deb && f.Kind == pkgfmt.Config && strings.HasSuffix(f.Path, " ") {
			l.add(f.Path, "ends in a space, which dpkg cuts off in a list of conffiles")
		}
		size += bodySize(f)
	}
	if size > maxSize {
		l.add("package", "would hold %d bytes, and more than %d do not fit", size, maxSize)
	}
	for _, f := range p.Files {
		if at := notDirectory(kinds, f.Path); at != "" {
			l.add(f.Path, "is below %s, which is no directory", at)
		}
	}
	if specs := count(p.Files, isSpec); p.Format == pkgfmt.SourceRPM && specs != 1 {
		l.add("source package", "has %d spec files, not one", specs)
	}
}

// shown is a path as an error can show it.
func shown(p string) string {
	return strings.Map(func(c rune) rune {
		if isControl(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(p, "?"))
}

func pathProblem(p string) string {
	switch {
	case !path.IsAbs(p) || p == "/":
		return "is no absolute path of a file"
	case path.Clean(p) != p:
		return "is not clean: has . or .. or too many slashes"
	case !utf8.ValidString(p) || strings.ContainsFunc(p, isControl):
		return "has control characters in its name, or is not in UTF-8"
	case len(p) > maxPath || longestName(p) > maxName:
		return "is too long a name"
	}
	return ""
}

func longestName(p string) (n int) {
	for name := range strings.SplitSeq(p, "/") {
		n = max(n, len(name))
	}
	return n
}

// file checks what the package says of one file.
func (l *problems) file(f pkgfmt.File) {
	if f.Mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 || f.Mode&^fs.ModePerm&0o7777 != 0 {
		l.add(f.Path, "is setuid, setgid or sticky, which no package of modules needs")
	} else if f.Mode&^fs.ModePerm != 0 {
		l.add(f.Path, "has more than permissions in its mode")
	}
	if f.Kind < pkgfmt.Regular || f.Kind > pkgfmt.Ghost {
		l.add(f.Path, "is of an unknown kind")
	}
	if f.Kind == pkgfmt.Link && (f.Target == "" || len(f.Target) > maxPath || strings.ContainsFunc(f.Target, isControl) || !utf8.ValidString(f.Target)) {
		l.add(f.Path, "points to nothing that a link can")
	}
	if f.Kind != pkgfmt.Link && f.Target != "" {
		l.add(f.Path, "is no link, but points to %q", f.Target)
	}
	if f.Size < 0 {
		l.add(f.Path, "has a negative size")
	}
}

// bodySize is how many bytes a file is said to have.
func bodySize(f pkgfmt.File) int64 {
	switch {
	case f.Kind == pkgfmt.Directory || f.Kind == pkgfmt.Link || f.Kind == pkgfmt.Ghost:
		return 0
	case f.Source != "":
		return max(0, min(f.Size, maxSize+1))
	}
	return int64(len(f.Data))
}

// notDirectory returns what stands above name and is no directory; "" is good.
func notDirectory(kinds map[string]pkgfmt.FileKind, name string) string {
	for dir := path.Dir(name); dir != "/" && dir != "."; dir = path.Dir(dir) {
		if kind, ok := kinds[dir]; ok && kind != pkgfmt.Directory {
			return dir
		}
	}
	return ""
}

func count(files []pkgfmt.File, is func(pkgfmt.File) bool) (n int) {
	for _, f := range files {
		if is(f) {
			n++
		}
	}
	return n
}
