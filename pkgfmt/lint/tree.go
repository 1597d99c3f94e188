package lint

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// The limits of what is looked at.
const (
	fileLimit = 100_000 // files of a tree or package
	textLimit = 1 << 20 // bytes that are read of a text
	hereLimit = 50      // findings of one rule in one tree; the others are counted
)

// An entry is a file of a tree.
type entry struct {
	path   string // relative to the tree, with slashes
	mode   fs.FileMode
	size   int64
	target string // of a link
}

// A tree is a directory with a dkms.conf, on disk or in a package.
type tree struct {
	dir     string // where the contents are
	shown   string // what dir is called in findings
	join    string // what stands between shown and a path within
	entries []entry
	known   map[string]int         // index into entries
	broken  []entry                // what could not be read; target says why
	beside  func(path string) bool // whether there is something outside of it, by its relative path; nil: there is not
}

// show returns what a path of the tree is called in findings.
func (t *tree) show(path string) string {
	if t.join == "" {
		return filepath.Join(t.shown, path)
	}
	if path == "." || path == "" {
		path = ""
		if t.join == "!" {
			return t.shown
		}
	}
	return strings.TrimSuffix(t.shown+t.join+path, "/")
}

// versionControl are directories that no package takes.
var versionControl = []string{".git", ".svn", ".hg", ".bzr", "CVS", "_darcs"}

// readTree lists a directory on disk.
func readTree(ctx context.Context, dir string) (*tree, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "cannot be read", Err: err}
	}
	t := &tree{dir: root, shown: dir}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rel, _ := filepath.Rel(root, path)
		if err != nil {
			t.unreadable(rel, err)
			return nil
		}
		if path == root {
			return nil
		}
		if d.IsDir() && slices.Contains(versionControl, d.Name()) {
			return fs.SkipDir
		}
		return t.visit(rel, path, d)
	})
	if err != nil {
		return nil, err
	}
	t.index()
	return t, nil
}

func (t *tree) visit(rel, path string, d fs.DirEntry) error {
	if len(t.entries) == fileLimit {
		return &dkms.Error{Kind: dkms.Usage, Object: t.shown, Problem: fmt.Sprintf("has more than %d files", fileLimit),
			Hint: "name the directory that has the dkms.conf"}
	}
	info, err := d.Info()
	if err != nil {
		t.unreadable(rel, err)
		return nil
	}
	e := entry{path: rel, mode: info.Mode(), size: info.Size()}
	if e.mode&fs.ModeSymlink != 0 {
		if e.target, err = os.Readlink(path); err != nil {
			t.unreadable(rel, err)
		}
	}
	t.entries = append(t.entries, e)
	return nil
}

