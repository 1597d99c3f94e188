package read

import (
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"pault.ag/go/debian/deb"
)

// suffixes are what deb(5) has after .tar, and the algorithms that they mean.
var suffixes = map[string]string{"": "none", ".gz": "gzip", ".xz": "xz", ".zst": "zstd", ".bz2": "bzip2", ".lzma": "lzma"}

// A member is one of a .deb's archive.
type member struct {
	*deb.ArEntry
	offset int64
}

// readDeb reads the control files, and lists the files with their contents
// passing by visit, which may be nil.
func (p *Package) readDeb(f *os.File, visit func(File, io.Reader) error) error {
	members, err := arMembers(f, p.payload.info.Size())
	if err != nil {
		return err
	}
	control, data, err := parts(members)
	if err != nil {
		return err
	}
	c, err := readControl(control)
	if err != nil {
		return err
	}
	if err := p.identifyDeb(c); err != nil {
		return err
	}
	p.Time = unixTime(members[0].Timestamp)
	p.Compression = suffixes[strings.TrimPrefix(data.Name, "data.tar")]
	p.payload.offset, p.payload.size, p.payload.format, p.payload.place = data.offset, data.Size, "tar", data.Name
	var signatures []Signature
	for _, m := range members {
		if strings.HasPrefix(m.Name, "_gpg") {
			text, err := io.ReadAll(io.LimitReader(m.Data, maxSignature+1))
			if err != nil {
				return unreadable(m.Name, err)
			}
			signatures = append(signatures, parseSignature(m.Name, text))
		}
	}
	p.sign(signatures)
	return p.listDeb(f, c, visit)
}

// arMembers returns the members of an ar archive that fills the file, ar(5).
func arMembers(f io.ReaderAt, size int64) ([]member, error) {
	const header = 60
	archive, err := deb.LoadAr(f)
	if err != nil {
		return nil, unreadable("", err)
	}
	var members []member
	seen := map[string]bool{}
	for at := int64(len(magicAr)); at < size; {
		if size-at == 1 { // a padding that nothing follows
			break
		}
		entry, err := archive.Next()
		if err != nil {
			return nil, unreadable("archive", err)
		}
		m := member{ArEntry: entry, offset: at + header}
		switch {
		case entry.Size < 0 || entry.Size > size-m.offset:
			return nil, flawed(m.Name, "claims to have %d bytes, the file has %d more", entry.Size, max(0, size-m.offset))
		case seen[m.Name]:
			return nil, flawed(m.Name, "is there twice")
		case len(members) == maxMembers:
			return nil, flawed("archive", "has more than %d members", maxMembers)
		}
		seen[m.Name] = true
		members = append(members, m)
		at = m.offset + entry.Size + entry.Size%2
	}
	return members, nil
}

// parts finds the control and the data member where deb(5) has them: after
// debian-binary, in this order, with nothing but _names in between.
func parts(members []member) (control, data member, err error) {
	if len(members) == 0 || members[0].Name != "debian-binary" {
		return member{}, member{}, flawed("archive", "is no .deb: its first member is not debian-binary")
	}
	version, err := io.ReadAll(io.LimitReader(members[0].Data, 64))
	if err != nil {
		return member{}, member{}, unreadable("debian-binary", err)
	}
	if !strings.HasPrefix(string(version), "2.") {
		return member{}, member{}, flawed("debian-binary", "says version %q, only 2 is known", strings.TrimSpace(string(version)))
	}
	var found []member
	for _, m := range members[1:] {
		if strings.HasPrefix(m.Name, "_") {
			continue
		}
		want := []string{"control.tar", "data.tar"}
		if len(found) < len(want) {
			suffix, ok := strings.CutPrefix(m.Name, want[len(found)])
			if _, known := suffixes[suffix]; !ok || !known {
				return member{}, member{}, flawed(m.Name, "is not %s, compressed in a way that is known", want[len(found)])
			}
			found = append(found, m)
		}
	}
	if len(found) < 2 {
		return member{}, member{}, flawed("archive", "has no %s", []string{"control.tar", "data.tar"}[len(found)])
	}
	return found[0], found[1], nil
}

// entryPath returns the path on the machine for a name in an archive, which is
// below its root, with or without "./" or "/" before it.
func entryPath(name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New("its name leads out of the package")
		}
	}
	if name == "" || strings.ContainsRune(name, 0) {
		return "", errors.New("has an empty name, or one with a NUL")
	}
	return path.Clean("/" + name), nil
}
