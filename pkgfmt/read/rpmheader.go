package read

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/cavaliergopher/rpm"
)

const (
	leadSize    = 96
	introSize   = 16 // of a header, and of an entry of its index
	maxTags     = 1 << 16
	maxElements = 6 << 20 // of all arrays in a header together
	headerMagic = "\x8e\xad\xe8"
)

// readHeaders returns lead, signature and header of an RPM, and where its
// payload begins. All lengths have been checked before the library sees them:
// it allocates what an index asks for.
func readHeaders(f io.ReaderAt, size int64) (*rpm.Package, int64, error) {
	end := int64(leadSize)
	var indexes [][2]int64 // from, and how many tags
	for _, place := range []string{"signature", "header"} {
		tags, store, err := headerIntro(f, place, end, size)
		if err != nil {
			return nil, 0, err
		}
		indexes = append(indexes, [2]int64{end + introSize, tags})
		if end += introSize + tags*introSize + store; place == "signature" {
			end += (8 - store%8) % 8
		}
	}
	head := make([]byte, end)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, 0, unreadable("header", err)
	}
	for i, place := range []string{"signature", "header"} {
		from, tags := indexes[i][0], indexes[i][1]
		stop := end
		if i == 0 {
			stop = indexes[1][0] - introSize
		}
		if err := checkIndex(place, head[from:from+tags*introSize], head[from+tags*introSize:stop]); err != nil {
			return nil, 0, err
		}
	}
	p, err := rpm.Read(bytes.NewReader(head))
	if err != nil {
		return nil, 0, unreadable("header", err)
	}
	return p, end, nil
}

// headerIntro checks how a header begins and whether it is there whole, and
// returns how many tags its index has, and how many bytes follow that:
// https://rpm-software-management.github.io/rpm/manual/format_header.html
func headerIntro(f io.ReaderAt, place string, offset, size int64) (tags, store int64, err error) {
	var intro [introSize]byte
	if _, err := f.ReadAt(intro[:], offset); err != nil {
		return 0, 0, unreadable(place, err)
	}
	if string(intro[:3]) != headerMagic {
		return 0, 0, flawed(place, "does not begin as a header does")
	}
	tags, store = int64(binary.BigEndian.Uint32(intro[8:])), int64(binary.BigEndian.Uint32(intro[12:]))
	switch length := tags*introSize + store; {
	case tags > maxTags:
		return 0, 0, flawed(place, "claims to have %d tags, more than %d", tags, maxTags)
	case length > maxHeader:
		return 0, 0, flawed(place, "claims to have %d bytes, more than %d", length, maxHeader)
	case introSize+length > size-offset:
		return 0, 0, flawed(place, "is truncated: it claims to have %d bytes", length)
	}
	return tags, store, nil
}

// checkIndex checks that every entry lies in the store, and that all together
// are no larger than it, which they would be only if they overlapped.
func checkIndex(place string, index, store []byte) error {
	var used, elements int64
	for ; len(index) > 0; index = index[introSize:] {
		tag, kind := binary.BigEndian.Uint32(index), binary.BigEndian.Uint32(index[4:])
		offset, count := int64(binary.BigEndian.Uint32(index[8:])), int64(binary.BigEndian.Uint32(index[12:]))
		if offset >= int64(len(store)) && kind != uint32(rpm.TagTypeNull) {
			return flawed(place, "tag %d lies beyond its end", tag)
		}
		n, ok := extent(store[min(offset, int64(len(store))):], rpm.TagType(kind), count)
		if !ok {
			return flawed(place, "tag %d claims to have %d values of type %d, which are not there", tag, count, kind)
		}
		if used += n; sizes[rpm.TagType(kind)] != 1 { // bytes stay bytes
			elements += count
		}
		switch {
		case used > int64(len(store)):
			return flawed(place, "its tags overlap")
		case elements > maxElements:
			return flawed(place, "has more than %d values", maxElements)
		}
	}
	return nil
}

// sizes are those of a value of fixed size.
var sizes = map[rpm.TagType]int64{
	rpm.TagTypeChar: 1, rpm.TagTypeInt8: 1, rpm.TagTypeInt16: 2, rpm.TagTypeInt32: 4, rpm.TagTypeInt64: 8, rpm.TagTypeBinary: 1,
}

// extent returns how many bytes count values at the beginning of data take;
// false when they are not there.
func extent(data []byte, kind rpm.TagType, count int64) (int64, bool) {
	if count < 1 || count > int64(len(data)) {
		return 0, kind == rpm.TagTypeNull
	}
	switch kind {
	case rpm.TagTypeNull:
		return 0, true
	case rpm.TagTypeString, rpm.TagTypeStringArray, rpm.TagTypeI18NString:
		rest := data
		for range count {
			end := bytes.IndexByte(rest, 0)
			if end < 0 {
				return 0, false
			}
			rest = rest[end+1:]
		}
		return int64(len(data) - len(rest)), true
	}
	n, ok := sizes[kind]
	return n * count, ok && n*count <= int64(len(data))
}
