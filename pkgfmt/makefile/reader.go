package makefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Read reads all Makefiles of the tree in dir. Links that lead out of it are
// not followed. The error is a *dkms.Error: dir cannot be read, or is too big.
func Read(dir string) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.SourceMissing, Object: dir, Problem: "cannot be read", Err: errors.Unwrap(err)}
	}
	defer func() { _ = root.Close() }()
	t, err := ReadFS(root.FS())
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: dir, Problem: "cannot be judged", Err: err}
	}
	return t, nil
}

// ReadFS is Read for any file system.
func ReadFS(fsys fs.FS) (*Tree, error) {
	r := newReader(fsys)
	if err := r.walk(); err != nil {
		return nil, err
	}
	return r.tree()
}

var (
	errTooMany = errors.New("its Makefiles are too much to follow")
	errBig     = fmt.Errorf("is bigger than %d KiB", maxFile>>10)
)

// A reader reads one tree.
type reader struct {
	fs      fs.FS
	steps   int
	files   int
	found   []*found
	index   map[string]*found // by root, directory and name
	visited map[string]bool   // directories that kbuild has been in
	unclear []Unclear
	told    map[string]bool
	err     error // what ended it

	functions map[string]function
}

func newReader(fsys fs.FS) *reader {
	return &reader{fs: fsys, index: map[string]*found{}, visited: map[string]bool{}, told: map[string]bool{}, functions: makeFunctions()}
}

// doubt notes what was not understood.
func (r *reader) doubt(at origin, problem string, perhaps ...string) {
	key := at.file + "\x00" + strconv.Itoa(at.line) + "\x00" + problem
	if r.told[key] || len(r.unclear) >= maxUnclears {
		return
	}
	r.told[key] = true
	r.unclear = append(r.unclear, Unclear{File: at.file, Line: at.line, Text: shorten(strings.TrimSpace(at.text)), Problem: problem, Perhaps: perhaps})
}

var objectName = regexp.MustCompile(`[A-Za-z0-9_+-][A-Za-z0-9_+.-]*\.o\b`)

// objects are the names in a text that end in .o, without it.
func objects(text string) (names []string) {
	for _, name := range objectName.FindAllString(text, -1) {
		if name = strings.TrimSuffix(name, ".o"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func shorten(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// clip keeps what is not understood from growing.
func clip(s string) string {
	if len(s) > 4096 {
		return s[:4096] + "…"
	}
	return s
}

// spend counts the work, and stops where it is too much.
func (r *reader) spend() bool {
	if r.steps++; r.steps > maxSteps && r.err == nil {
		r.err = errTooMany
	}
	return r.err == nil
}

// isFile reports whether a path is a regular file of the tree.
func (r *reader) isFile(name string) bool {
	info, err := fs.Stat(r.fs, clean(name))
	return err == nil && info.Mode().IsRegular()
}

// read returns the text of a regular file of bounded size.
func (r *reader) read(name string) (string, error) {
	if r.files++; r.files > maxFiles {
		r.err = errTooMany
		return "", r.err
	}
	if !r.isFile(name) {
		return "", fs.ErrNotExist
	}
	f, err := r.fs.Open(clean(name))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(data) > maxFile {
		err = errBig
	}
	return string(data), err
}

// clean is a path as fs.FS wants it.
func clean(name string) string { return path.Clean(strings.TrimPrefix(name, "/")) }
