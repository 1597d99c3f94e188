package read

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"
	"testing"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func pass(f File, text string) error {
	return passContent("/a", f, strings.NewReader(text), func(File, io.Reader) error { return nil })
}

// A badRPM is refused by Open, or else by Walk.
type badRPM struct {
	data  []byte
	walk  bool
	words []string
}

// badHeaders lie about themselves.
func badHeaders(t testing.TB) map[string]badRPM {
	good := rpmOf(t, sampleFiles, cpioBytes(sampleFiles...))
	patched := func(offset int, value uint32) []byte {
		data := append([]byte(nil), good...)
		binary.BigEndian.PutUint32(data[offset:], value)
		return data
	}
	header := leadSize + 16 + 16 + 4 + 4 // after a signature with one number
	tagged := func(tags ...rawTag) []byte { return rpmOf(t, nil, cpioBytes(), tags...) }
	return map[string]badRPM{
		"lead only":          {data: good[:leadSize], words: []string{"signature", "truncated"}},
		"half a lead":        {data: good[:50], words: []string{"signature", "truncated"}},
		"half a signature":   {data: good[:leadSize+20], words: []string{"signature", "truncated"}},
		"half a header":      {data: good[:header+200], words: []string{"header", "truncated"}},
		"no signature":       {data: patched(leadSize, 0), words: []string{"signature", "does not begin"}},
		"no header":          {data: patched(header, 0), words: []string{"header", "does not begin"}},
		"many tags":          {data: patched(header+8, 1<<31), words: []string{"header", "2147483648 tags"}},
		"large store":        {data: patched(header+12, 1<<31), words: []string{"header", "bytes"}},
		"longer store":       {data: patched(header+12, 1<<20), words: []string{"header", "truncated"}},
		"count":              {data: tagged(rawTag{tag: 1, value: []uint32{1}, count: 1 << 30}), words: []string{"tag 1", "1073741824 values"}},
		"count of strings":   {data: tagged(rawTag{tag: 1, value: []string{"a"}, count: 500}), words: []string{"tag 1", "500 values"}},
		"count of none":      {data: tagged(rawTag{tag: 1, value: []string{}}), words: []string{"tag 1"}},
		"type":               {data: tagged(rawTag{tag: 1, value: []uint32{1}, kind: 77}), words: []string{"type 77"}},
		"offset":             {data: tagged(rawTag{tag: 1, value: []uint32{1}, offset: 1 << 24}), words: []string{"tag 1", "beyond"}},
		"negative offset":    {data: tagged(rawTag{tag: 1, value: []uint32{1}, offset: 1<<32 - 4}), words: []string{"tag 1", "beyond"}},
		"string without end": {data: rawRPM(nil, []rawTag{{tag: 1, value: []byte("abc"), kind: 6, count: 1}}, nil), words: []string{"tag 1"}},
		"overlap": {data: tagged(rawTag{tag: 1, value: []byte(strings.Repeat("x", 200))}, rawTag{tag: 2, value: []byte{}, count: 300, offset: 1},
			rawTag{tag: 3, value: []byte{}, count: 300, offset: 1}), words: []string{"overlap"}},
		"no name":             {data: rawRPM(nil, identity()[1:], nil), words: []string{"has no name"}},
		"type of name":        {data: rawRPM(nil, append(identity()[1:], rawTag{tag: 1000, value: []uint32{1}}), nil), words: []string{"has no name"}},
		"relation's flags":    {data: tagged(rawTag{tag: 1049, value: []string{"a", "b"}}, rawTag{tag: 1048, value: []uint32{0}}), words: []string{"tag 1048", "1 values, not 2"}},
		"relation's versions": {data: tagged(rawTag{tag: 1047, value: []string{"a"}}, rawTag{tag: 1113, value: []string{"a", "b"}}), words: []string{"tag 1113"}},
		"trigger's script":    {data: tagged(rawTag{tag: 5076, value: []string{"x"}}, rawTag{tag: 5079, value: []string{"/usr"}}, rawTag{tag: 5080, value: []uint32{1}}), words: []string{"trigger on /usr", "script 1 of 1"}},
		"trigger's programs":  {data: tagged(rawTag{tag: 1065, value: []string{"x"}}, rawTag{tag: 1092, value: []string{"x", "y"}}), words: []string{"tag 1092"}},
		"changelog":           {data: tagged(rawTag{tag: 1082, value: []string{"x"}}, rawTag{tag: 1080, value: []uint32{1, 2}}), words: []string{"tag 1080"}},
		"old names":           {data: tagged(rawTag{tag: 1027, value: []string{"/a"}}), words: []string{"rpm 3"}},
		"truncated payload":   {data: rawRPM([]rawTag{{tag: 1000, value: []uint32{1 << 20}}}, identity(), compress(t, "gzip", cpioBytes())), words: []string{"payload", "truncated"}},
	}
}

