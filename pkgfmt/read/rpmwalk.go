package read

import (
	"bufio"
	"crypto/md5"  //nolint:gosec // what old packages have
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// digests are those of files that RPM has used.
var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// walkRPM goes through the payload, a cpio archive whose names are those of the
// header. Nothing else may be in it, no regular file may be missing, and none may
// have another size or content than the header says.
func (p *Package) walkRPM(f *os.File, fn func(File, io.Reader) error) error {
	if p.payload.format != "cpio" {
		return flawed("payload", "is in the format %q, only cpio is known", p.payload.format)
	}
	r, err := decompress(p.Compression, io.NewSectionReader(f, p.payload.offset, p.payload.size), p.payload.size, maxTotal)
	if err != nil {
		return unreadable("payload", err)
	}
	defer r.close()
	files := make(map[string]File, len(p.Files))
	for _, file := range p.Files {
		files[file.Path] = file
	}
	body := bufio.NewReader(r)
	pass := p.passNamed
	if magic, err := body.Peek(len(strippedMagic)); err == nil && string(magic) == strippedMagic {
		pass = p.passStripped
	}
	if err := pass(body, files, fn); err != nil {
		return err
	}
	if err := drain("payload", body); err != nil {
		return err
	}
	return allSeen(p.Files, files)
}

// passNamed goes through a cpio archive, and deletes from files what is in it.
func (p *Package) passNamed(r io.Reader, files map[string]File, fn func(File, io.Reader) error) error {
	archive := cpio.NewReader(r)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable("payload", err)
		}
		at := "payload: " + h.Name
		name, err := p.entryPath(h.Name)
		if err != nil {
			return flawed(at, "%v", err)
		}
		file, known := files[name]
		if !known || file.Ghost {
			return flawed(at, "is not in the header's list of files, or there twice")
		}
		delete(files, name)
		if err := passCPIO(at, file, h, archive, fn); err != nil {
			return err
		}
	}
}

// allSeen returns an error if a regular file was not in the payload, which is
// also how a payload looks that was cut off between two files.
func allSeen(all []File, missing map[string]File) error {
	for _, f := range all {
		if _, ok := missing[f.Path]; ok && f.Regular() {
			return flawed(f.Path, "is not in the payload")
		}
	}
	return nil
}

// entryPath is entryPath for what may be a source package.
func (p *Package) entryPath(name string) (string, error) {
	clean, err := entryPath(name)
	if p.IsSource {
		clean = strings.TrimPrefix(clean, "/")
	}
	return clean, err
}

// passCPIO checks an entry against the header's word, and hands it to fn.
func passCPIO(at string, file File, h *cpio.Header, body io.Reader, fn func(File, io.Reader) error) error {
	if fileMode(uint32(h.Mode)) != file.Mode {
		return flawed(at, "is of mode %v, the header says %v", fileMode(uint32(h.Mode)), file.Mode)
	}
	switch {
	case !file.Mode.IsRegular():
		if h.Linkname != file.Target {
			return flawed(at, "points at %s, the header says %s", h.Linkname, file.Target)
		}
		body = strings.NewReader("")
	case file.Link != "" && h.Size == 0: // the last of its names has the content
		body = strings.NewReader("")
	case h.Size != file.Size:
		return flawed(at, "has %d bytes, the header says %d", h.Size, file.Size)
	default:
		return passContent(at, file, body, fn)
	}
	return unreadable(at, fn(file, body))
}

// passContent hands a file to fn and compares what passed with its digest.
func passContent(at string, file File, body io.Reader, fn func(File, io.Reader) error) error {
	algorithm, want, _ := strings.Cut(file.Digest, ":")
	var sum hash.Hash
	if digest, ok := digests[algorithm]; ok {
		sum = digest()
		body = io.TeeReader(body, sum)
	}
	counted := &counter{r: body}
	if err := fn(file, counted); err != nil {
		return unreadable(at, err)
	}
	if _, err := io.Copy(io.Discard, counted); err != nil {
		return unreadable(at, err)
	}
	if counted.n != file.Size {
		return flawed(at, "is truncated")
	}
	if sum != nil && hex.EncodeToString(sum.Sum(nil)) != want {
		return flawed(at, "has other content than the header says (%s)", algorithm)
	}
	return nil
}

// counter counts what was read.
type counter struct {
	r io.Reader
	n int64
}

// Read is io.Reader's.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
