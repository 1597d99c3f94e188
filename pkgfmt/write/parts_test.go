package write

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func TestOwnDirectory(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]bool{
		"/etc": false, "/usr/src": false, "/usr/src/foo-1.0": true, "/usr/src/foo-1.0/sub": true,
		"/lib/modules": false, "/lib/modules/6.1.0": false, "/lib/modules/6.1.0/extra": true, "/lib/modules/6.1.0/extra/foo": true,
		"/usr/lib/modules/6.1.0": false, "/usr/lib/modules/6.1.0/updates/foo": true, "/usr/lib/dracut": false, "/usr/lib/dracut/modules.d/90foo": true,
		"/usr/share/man/man4": false, "/usr/share/man/de/man4": false, "/usr/share/man/de": false, "/usr/share/doc/foo": true, "/usr/share/licenses/foo": true,
		"/etc/modprobe.d": false, "/usr/lib/udev": false, "/usr/lib/firmware": false, "/usr/lib/firmware/foo": true, "/opt/foo": true, "/opt": false,
	} {
		if got := OwnDirectory(dir); got != want {
			t.Errorf("OwnDirectory(%q) = %v; want %v", dir, got, want)
		}
	}
}

func TestWithParents(t *testing.T) {
	t.Parallel()
	files := []pkgfmt.File{at("/a-b"), at("/a/b/c"), {Path: "/a", Kind: pkgfmt.Directory, Mode: 0o700}}
	var got []string
	for _, f := range withParents(files, func(dir string) bool { return dir != "/x" }) {
		got = append(got, f.Path+" "+f.Mode.String())
	}
	if diff := cmp.Diff([]string{"/a -rwx------", "/a-b -rw-r--r--", "/a/b -rwxr-xr-x", "/a/b/c -rw-r--r--"}, got); diff != "" {
		t.Errorf("withParents (-want +got):\n%s", diff)
	}
	if len(files) != 3 || files[0].Path != "/a-b" {
		t.Errorf("the caller's files were touched: %v", files)
	}
}

// TestCompressor: at each level, what comes out is what went in; more work does
// not make it larger.
func TestCompressor(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("static int foo(struct device *dev, u32 reg);\n", 3000))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range text {
		if random.IntN(9) == 0 {
			text[i] = byte('a' + random.IntN(26))
		}
	}
	open := map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"xz":   func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
		"none": func(r io.Reader) (io.Reader, error) { return r, nil },
	}
	for algorithm, top := range levels {
		sizes := map[int]int{}
		for level := min(1, top); level <= top; level++ {
			var b bytes.Buffer
			w, err := compressor(&b, pkgfmt.Compression{Algorithm: algorithm, Level: level})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			sizes[level] = b.Len()
			r, err := open[algorithm](&b)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s -%d: %d bytes came back, %v", algorithm, level, len(got), err)
			}
		}
		if sizes[top] > sizes[min(1, top)] {
			t.Errorf("%s: -%d makes %d bytes, -1 makes %d", algorithm, top, sizes[top], sizes[1])
		}
	}
	if _, err := compressor(io.Discard, pkgfmt.Compression{Algorithm: "rar"}); err == nil {
		t.Error("compressor(rar): no error")
	}
}

func TestUsual(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format pkgfmt.Format
		c      pkgfmt.Compression
		want   pkgfmt.Compression
	}{
		{pkgfmt.Deb, pkgfmt.Compression{}, pkgfmt.Compression{Algorithm: "xz", Level: 6}},
		{pkgfmt.RPM, pkgfmt.Compression{}, pkgfmt.Compression{Algorithm: "zstd", Level: 19}},
		{pkgfmt.SourceRPM, pkgfmt.Compression{Level: 3}, pkgfmt.Compression{Algorithm: "zstd", Level: 3}},
		{pkgfmt.RPM, pkgfmt.Compression{Algorithm: "gzip"}, pkgfmt.Compression{Algorithm: "gzip", Level: 9}},
		{pkgfmt.RPM, pkgfmt.Compression{Algorithm: "none"}, pkgfmt.Compression{Algorithm: "none"}},
	} {
		if got := usual(tt.format, tt.c); got != tt.want {
			t.Errorf("usual(%s, %v) = %v; want %v", tt.format, tt.c, got, tt.want)
		}
	}
}

