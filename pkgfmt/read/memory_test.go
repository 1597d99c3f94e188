package read

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"
)

// TestMemory: what a package asks for in its headers is bounded by what it has,
// and that by limits. Not parallel: it counts all that is allocated.
func TestMemory(t *testing.T) {
	const most = 256 << 20 // the race detector takes some, too
	long := strings.Repeat("d/", 2000)
	files := make([]uint32, maxFiles)
	bases := make([]string, maxFiles)
	many := func(n int) []string { return make([]string, n) }
	for name, data := range map[string][]byte{
		"strings":     rawRPM(nil, append(identity(), rawTag{tag: 5000, value: many(maxElements - 100)}), nil),
		"too many":    rawRPM(nil, append(identity(), rawTag{tag: 5000, value: many(maxElements)}), nil),
		"relations":   rawRPM(nil, append(identity(), rawTag{tag: 1049, value: many(maxElements / 2)}), nil),
		"triggers":    rawRPM(nil, append(identity(), rawTag{tag: 1065, value: many(maxElements / 2)}), nil),
		"long paths":  rawRPM(nil, append(identity(), rawTag{tag: 1118, value: []string{"/" + long}}, rawTag{tag: 1116, value: files}, rawTag{tag: 1117, value: bases}), nil),
		"huge dir":    rawRPM(nil, append(identity(), rawTag{tag: 1118, value: []string{"/" + strings.Repeat("d", 1<<20)}}, rawTag{tag: 1116, value: files}, rawTag{tag: 1117, value: bases}), nil),
		"long header": rawRPM(nil, append(identity(), rawTag{tag: 5000, value: make([]byte, maxHeader-1<<10)}), nil),
		"xz":          packedDeb(t, ".xz", wideXZ(t)),
		"lzma":        packedDeb(t, ".lzma", append([]byte{0x5d, 0, 0, 0, 0x40}, bytes.Repeat([]byte{0xff}, 20)...)),
		"zstd":        packedDeb(t, ".zst", []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x98, 1, 0, 0}),
		"conffiles":   debOf(tarBytes(t, entry("./control", sampleControl), entry("./conffiles", strings.Repeat("/a\n", 1<<23))), tarBytes(t)),
		"md5sums":     debOf(tarBytes(t, entry("./control", sampleControl), entry("./md5sums", strings.Repeat("\n", 30<<20))), tarBytes(t)),
		"names":       dataDeb(t, tarEntry{tar.Header{Name: "./a", PAXRecords: map[string]string{"comment": long}}, ""}),
	} {
		path := file(t, "package", data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Open(path)
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d MiB, %v", name, used>>20, err)
		if used > most {
			t.Errorf("%s: took %d bytes; want at most %d", name, used, most)
		}
	}
}

// packedDeb is a .deb whose files are packed already.
func packedDeb(t testing.TB, suffix string, data []byte) []byte {
	return arBytes(arMember{name: "debian-binary", data: []byte("2.0\n")}, arMember{name: "control.tar", data: tarBytes(t, entry("./control", sampleControl))},
		arMember{name: "data.tar" + suffix, data: data})
}

// wideXZ asks for a dictionary of 1 GiB, in the header of its first block
// (xz-file-format, 3.1 and 5.3.1).
func wideXZ(t testing.TB) []byte {
	data := compress(t, "xz", []byte("x"))
	block := data[12:]
	block = block[:(int(block[0])+1)*4]
	at := bytes.Index(block, []byte{0x21, 1})
	block[at+2] = 36
	binary.LittleEndian.PutUint32(block[len(block)-4:], crc32.ChecksumIEEE(block[:len(block)-4]))
	return data
}
