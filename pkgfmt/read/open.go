package read

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// The first bytes of the formats: ar(5), and RPM's lead.
var (
	magicAr  = []byte("!<arch>\n")
	magicRPM = []byte{0xed, 0xab, 0xee, 0xdb}
)

// Open reads what the package at path says of itself, and the list of its files,
// for which a .deb is decompressed once. The error is a *dkms.Error that names
// the file and the place in it.
func Open(path string) (*Package, error) {
	p := &Package{Path: path}
	err := p.withFile(func(f *os.File) error {
		if p.Format == pkgfmt.Deb {
			return p.readDeb(f, nil)
		}
		return p.readRPM(f)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// payload is where the contents of the files are.
type payload struct {
	info         fs.FileInfo
	offset, size int64
	format       string   // cpio, tar
	place        string   // in messages
	order        []string // RPM: the paths in the header's order
}

// withFile opens the package's file, finds out its format, and guards fn.
func (p *Package) withFile(fn func(*os.File) error) (err error) {
	defer func() { err = named(p.Path, err) }()
	defer recovered(&err)
	info, err := os.Stat(p.Path)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return flawed("", "is a directory, and no package")
	case !info.Mode().IsRegular(): // a pipe would never end
		return flawed("", "is no regular file")
	case info.Size() == 0:
		return flawed("", "is empty")
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return err
	}
	if err := p.same(info); err != nil {
		return err
	}
	var head [8]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.Equal(head[:], magicAr):
		p.Format = pkgfmt.Deb
	case bytes.HasPrefix(head[:], magicRPM):
		if p.Format != pkgfmt.SourceRPM {
			p.Format = pkgfmt.RPM
		}
	default:
		return flawed("", "is neither a .deb nor an .rpm: it begins with %q", head[:n])
	}
	return fn(f)
}

// same refuses a file that is another one than at first.
func (p *Package) same(info fs.FileInfo) error {
	before := p.payload.info
	if before == nil {
		p.payload.info = info
		return nil
	}
	if !os.SameFile(before, info) || before.Size() != info.Size() || !before.ModTime().Equal(info.ModTime()) {
		return flawed("", "has changed since it was opened")
	}
	return nil
}

// A flaw is what is wrong with a package, and where in it.
type flaw struct {
	place, problem string
	err            error
}

// Error returns "place: problem: cause".
func (f *flaw) Error() string {
	return (&dkms.Error{Object: f.place, Problem: f.problem, Err: f.err}).Error()
}

// Unwrap returns the cause.
func (f *flaw) Unwrap() error { return f.err }

// flawed is the error for place, a member, a tag, a file, empty for the package;
// its words come from the package and are made visible.
func flawed(place, problem string, args ...any) error {
	return &flaw{place: Visible(place), problem: Visible(fmt.Sprintf(problem, args...))}
}

// unreadable is flawed for something that a reader reports.
func unreadable(place string, err error) error {
	var f *flaw
	if err == nil || errors.As(err, &f) {
		return err
	}
	problem := "cannot be read"
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		problem, err = "is truncated", nil
	case errors.Is(err, errBomb):
		problem, err = err.Error(), nil
	}
	return &flaw{place: Visible(place), problem: problem, err: visibleError(err)}
}

// visibleError keeps what err is, and makes its words visible.
func visibleError(err error) error {
	if err == nil || Visible(err.Error()) == err.Error() {
		return err
	}
	return errors.New(Visible(err.Error()))
}

// named says which file err is about.
func named(path string, err error) error {
	var known *dkms.Error
	var f *flaw
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &dkms.Error{Kind: dkms.SourceMissing, Object: path, Problem: "there is no such file"}
	case errors.As(err, &f):
		e := &dkms.Error{Kind: dkms.ArchiveInvalid, Object: path, Problem: f.problem, Err: f.err}
		if f.place != "" {
			e.Object += ": " + f.place
		}
		return e
	}
	return &dkms.Error{Kind: dkms.ArchiveInvalid, Object: path, Problem: "cannot be read", Err: err}
}

// recovered turns a panic of a parser into an error: the parsers are other
// people's, and what they read is hostile.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = flawed("", "is malformed: %v", r)
	}
}
