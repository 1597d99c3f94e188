package write

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// Types of tags, and what a header begins with: rpm-v4-format(5).
const (
	typeInt16       = 3
	typeInt32       = 4
	typeString      = 6
	typeBinary      = 7
	typeStringArray = 8
	typeI18NString  = 9

	introSize = 16
	entrySize = 16

	regionHeader     = 63
	regionSignatures = 62
)

var indexMagic = []byte{0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0}

var errIndex = errors.New("rpmpack made no header")

// An entry is a tag of a header or of the signatures.
type entry struct {
	tag, kind, count int32
	data             []byte
}

// index makes the bytes of a header, or of the signatures, from entries in the
// order of their tags; region is the tag that stands around all.
func index(region int32, entries []entry) []byte {
	slices.SortFunc(entries, func(a, b entry) int { return int(a.tag - b.tag) })
	var table, store bytes.Buffer
	for _, e := range entries {
		for store.Len()%alignment(e.kind) != 0 {
			store.WriteByte(0)
		}
		put(&table, e.tag, e.kind, int32(store.Len()), e.count)
		store.Write(e.data)
	}
	end := int32(store.Len())
	put(&store, region, typeBinary, -int32(entrySize*(len(entries)+1)), entrySize)
	var out bytes.Buffer
	out.Write(indexMagic)
	put(&out, int32(len(entries)+1), int32(store.Len()))
	put(&out, region, typeBinary, end, entrySize)
	out.Write(table.Bytes())
	out.Write(store.Bytes())
	return out.Bytes()
}

func put(b *bytes.Buffer, numbers ...int32) {
	for _, n := range numbers {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
	}
}

func alignment(kind int32) int {
	switch kind {
	case typeInt16:
		return 2
	case typeInt32:
		return 4
	}
	return 1
}

// indexSize is the number of bytes of the header that b begins with.
func indexSize(b []byte) (int, error) {
	if len(b) < introSize || !bytes.HasPrefix(b, indexMagic) {
		return 0, errIndex
	}
	n := introSize + entrySize*int(binary.BigEndian.Uint32(b[8:])) + int(binary.BigEndian.Uint32(b[12:]))
	if n > len(b) {
		return 0, errIndex
	}
	return n, nil
}

// withoutTags returns a header of rpmpack's without some of its tags.
func withoutTags(header []byte, tags ...int32) ([]byte, error) {
	if len(tags) == 0 {
		return header, nil
	}
	n := int(binary.BigEndian.Uint32(header[8:]))
	store := header[introSize+entrySize*n:]
	var entries []entry
	for i := 1; i < n; i++ { // the first is the region
		at := header[introSize+entrySize*i:]
		word := func(i int) int32 { return int32(binary.BigEndian.Uint32(at[4*i:])) }
		e := entry{tag: word(0), kind: word(1), count: word(3)}
		size, err := dataSize(store[word(2):], e)
		if err != nil {
			return nil, err
		}
		e.data = store[word(2):][:size]
		if !slices.Contains(tags, e.tag) {
			entries = append(entries, e)
		}
	}
	return index(regionHeader, entries), nil
}

// dataSize is how many of the bytes belong to e.
func dataSize(b []byte, e entry) (int, error) {
	size := 0
	switch e.kind {
	case typeInt16:
		size = 2 * int(e.count)
	case typeInt32:
		size = 4 * int(e.count)
	case typeBinary:
		size = int(e.count)
	case typeString, typeStringArray, typeI18NString:
		for range e.count {
			n := bytes.IndexByte(b[size:], 0)
			if n < 0 {
				return 0, errIndex
			}
			size += n + 1
		}
	default:
		return 0, errIndex
	}
	if size > len(b) {
		return 0, errIndex
	}
	return size, nil
}
