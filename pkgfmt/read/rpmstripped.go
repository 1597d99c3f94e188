package read

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// strippedMagic begins an entry of the archive that rpm has written since 4.12
// for files of 4 GiB and more, and since 6 for all: a number in the header's
// list of files, in eight hexadecimal digits, stands for all that a cpio entry
// has before the content (rpm's lib/cpio.c). Its end is a cpio archive's.
const strippedMagic = "07070X"

// passStripped is passNamed for such an archive.
func (p *Package) passStripped(r io.Reader, files map[string]File, fn func(File, io.Reader) error) error {
	for {
		var head [16]byte // padded to four bytes
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return unreadable("payload", err)
		}
		if strings.HasPrefix(string(head[:]), "070701") {
			return nil
		}
		number, err := strconv.ParseUint(string(head[6:14]), 16, 32)
		if err != nil || string(head[:6]) != strippedMagic || number >= uint64(len(p.payload.order)) {
			return flawed("payload", "has an entry without a file: %q", head[:14])
		}
		at := "payload: " + p.payload.order[number]
		file, known := files[p.payload.order[number]]
		if !known || file.Ghost {
			return flawed(at, "is there twice, or should not be there at all")
		}
		delete(files, file.Path)
		if err := passNumbered(at, file, r, fn); err != nil {
			return err
		}
	}
}

// passNumbered hands over one file, whose length is the header's.
func passNumbered(at string, file File, r io.Reader, fn func(File, io.Reader) error) error {
	size := file.Size
	switch {
	case file.Target != "":
		size = int64(len(file.Target))
	case !file.Regular():
		size = 0
	}
	content := io.LimitReader(r, size)
	if !file.Regular() {
		var target strings.Builder
		if _, err := io.Copy(&target, content); err != nil {
			return unreadable(at, err)
		}
		if target.String() != file.Target {
			return flawed(at, "points at %s, the header says %s", target.String(), file.Target)
		}
		if err := fn(file, strings.NewReader("")); err != nil {
			return unreadable(at, err)
		}
	} else if err := passContent(at, file, content, fn); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, r, (4-size%4)%4)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return unreadable(at, err)
}
