package write

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
	"github.com/cavaliergopher/rpm"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"pault.ag/go/debian/deb"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// anyFiles draws files below a few directories, none twice.
func anyFiles(t *rapid.T) []pkgfmt.File {
	name := rapid.StringMatching(`[A-Za-z0-9 ._+~\[\]*?äß-]{1,60}`).Filter(func(s string) bool { return s != "." && s != ".." })
	seen := map[string]bool{}
	var out []pkgfmt.File
	for range rapid.IntRange(0, 30).Draw(t, "number") {
		dir := rapid.SampledFrom([]string{"/usr/src/foo-1", "/usr/src/foo-1/dir", "/etc/modprobe.d", "/" + strings.Repeat("long/", 30) + "x"}).Draw(t, "dir")
		f := pkgfmt.File{
			Path: dir + "/f" + name.Draw(t, "name"), // so that it is none of dirs
			Kind: rapid.SampledFrom([]pkgfmt.FileKind{pkgfmt.Regular, pkgfmt.Directory, pkgfmt.Link, pkgfmt.Config, pkgfmt.Doc}).Draw(t, "kind"),
			Mode: fs.FileMode(rapid.IntRange(0, 0o777).Draw(t, "mode")),
		}
		if f.Kind == pkgfmt.Config {
			f.Path = strings.TrimRight(f.Path, " ") // as a .deb must have it
		}
		switch f.Kind {
		case pkgfmt.Link:
			f.Target, f.Mode = name.Draw(t, "target"), 0o777
		case pkgfmt.Directory:
		default:
			f.Data = rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "data")
		}
		if !seen[f.Path] {
			seen[f.Path] = true
			out = append(out, f)
		}
	}
	return out
}

// TestWhatGoesInComesOut: every file with its kind, mode and bytes, in both
// formats with each compression, as read by others' libraries.
func TestWhatGoesInComesOut(t *testing.T) {
	t.Parallel()
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				p := sample(format)
				p.Changes, p.Files = nil, anyFiles(t)
				p.Compression.Algorithm = rapid.SampledFrom([]string{"gzip", "xz", "zstd", "none"}).Draw(t, "compression")
				var b bytes.Buffer
				if err := To(p, &b); err != nil {
					t.Fatal(err)
				}
				read := readDeb
				if format == pkgfmt.RPM {
					read = readRPM
				}
				got, err := read(b.Bytes(), p.Compression.Algorithm)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range p.Files {
					want := fmt.Sprintf("%v %o %s %x", f.Kind == pkgfmt.Directory, f.Mode, f.Target, f.Data)
					if got[f.Path] != want {
						t.Errorf("%s: %.200s; want %.200s", f.Path, got[f.Path], want)
					}
					delete(got, f.Path)
				}
				for path, what := range got { // the directories above
					if what != "true 755  " || !slices.ContainsFunc(p.Files, func(f pkgfmt.File) bool { return strings.HasPrefix(f.Path, path+"/") }) {
						t.Errorf("%s was not asked for: %.200s", path, what)
					}
				}
			})
		})
	}
}

func readDeb(body []byte, _ string) (map[string]string, error) {
	d, err := deb.Load(bytes.NewReader(body), "a.deb")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for {
		h, err := d.Data.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(d.Data)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "."), "/")
		if out[name] != "" || h.Uid != 0 || h.Gid != 0 || !h.ModTime.Equal(when) {
			return nil, fmt.Errorf("%s: twice, or not root's, or of %v", name, h.ModTime)
		}
		out[name] = fmt.Sprintf("%v %o %s %x", h.Typeflag == tar.TypeDir, h.Mode, h.Linkname, body)
	}
}

