package read

import (
	"errors"
	"io"
	"os"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Walk calls fn for each file that the package brings, in the package's order,
// with its content; that of what is no regular file, and of a hard link, is
// empty. The first error of fn ends it. Its own errors are those of Open: the
// content is not there as announced, or there is too much of it. What fn was
// given before such an error is part of a package that nothing would install.
func (p *Package) Walk(fn func(f File, body io.Reader) error) error {
	var own error
	guarded := func(f File, body io.Reader) error {
		own = fn(f, &namedBody{body, p.Path, f.Path})
		return own
	}
	err := p.withFile(func(f *os.File) error {
		if p.Format != pkgfmt.Deb {
			return p.walkRPM(f, guarded)
		}
		known := make(map[string]File, len(p.Files))
		for _, file := range p.Files {
			known[file.Path] = file
		}
		return p.walkTar(f, func(file File, body io.Reader) error { return guarded(known[file.Path], body) })
	})
	if own != nil {
		return own
	}
	return err
}

// A namedBody says in its errors which file of which package they are about, so
// that fn may return them as they are.
type namedBody struct {
	r            io.Reader
	path, inside string
}

// Read is io.Reader's.
func (b *namedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = named(b.path, unreadable(b.inside, err))
	}
	return n, err
}