// badFiles have a list of files that nothing can install.
func badFiles(t testing.TB) map[string]badRPM {
	with := func(tag int, value any) []byte {
		tags := append(identity(), fileTags(sampleFiles)...)
		for i := range tags {
			if tags[i].tag == tag {
				tags[i].value = value
			}
		}
		return rawRPM(nil, tags, nil)
	}
	named := func(names ...string) []byte {
		files := make([]rawFile, len(names))
		for i, n := range names {
			files[i] = rawFile{name: n, mode: 0o100644}
		}
		return rpmOf(t, files, cpioBytes())
	}
	return map[string]badRPM{
		"sizes":     {data: with(tagFileSizes, []uint32{1}), words: []string{"tag 1028", "1 values, not 5"}},
		"modes":     {data: with(tagFileModes, []uint16{1, 2}), words: []string{"tag 1030"}},
		"directory": {data: with(tagFileDirIndexes, []uint32{0, 1, 2, 3, 99}), words: []string{"directory 99 of 5"}},
		"types":     {data: with(tagFileSizes, []string{"a", "b", "c", "d", "e"}), words: []string{"tag 1028"}},
		"dots":      {data: named("/usr/../../etc/passwd"), words: []string{"/usr/../../etc/passwd", "no absolute, clean path"}},
		"relative":  {data: named("etc/passwd"), words: []string{"etc/passwd", "no absolute, clean path"}},
		"escapes":   {data: named("/\x1b[2J\n/../x"), words: []string{`/\x1b[2J\x0a/../x`}},
		"twice":     {data: named("/a", "/a"), words: []string{"/a", "twice"}},
		"long":      {data: named("/" + strings.Repeat("a", maxPath+1)), words: []string{"more than 4096 bytes"}},
	}
}

// badPayloads are not what the header says.
func badPayloads(t testing.TB) map[string]badRPM {
	change := func(at int, fn func(*rawFile)) []byte {
		files := append([]rawFile(nil), sampleFiles...)
		fn(&files[at])
		return rpmOf(t, sampleFiles, cpioBytes(files...))
	}
	good := cpioBytes(sampleFiles...)
	stripped := strippedBytes(sampleFiles...)
	cut := func(payload []byte, n int) []byte { return rpmOf(t, sampleFiles, payload[:n]) }
	whole := rpmOf(t, sampleFiles, good)
	tagged := func(tag int, value any, payload []byte) []byte {
		tags := append(append(identity(), fileTags(sampleFiles)...), rawTag{tag: tag, value: value})
		return rawRPM(nil, tags, payload)
	}
	sums := make([]string, len(sampleFiles))
	sums[0] = strings.Repeat("0", 32)
	bomb := rawFile{name: "/zeros", text: strings.Repeat("\x00", 56<<20), mode: 0o100644}
	return map[string]badRPM{
		"longer":           {walk: true, data: change(0, func(f *rawFile) { f.text += "more" }), words: []string{"payload: ./usr/src/a.c", "has 11 bytes, the header says 7"}},
		"another mode":     {walk: true, data: change(0, func(f *rawFile) { f.mode = 0o104755 }), words: []string{"payload: ./usr/src/a.c", "is of mode"}},
		"another target":   {walk: true, data: change(1, func(f *rawFile) { f.link = "/etc/passwd" }), words: []string{"points at /etc/passwd, the header says ../x"}},
		"unknown":          {walk: true, data: change(0, func(f *rawFile) { f.name = "/etc/shadow" }), words: []string{"./etc/shadow", "is not in the header"}},
		"out":              {walk: true, data: change(0, func(f *rawFile) { f.name = "/../../etc/shadow" }), words: []string{"./../../etc/shadow", "leads out"}},
		"missing":          {walk: true, data: rpmOf(t, sampleFiles, cpioBytes(sampleFiles[1:]...)), words: []string{"/usr/src/a.c", "is not in the payload"}},
		"twice":            {walk: true, data: rpmOf(t, sampleFiles, cpioBytes(append(sampleFiles[:1:1], sampleFiles...)...)), words: []string{"./usr/src/a.c", "twice"}},
		"other content":    {walk: true, data: tagged(tagFileDigests, sums, compress(t, "gzip", good)), words: []string{"./usr/src/a.c", "other content"}},
		"cut in a header":  {walk: true, data: cut(good, 50), words: []string{"payload", "is truncated"}},
		"cut in a file":    {walk: true, data: cut(good, 130), words: []string{"payload: ./usr/src/a.c", "is truncated"}},
		"cut after one":    {walk: true, data: cut(good, 132), words: []string{"is not in the payload"}},
		"cut in gzip":      {walk: true, data: whole[:len(whole)-10], words: []string{"payload", "is truncated"}},
		"bad check":        {walk: true, data: flip(append([]byte(nil), whole...), 8), words: []string{"payload"}},
		"no payload":       {walk: true, data: rawRPM(nil, identity(), nil), words: []string{"payload"}},
		"no cpio":          {walk: true, data: rpmOf(t, nil, []byte(strings.Repeat("x", 200))), words: []string{"payload"}},
		"stripped: cut":    {walk: true, data: cut(stripped, 20), words: []string{"payload", "is truncated"}},
		"stripped: number": {walk: true, data: rpmOf(t, sampleFiles, []byte("07070X00000099\x00\x00")), words: []string{"payload", "07070X00000099"}},
		"stripped: twice":  {walk: true, data: rpmOf(t, sampleFiles, append(stripped[:24:24], stripped...)), words: []string{"payload: /usr/src/a.c", "twice"}},
		"bomb":             {walk: true, data: rpmOf(t, []rawFile{bomb}, cpioBytes(bomb)), words: []string{"payload: ./zeros", "decompresses to more"}},
	}
}

func TestBadRPMs(t *testing.T) {
	t.Parallel()
	for about, table := range map[string]map[string]badRPM{"header": badHeaders(t), "files": badFiles(t), "payload": badPayloads(t)} {
		for name, bad := range table {
			t.Run(about+"/"+name, func(t *testing.T) {
				path := file(t, "bad.rpm", bad.data)
				p, err := Open(path)
				if bad.walk {
					if err != nil {
						t.Fatalf("Open: %v; want an error from Walk only", err)
					}
					err = p.Walk(func(File, io.Reader) error { return nil })
				}
				if err == nil {
					t.Fatalf("is taken; want an error with %q", bad.words)
				}
				refused(t, err, path, bad.words...)
				if _, err := Inspect(path, nil); err == nil {
					t.Error("Inspect takes it")
				}
			})
		}
	}
}
