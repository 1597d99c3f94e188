package read

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// listDeb goes through the data member.
func (p *Package) listDeb(f *os.File, control map[string][]byte, visit func(File, io.Reader) error) error {
	config, sums := conffiles(control["conffiles"]), md5sums(control["md5sums"])
	log, legal := &debLog{name: p.Name}, &debCopyright{name: p.Name}
	err := p.walkTar(f, func(file File, body io.Reader) error {
		file.Config = config[file.Path]
		if sum := sums[file.Path]; sum != "" && file.Mode.IsRegular() {
			file.Digest = "md5:" + sum
		}
		p.Files = append(p.Files, file)
		switch {
		case log.wants(file):
			return log.keep(file, body)
		case legal.wants(file):
			return legal.keep(body)
		}
		if visit == nil {
			return nil
		}
		return visit(file, body)
	})
	if err != nil {
		return err
	}
	p.Change, p.License = log.newest(), legal.license()
	return p.checkFiles()
}

// walkTar goes through a tar archive's entries.
func (p *Package) walkTar(f *os.File, fn func(File, io.Reader) error) error {
	place := p.payload.place
	r, err := decompress(p.Compression, io.NewSectionReader(f, p.payload.offset, p.payload.size), p.payload.size, maxTotal)
	if err != nil {
		return unreadable(place, err)
	}
	defer r.close()
	archive := tar.NewReader(r)
	seen, names := map[string]bool{}, names{}
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return drain(place, r)
		}
		if err != nil {
			return unreadable(place, err)
		}
		file, err := tarFile(place, h)
		if err != nil {
			return err
		}
		if seen[file.Path] {
			if file.Mode.IsDir() {
				continue
			}
			return flawed(place+": "+h.Name, "is there twice")
		}
		seen[file.Path] = true
		if err := names.add(file); err != nil {
			return err
		}
		if err := fn(file, archive); err != nil {
			return unreadable(place+": "+h.Name, err)
		}
		// What fn left unread is read here, so that its end is known to be there.
		if _, err := io.Copy(io.Discard, archive); err != nil {
			return unreadable(place+": "+h.Name, err)
		}
	}
}

// drain reads what follows an archive's end: padding, and the check of the
// compression.
func drain(place string, r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return unreadable(place, err)
	}
	return nil
}

// tarFile returns what an entry is, as dpkg takes it.
func tarFile(place string, h *tar.Header) (File, error) {
	at := place + ": " + h.Name
	name, err := entryPath(h.Name)
	if err != nil {
		return File{}, flawed(at, "%v", err)
	}
	file := File{
		Path: name, Mode: fileMode(uint32(h.Mode) &^ 0o170000), Time: h.ModTime.UTC(), Owner: h.Uname, Group: h.Gname,
	}
	if file.Owner == "" {
		file.Owner = strconv.Itoa(h.Uid)
	}
	if file.Group == "" {
		file.Group = strconv.Itoa(h.Gid)
	}
	file.Mode &^= fs.ModeIrregular
	switch h.Typeflag {
	case tar.TypeReg:
		file.Size = h.Size
	case tar.TypeLink:
		if file.Link, err = entryPath(h.Linkname); err != nil {
			return File{}, flawed(at, "is a hard link to %s: %v", h.Linkname, err)
		}
	case tar.TypeSymlink:
		file.Mode, file.Target = file.Mode|fs.ModeSymlink, h.Linkname
	case tar.TypeDir:
		file.Mode |= fs.ModeDir
	case tar.TypeChar:
		file.Mode |= fs.ModeDevice | fs.ModeCharDevice
	case tar.TypeBlock:
		file.Mode |= fs.ModeDevice
	case tar.TypeFifo:
		file.Mode |= fs.ModeNamedPipe
	default:
		return File{}, flawed(at, "is of a type that no .deb has (%q)", h.Typeflag)
	}
	if sparse(h) {
		return File{}, flawed(at, "is sparse, which no .deb has")
	}
	if h.Size < 0 || h.Size > maxFile {
		return File{}, flawed(at, "claims to have %d bytes, more than %d", h.Size, int64(maxFile))
	}
	return file, nil
}

// sparse tells entries whose content is longer than what is in the archive.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
