package initramfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The only formats that the kernel unpacks: cpio(5), New ASCII Format, without
// and with checksums.
func isCpio(magic []byte) bool {
	return string(magic) == "070701" || string(magic) == "070702"
}

const (
	cpioHeader  = 110  // bytes
	cpioLongest = 4097 // of a name, PATH_MAX and its NUL
	trailer     = "TRAILER!!!"
)

var errCut = errors.New("ends in the middle of a cpio archive")

// archive reads one cpio archive to its end, and looks at each member.
func (s *search) archive(r *bufio.Reader) error {
	for {
		name, size, err := readMember(r)
		if errors.Is(err, io.EOF) || err == nil && name == trailer {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.member(name); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, r, size); err != nil {
			return cut(err)
		}
	}
}

// readMember reads a member's header and name, and returns the size of the
// content that follows, with its padding. An archive that ends without a
// trailer gives io.EOF.
func readMember(r *bufio.Reader) (name string, size int64, err error) {
	var header [cpioHeader]byte
	if _, err := io.ReadFull(r, header[:]); errors.Is(err, io.EOF) {
		return "", 0, err
	} else if err != nil {
		return "", 0, cut(err)
	}
	if !isCpio(header[:6]) {
		return "", 0, errors.New("a cpio archive in it is damaged")
	}
	content, err := field(header, 6)
	if err != nil {
		return "", 0, err
	}
	length, err := field(header, 11)
	if err != nil {
		return "", 0, err
	}
	if length < 1 || length > cpioLongest {
		return "", 0, fmt.Errorf("a cpio archive in it is damaged: a name of %d bytes", length)
	}
	text := make([]byte, length+padding(cpioHeader+length))
	if _, err := io.ReadFull(r, text); err != nil {
		return "", 0, cut(err)
	}
	name, _, _ = strings.Cut(string(text[:length]), "\x00")
	if name == trailer {
		// Its padding counts as NULs between archives.
		return name, 0, nil
	}
	return name, content + padding(content), nil
}

// field returns the n-th number after the magic: eight hexadecimal digits.
func field(header [cpioHeader]byte, n int) (int64, error) {
	v, err := strconv.ParseUint(string(header[6+8*n:14+8*n]), 16, 32)
	if err != nil {
		return 0, errors.New("a cpio archive in it is damaged: a header without numbers")
	}
	return int64(v), nil
}

func padding(n int64) int64 { return -n & 3 }

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}