func readRPM(body []byte, algorithm string) (map[string]string, error) {
	r := bytes.NewReader(body)
	p, err := rpm.Read(r)
	if err != nil {
		return nil, err
	}
	payload, err := map[string]func() (io.Reader, error){
		"gzip": func() (io.Reader, error) { return gzip.NewReader(r) },
		"xz":   func() (io.Reader, error) { return xz.NewReader(r) },
		"zstd": func() (io.Reader, error) { return zstd.NewReader(r) },
		"none": func() (io.Reader, error) { return r, nil },
	}[algorithm]()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	c := cpio.NewReader(payload)
	for i := 0; ; i++ {
		h, err := c.Next()
		if errors.Is(err, io.EOF) {
			if i != len(p.Files()) {
				return nil, fmt.Errorf("%d files in the payload, %d in the header", i, len(p.Files()))
			}
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(c)
		if err != nil {
			return nil, err
		}
		told := p.Files()[i]
		name := strings.TrimPrefix(h.Name, ".")
		if told.Name() != name || told.Linkname() != h.Linkname || !told.ModTime().Equal(when) || told.Mode().Perm() != fs.FileMode(h.Mode&0o777) {
			return nil, fmt.Errorf("%s: is %s in the header", name, told.Name())
		}
		out[name] = fmt.Sprintf("%v %o %s %x", h.Mode&^0o777 == cpio.TypeDir, h.Mode&0o777, h.Linkname, body)
	}
}

// TestSameFromDisk: whoever's the files are, whenever they were written, and
// whatever their names are here.
func TestSameFromDisk(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		p := sample(f)
		want := bytesOf(t, p)
		dir := t.TempDir()
		for i := range p.Files {
			file := &p.Files[i]
			if len(file.Data) == 0 {
				continue
			}
			file.Source, file.Size = filepath.Join(dir, fmt.Sprint("x", i)), int64(len(file.Data))
			writeFile(t, file.Source, string(file.Data))
			if err := errors.Join(os.Chmod(file.Source, 0o600), os.Chtimes(file.Source, time.Unix(1, 0), time.Unix(1, 0))); err != nil {
				t.Fatal(err)
			}
			file.Data = nil
		}
		if !bytes.Equal(bytesOf(t, p), want) {
			t.Errorf("%s: differs when the files are on the disk", f)
		}
	}
}

// TestManyFiles: more than 16 bits can count are no trouble.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		p := sample(format)
		p.Files = nil
		for i := range 70_000 {
			p.Files = append(p.Files, at(fmt.Sprintf("/usr/src/foo-1.0-rc1/%d/%d", i%100, i)))
		}
		p.Compression = pkgfmt.Compression{Algorithm: "zstd", Level: 1}
		path := written(t, p, Options{})
		if format == pkgfmt.RPM {
			output(t, "rpm", "-K", path)
			continue
		}
		if got := strings.Count(output(t, "dpkg-deb", "-c", path), "\n"); got != 70_000+100+7 {
			t.Errorf("dpkg-deb -c: %d lines", got)
		}
	}
}

// TestReadersOfOthers: libraries read the sample's words as they were said.
func TestReadersOfOthers(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.Deb)
	d, err := deb.Load(bytes.NewReader(bytesOf(t, p)), "a.deb")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Control.Version.String(); got != versionOf(p.Version) {
		t.Errorf("version %s; want %s", got, versionOf(p.Version))
	}
	if diff := cmp.Diff(strings.Join(p.Relations.Depends, ", "), d.Control.Depends.String()); diff != "" {
		t.Errorf("Depends (-want +got):\n%s", diff)
	}
	p = sample(pkgfmt.RPM)
	body := bytesOf(t, p)
	r, err := rpm.Read(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Name() != p.Name || r.Epoch() != p.Version.Epoch || r.Version() != p.Version.Upstream || r.Release() != p.Version.Revision || r.Summary() != p.Summary {
		t.Errorf("the package is %s", r)
	}
	if err := rpm.MD5Check(bytes.NewReader(body)); err != nil {
		t.Errorf("MD5Check: %v", err)
	}
}
