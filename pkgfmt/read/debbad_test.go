package read

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// badDebs are packages that are refused, with words of the reason.
func badDebs(t testing.TB) map[string]struct {
	data  []byte
	words []string
} {
	version, control := arMember{name: "debian-binary", data: []byte("2.0\n")}, arMember{name: "control.tar", data: tarBytes(t, entry("./control", sampleControl))}
	data := arMember{name: "data.tar", data: tarBytes(t, entry("./a", "b"))}
	with := func(text string) []byte {
		return debOf(tarBytes(t, entry("./control", text)), data.data)
	}
	typed := func(kind byte, link string) []byte {
		return dataDeb(t, tarEntry{tar.Header{Name: "./x", Typeflag: kind, Linkname: link}, ""})
	}
	long := func(m arMember, size string) arMember { m.size = size; return m }
	cut := func(data []byte, n int) []byte { return data[:len(data)-n] }
	type bad = struct {
		data  []byte
		words []string
	}
	return map[string]bad{
		"empty":              {nil, []string{": is empty"}},
		"text":               {[]byte("a\x1b[31mtext"), []string{`a\x1b[31mte`}},
		"nothing in it":      {[]byte("!<arch>\n"), []string{"debian-binary"}},
		"another archive":    {arBytes(data), []string{"first member is not debian-binary"}},
		"version":            {arBytes(arMember{name: "debian-binary", data: []byte("3.0\n")}, control, data), []string{"debian-binary", `"3.0"`}},
		"no control":         {arBytes(version, data), []string{"data.tar", "is not control.tar"}},
		"no data":            {arBytes(version, control), []string{"has no data.tar"}},
		"unknown":            {arBytes(version, control, arMember{name: "data.tar.Z", data: data.data}), []string{"data.tar.Z"}},
		"in between":         {arBytes(version, arMember{name: "x"}, control, data), []string{"x", "is not control.tar"}},
		"twice":              {arBytes(version, control, data, data), []string{"data.tar", "twice"}},
		"longer":             {arBytes(version, control, long(data, "999999")), []string{"data.tar", "claims to have 999999 bytes"}},
		"negative":           {arBytes(version, long(control, "-60"), data), []string{"control.tar", "claims to have -60 bytes"}},
		"huge":               {arBytes(version, long(control, "9999999999"), data), []string{"control.tar", "claims"}},
		"no number":          {arBytes(version, long(control, "1x"), data), []string{"archive"}},
		"half a header":      {append(arBytes(version, control, data), "data.tar2  "...), []string{"archive", "is truncated"}},
		"members":            {arBytes(append([]arMember{version, control, data}, members(70)...)...), []string{"more than 64 members"}},
		"no control file":    {debOf(tarBytes(t, entry("./x", "")), data.data), []string{"control", "is missing"}},
		"empty control":      {with(""), []string{"control"}},
		"no colon":           {with("Package sample\n"), []string{"control"}},
		"no version":         {with("Package: a\nArchitecture: all\n"), []string{"control", "lacks"}},
		"field twice":        {with(sampleControl + "package: b\n"), []string{"control", "package", "twice"}},
		"signed":             {with("-----BEGIN PGP SIGNED MESSAGE-----\n"), []string{"control", "does not begin with a field"}},
		"lines":              {with(sampleControl + strings.Repeat(" x\n", maxControlLines)), []string{"control", "lines"}},
		"dots":               {dataDeb(t, entry("./a/../../etc/passwd", "x")), []string{"data.tar: ./a/../../etc/passwd", "leads out"}},
		"dots and escapes":   {dataDeb(t, entry("../\x1b[31m\u202ea", "x")), []string{`../\x1b[31m\u202ea`, "leads out"}},
		"control's dots":     {debOf(tarBytes(t, entry("../control", sampleControl)), data.data), []string{"control.tar", "leads out"}},
		"control twice":      {debOf(tarBytes(t, entry("./control", sampleControl), entry("control", sampleControl)), data.data), []string{"twice"}},
		"file twice":         {dataDeb(t, entry("./a", "1"), entry("/a", "2")), []string{"/a", "is there twice"}},
		"hard link out":      {typed(tar.TypeLink, "../../etc/passwd"), []string{"hard link to ../../etc/passwd"}},
		"odd type":           {typed('Z', ""), []string{"is of a type that no .deb has"}},
		"long name":          {dataDeb(t, entry("./"+strings.Repeat("a", maxPath+1), "")), []string{"has a name or a target with more"}},
		"long target":        {typed(tar.TypeSymlink, strings.Repeat("a", maxPath+1)), []string{"has a name or a target with more"}},
		"cut in a header":    {debOf(control.data, data.data[:100]), []string{"data.tar", "is truncated"}},
		"cut in a file":      {debOf(control.data, tarBytes(t, entry("./a", strings.Repeat("b", 5000)))[:2000]), []string{"data.tar: ./a", "is truncated"}},
		"cut in gzip":        {arBytes(version, control, arMember{name: "data.tar.gz", data: cut(compress(t, "gzip", data.data), 9)}), []string{"data.tar.gz", "is truncated"}},
		"bad check":          {arBytes(version, control, arMember{name: "data.tar.gz", data: flip(compress(t, "gzip", data.data), 8)}), []string{"data.tar.gz"}},
		"not gzip":           {arBytes(version, control, arMember{name: "data.tar.gz", data: data.data}), []string{"data.tar.gz", "is no gzip data"}},
		"not xz":             {arBytes(version, control, arMember{name: "data.tar.xz", data: data.data}), []string{"data.tar.xz"}},
		"control's triggers": {debOf(tarBytes(t, entry("./control", sampleControl), entry("./triggers", strings.Repeat("a\n", maxWords+1))), data.data), []string{"triggers"}},
		"cut off":            {cut(debOf(control.data, data.data), 700), []string{"data.tar", "claims"}},
	}
}

