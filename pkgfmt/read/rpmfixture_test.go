package read

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// A rawTag is an entry of a header's index with its data: a string, []string,
// []uint16, []uint32, []byte.
type rawTag struct {
	tag   int
	value any
	// kind, count and offset are what the index says, if not the truth.
	kind, count, offset uint32
}

// headerBytes writes a header structure.
func headerBytes(tags []rawTag) []byte {
	var index, store bytes.Buffer
	for _, t := range tags {
		kind, count, align, data := encode(t.value)
		for store.Len()%align != 0 {
			store.WriteByte(0)
		}
		offset := uint32(store.Len())
		store.Write(data)
		if t.kind != 0 {
			kind = t.kind
		}
		if t.count != 0 {
			count = t.count
		}
		if t.offset != 0 {
			offset = t.offset
		}
		_ = binary.Write(&index, binary.BigEndian, []uint32{uint32(t.tag), kind, offset, count})
	}
	var out bytes.Buffer
	out.WriteString("\x8e\xad\xe8\x01\x00\x00\x00\x00")
	_ = binary.Write(&out, binary.BigEndian, []uint32{uint32(index.Len() / 16), uint32(store.Len())})
	out.Write(index.Bytes())
	out.Write(store.Bytes())
	return out.Bytes()
}

func encode(value any) (kind, count uint32, align int, data []byte) {
	var out bytes.Buffer
	switch v := value.(type) {
	case string:
		return 6, 1, 1, append([]byte(v), 0)
	case []string:
		for _, s := range v {
			out.WriteString(s + "\x00")
		}
		return 8, uint32(len(v)), 1, out.Bytes()
	case []byte:
		return 7, uint32(len(v)), 1, v
	case []uint16:
		_ = binary.Write(&out, binary.BigEndian, v)
		return 3, uint32(len(v)), 2, out.Bytes()
	case []uint32:
		_ = binary.Write(&out, binary.BigEndian, v)
		return 4, uint32(len(v)), 4, out.Bytes()
	}
	return 0, 0, 1, nil
}

// rawRPM makes an RPM of its parts.
func rawRPM(sig, header []rawTag, payload []byte) []byte {
	lead := make([]byte, leadSize)
	copy(lead, "\xed\xab\xee\xdb\x03\x00")
	out := append(lead, headerBytes(sig)...)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	return append(append(out, headerBytes(header)...), payload...)
}

// A rawFile is a file of a payload; the header gets the truth, unless it is
// given something else.
type rawFile struct {
	name, text string
	mode       uint16
	inode      uint32
	link       string
}

// identity is what every RPM has.
func identity() []rawTag {
	return []rawTag{
		{tag: 1000, value: "sample"}, {tag: 1001, value: "2.0"}, {tag: 1002, value: "3.fc99"}, {tag: 1003, value: []uint32{1}},
		{tag: 1004, value: []string{"a sample"}}, {tag: 1005, value: []string{"It says\nnothing."}}, {tag: 1006, value: []uint32{1700000000}},
		{tag: 1014, value: "GPL-2.0-only"}, {tag: 1022, value: "noarch"}, {tag: 1044, value: "sample-2.0-3.fc99.src.rpm"},
		{tag: 1124, value: "cpio"}, {tag: 1125, value: "gzip"},
	}
}

// fileTags are the header's lists for files, in directories of their own.
func fileTags(files []rawFile) []rawTag {
	n := len(files)
	var dirs, bases, users, links, digests []string
	sizes, flags, times, indexes, inodes, devices := make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n)
	modes := make([]uint16, n)
	for i, f := range files {
		cut := bytes.LastIndexByte([]byte(f.name), '/') + 1
		dirs, bases = append(dirs, f.name[:cut]), append(bases, f.name[cut:])
		users, links, digests = append(users, "root"), append(links, f.link), append(digests, "")
		sizes[i], indexes[i], modes[i], inodes[i] = uint32(len(f.text)), uint32(i), f.mode, f.inode
		times[i] = 1700000000
		if f.inode == 0 {
			inodes[i] = uint32(1000 + i)
		}
	}
	return []rawTag{
		{tag: tagFileSizes, value: sizes}, {tag: tagFileModes, value: modes}, {tag: tagFileTimes, value: times}, {tag: tagFileFlags, value: flags},
		{tag: tagFileUsers, value: users}, {tag: tagFileGroups, value: users}, {tag: tagFileLinks, value: links}, {tag: tagFileDigests, value: digests},
		{tag: tagFileInodes, value: inodes}, {tag: tagFileDevices, value: devices}, {tag: tagFileDirIndexes, value: indexes},
		{tag: tagFileBaseNames, value: bases}, {tag: tagFileDirNames, value: dirs},
	}
}

// cpioBytes writes an archive with a trailer.
func cpioBytes(files ...rawFile) []byte {
	var out bytes.Buffer
	for i, f := range append(files, rawFile{name: "TRAILER!!!"}) {
		name, text := f.name, f.text
		if f.link != "" {
			text = f.link
		}
		if name != "TRAILER!!!" {
			name = "." + name
		}
		fmt.Fprintf(&out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
			i+1, f.mode, 0, 0, 1, 0, len(text), 0, 0, 0, 0, len(name)+1, 0)
		out.WriteString(name + "\x00")
		for out.Len()%4 != 0 {
			out.WriteByte(0)
		}
		out.WriteString(text)
		for out.Len()%4 != 0 {
			out.WriteByte(0)
		}
	}
	return out.Bytes()
}

// rpmOf makes an RPM with files, whose payload may be another one's.
func rpmOf(t testing.TB, files []rawFile, payload []byte, more ...rawTag) []byte {
	t.Helper()
	tags := append(identity(), more...)
	if len(files) > 0 {
		tags = append(tags, fileTags(files)...)
	}
	return rawRPM([]rawTag{{tag: 1000, value: []uint32{0}}}, tags, compress(t, "gzip", payload))
}

// strippedBytes writes an archive as rpm does for large files.
func strippedBytes(files ...rawFile) []byte {
	var out bytes.Buffer
	for i, f := range files {
		fmt.Fprintf(&out, "07070X%08X\x00\x00%s%s", i, f.text, f.link)
		for out.Len()%4 != 0 {
			out.WriteByte(0)
		}
	}
	return append(out.Bytes(), cpioBytes()...)
}