func TestFilled(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("x", 90)
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"\n\n a\nb \n\n\n\nc\n", "a b\n\nc"}, {word + " b", word + "\nb"},
		{strings.Repeat("ab ", 30), strings.TrimSpace(strings.Repeat("ab ", 26)) + "\n" + strings.TrimSpace(strings.Repeat("ab ", 4))},
	} {
		if got := filled(tt.in); got != tt.want {
			t.Errorf("filled(%q) = %q; want %q", tt.in, got, tt.want)
		}
	}
}

// TestIndex: a header with and without some tags, and what is none.
func TestIndex(t *testing.T) {
	t.Parallel()
	text := textEntry(1000, "name")
	odd := entry{tag: 1001, kind: typeBinary, count: 3, data: []byte{1, 2, 3}}
	list := entry{tag: 1002, kind: typeStringArray, count: 2, data: []byte("a\x00b\x00")}
	short := entry{tag: 1003, kind: typeInt16, count: 1, data: []byte{0, 7}}
	number := numberEntry(1004, 42)
	all := index(regionHeader, []entry{number, short, list, odd, text})
	if n, err := indexSize(append(all, 1, 2, 3)); err != nil || n != len(all) {
		t.Errorf("indexSize = %d, %v; want %d", n, err, len(all))
	}
	got, err := withoutTags(all, 1001)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(index(regionHeader, []entry{text, list, short, number}), got); diff != "" {
		t.Errorf("withoutTags (-want +got):\n%s", diff)
	}
	for _, b := range [][]byte{nil, all[:15], all[:len(all)-1], []byte("0123456789abcdef0123456789abcdef")} {
		if n, err := indexSize(b); err == nil {
			t.Errorf("indexSize(%q) = %d", b, n)
		}
	}
	for _, e := range []entry{{kind: typeInt32, count: 3}, {kind: typeString, count: 1}, {kind: 99, count: 1}} {
		if n, err := dataSize([]byte("abc"), e); err == nil {
			t.Errorf("dataSize(%v) = %d", e, n)
		}
	}
}

func TestArMember(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	a := &arWriter{w: &b, time: when}
	a.global()
	a.member("one", 3, strings.NewReader("abc"))
	a.member("two", 2, strings.NewReader("de"))
	for name, want := range map[string]string{"one": "abc", "two": "de"} {
		if got, err := arMember(b.Bytes(), name); err != nil || string(got) != want {
			t.Errorf("arMember(%s) = %q, %v; want %q", name, got, err, want)
		}
	}
	if got, err := arMember(b.Bytes(), "three"); err == nil {
		t.Errorf("arMember(three) = %q", got)
	}
	a.member("short", 3, strings.NewReader("a"))
	if a.err == nil {
		t.Error("a member that is too short: no error")
	}
}

// FuzzRelation: no relation of either format is taken that would break a line
// of a control file or make a rich dependency of a plain one.
func FuzzRelation(f *testing.F) {
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for _, word := range allRelations(sample(format).Relations) {
			f.Add(word)
		}
	}
	for _, list := range [][]refusal{onlyDeb, onlyRPM} {
		for _, r := range list {
			if word, ok := strings.CutPrefix(r.want, "relation "); ok {
				f.Add(word)
			}
		}
	}
	f.Fuzz(func(t *testing.T, word string) {
		if debRelation(word, false) == "" && (strings.ContainsAny(word, "\n\r\x00,") || strings.TrimSpace(word) == "") {
			t.Errorf("debRelation takes %q", word)
		}
		if r, err := parseRelation(word); err == nil && (strings.ContainsAny(word, "\n\r\x00") || r.Name == "") {
			t.Errorf("parseRelation(%q) = %v", word, r)
		}
	})
}