func members(n int) []arMember {
	out := make([]arMember, n)
	for i := range out {
		out[i].name = fmt.Sprintf("_m%d", i)
	}
	return out
}

// flip changes the byte that many before the end.
func flip(data []byte, fromEnd int) []byte {
	data[len(data)-fromEnd] ^= 0xff
	return data
}

func TestBadDebs(t *testing.T) {
	t.Parallel()
	for name, bad := range badDebs(t) {
		path := file(t, "bad.deb", bad.data)
		p, err := Open(path)
		if err == nil {
			t.Errorf("%s: Open = %+v; want an error with %q", name, p, bad.words)
			continue
		}
		refused(t, err, path, bad.words...)
		if _, err := Inspect(path, nil); err == nil {
			t.Errorf("%s: Inspect takes it", name)
		}
	}
}

// sparseBlock is the header of a GNU sparse file of 4 GiB that has no data.
func sparseBlock(size string) []byte {
	block := make([]byte, 512)
	copy(block, "./sparse")
	copy(block[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        S")
	copy(block[257:], "ustar  \x00root")
	copy(block[386:], fmt.Sprintf("%s\x0000000000000\x00", size))
	copy(block[483:], size)
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

// TestBombs: packages that would fill a disk are refused, in time and memory
// that are those of what they really have.
func TestBombs(t *testing.T) {
	t.Parallel()
	zeros := func(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }
	bomb := func(algorithm string) []byte {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		_ = w.WriteHeader(&tar.Header{Name: "./zeros", Size: 56 << 20, Mode: 0o644})
		_, _ = io.Copy(w, zeros(56<<20))
		_ = w.Close()
		return compress(t, algorithm, out.Bytes())
	}
	control := arMember{name: "control.tar", data: tarBytes(t, entry("./control", sampleControl))}
	version := arMember{name: "debian-binary", data: []byte("2.0\n")}
	for name, data := range map[string][]byte{
		"gzip":   arBytes(version, control, arMember{name: "data.tar.gz", data: bomb("gzip")}),
		"zstd":   arBytes(version, control, arMember{name: "data.tar.zst", data: bomb("zstd")}),
		"xz":     arBytes(version, control, arMember{name: "data.tar.xz", data: bomb("xz")}),
		"sparse": debOf(control.data, sparseBlock("00020000000")),
		"5 GiB":  debOf(control.data, announced(5<<30)),
	} {
		path := file(t, "bomb.deb", data)
		begin := time.Now()
		_, err := Open(path)
		if err == nil {
			t.Errorf("%s: is taken", name)
			continue
		}
		refused(t, err, path, "data.tar")
		t.Logf("%s: %v (%s, %d bytes)", name, err, time.Since(begin).Round(time.Millisecond), len(data))
	}
}

// announced is a tar archive whose file is not there.
func announced(size int64) []byte {
	var out bytes.Buffer
	_ = tar.NewWriter(&out).WriteHeader(&tar.Header{Name: "./a", Size: size, Mode: 0o644})
	return out.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestNotFiles: what is no file is neither waited for nor read.
func TestNotFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "is a directory, and no package", pipe: "is no regular file", "/dev/zero": "is no regular file"} {
		_, err := Open(path)
		refused(t, err, path, want)
	}
	short := file(t, "short.deb", []byte("ab"))
	_, err := Open(short)
	refused(t, err, short, `is neither a .deb nor an .rpm: it begins with "ab"`)
	_, err = Open(filepath.Join(dir, "none"))
	var e *dkms.Error
	if !errors.As(err, &e) || e.Kind != dkms.SourceMissing || e.Error() != filepath.Join(dir, "none")+": there is no such file" {
		t.Errorf("Open of what is not there = %v", err)
	}
}

// TestChanged: Walk reads the package that was opened, or none.
func TestChanged(t *testing.T) {
	t.Parallel()
	path := file(t, "a.deb", dataDeb(t, entry("./a", "b")))
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"2", dataDeb(t, entry("./a", "b"), entry("./b", "c")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"2", path); err != nil {
		t.Fatal(err)
	}
	refused(t, p.Walk(func(File, io.Reader) error { return nil }), path, "has changed")
}

// TestWalkStops: the caller's error comes back as it is.
func TestWalkStops(t *testing.T) {
	t.Parallel()
	mine := errors.New("enough")
	for name, data := range map[string][]byte{"deb": dataDeb(t, entry("./a", "b"), entry("./b", "c")), "rpm": seedRPMs(t)[0]} {
		p, err := Open(file(t, name, data))
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		err = p.Walk(func(File, io.Reader) error {
			calls++
			return mine
		})
		if err != mine || calls != 1 { //nolint:errorlint // the very same one is promised
			t.Errorf("%s: Walk = %v after %d calls; want %v after 1", name, err, calls, mine)
		}
	}
}