// index sorts the entries and makes them found by path.
func (t *tree) index() {
	slices.SortFunc(t.entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	t.known = make(map[string]int, len(t.entries))
	for i, e := range t.entries {
		t.known[e.path] = i
	}
}

// reason is an error without the path, which is named beside it.
func reason(err error) string {
	return system.Cause(err).Error()
}

// find returns the regular file, or directory, at a path of the tree, links
// within it followed.
func (t *tree) find(path string) (entry, bool) {
	path = filepath.Clean(path)
	for range 40 {
		if path == "." {
			return entry{path: ".", mode: fs.ModeDir | 0o755}, true
		}
		if !filepath.IsLocal(path) {
			return entry{}, false
		}
		if i, ok := t.known[path]; ok && t.entries[i].mode&fs.ModeSymlink == 0 {
			return t.entries[i], true
		}
		next, ok := t.resolveLink(path)
		if !ok {
			return entry{}, false
		}
		path = next
	}
	return entry{}, false
}

// resolveLink replaces the first link in a path by its target.
func (t *tree) resolveLink(path string) (string, bool) {
	parts := strings.Split(path, "/")
	for n := range parts {
		i, ok := t.known[strings.Join(parts[:n+1], "/")]
		if !ok {
			return "", false
		}
		if e := t.entries[i]; e.mode&fs.ModeSymlink != 0 {
			if filepath.IsAbs(e.target) {
				return "", false
			}
			return filepath.Join(append([]string{filepath.Dir(e.path), e.target}, parts[n+1:]...)...), true
		}
	}
	return "", false
}

// text returns the beginning of a regular file; "" when there is none.
func (t *tree) text(path string) string {
	e, ok := t.find(path)
	if !ok || !e.mode.IsRegular() {
		return ""
	}
	f, err := os.Open(filepath.Join(t.dir, e.path))
	if err != nil {
		t.unreadable(e.path, err)
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "" // it was another thing a moment ago
	}
	text, _ := io.ReadAll(io.LimitReader(f, textLimit))
	return string(text)
}

// unreadable notes what cannot be read, and why.
func (t *tree) unreadable(path string, err error) {
	if !t.isBroken(path) {
		t.broken = append(t.broken, entry{path: path, target: reason(err)})
	}
}

func (t *tree) isBroken(path string) bool {
	return slices.ContainsFunc(t.broken, func(e entry) bool { return e.path == path })
}

// checkBroken names what could not be read.
func (l *linter) checkBroken() {
	for _, b := range l.tree.broken {
		l.add("unreadable", b.path, 0, "%s", b.target)
	}
}

// checkConfig judges a dkms-mkpkg.yaml, which is for who makes packages: those
// that are made do without.
func (l *linter) checkConfig() {
	if l.tree.join != "" {
		return
	}
	for _, p := range source.CheckConfig([]byte(l.tree.text(source.ConfigName))) {
		l.add("bad-config", source.ConfigName, p.Line, "%s", p.Text)
	}
}

// checkFiles judges names, kinds, modes and links.
func (l *linter) checkFiles() {
	t := l.tree
	for _, e := range t.entries {
		if !utf8.ValidString(e.path) || printable(e.path) != e.path {
			l.add("odd-file-name", e.path, 0, "its name is %q", e.path)
		}
		switch kind := e.mode.Type(); {
		case kind == fs.ModeSymlink:
			l.checkLink(e)
			continue
		case kind != 0 && kind != fs.ModeDir:
			l.add("special-file", e.path, 0, "is a %s, which cannot be packaged", kindName(kind))
			continue
		}
		if e.mode&0o002 != 0 && (e.mode.IsRegular() || e.mode&fs.ModeSticky == 0) {
			l.add("world-writable", e.path, 0, "everybody may write it (mode %04o)", e.mode.Perm())
		}
		if e.mode.IsRegular() && e.mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			l.add("setuid", e.path, 0, "is set-user-ID or set-group-ID (mode %04o)", unixMode(e.mode))
		}
	}
	l.checkBuildOutput()
}

// unixMode has the bits of chmod(1).
func unixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for i, special := range []fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
		if mode&special != 0 {
			bits |= 0o1000 << i
		}
	}
	return bits
}

func kindName(kind fs.FileMode) string {
	switch {
	case kind&fs.ModeNamedPipe != 0:
		return "FIFO"
	case kind&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

func (l *linter) checkLink(e entry) {
	to := filepath.Join(filepath.Dir(e.path), e.target)
	switch {
	case filepath.IsAbs(e.target):
		l.add("absolute-link", e.path, 0, "is a link to the absolute path %s", printable(e.target))
	case !filepath.IsLocal(to):
		if l.tree.beside != nil && l.tree.beside(to) {
			return
		}
		l.add("link-out-of-tree", e.path, 0, "is a link to %s, out of the tree", printable(e.target))
	default:
		if _, ok := l.tree.find(e.path); !ok {
			l.add("dangling-link", e.path, 0, "is a link to %s, which is not there", printable(e.target))
		}
	}
}

// buildOutput are the endings of what kbuild leaves.
var buildOutput = []string{".ko", ".mod", ".mod.c", ".mod.o", ".o", ".o.cmd", ".ko.cmd", ".mod.cmd", ".o.d"}

// checkBuildOutput names what a build left: objects only where kbuild's own
// files are beside them, since some packages come with objects.
func (l *linter) checkBuildOutput() {
	byDir, kbuild := map[string][]string{}, map[string]bool{}
	for _, e := range l.tree.entries {
		base := filepath.Base(e.path)
		if !e.mode.IsRegular() || !slices.ContainsFunc(buildOutput, func(s string) bool { return strings.HasSuffix(base, s) }) &&
			base != "Module.symvers" && base != "modules.order" {
			continue
		}
		if t := l.tree; t.join != "" && strings.HasSuffix(base, ".ko") {
			continue // prebuilt-module tells
		}
		dir := filepath.Dir(e.path)
		byDir[dir] = append(byDir[dir], e.path)
		if !strings.HasSuffix(base, ".o") && base != "Module.symvers" {
			kbuild[dir] = true
		}
	}
	for dir, paths := range byDir {
		if !kbuild[dir] {
			continue
		}
		text := "is what a build has left"
		if n := len(paths) - 1; n > 0 {
			text += fmt.Sprintf(", as are %d more files beside it", n)
		}
		l.add("build-output", paths[0], 0, "%s", text)
	}
}
