package write

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // deb-md5sums(5)
	"fmt"
	"io"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// suffixes are what the members of a .deb have after .tar, deb(5).
var suffixes = map[string]string{algorithmGzip: ".gz", algorithmXz: ".xz", algorithmZstd: ".zst", algorithmNone: ""}

// writeDeb writes a .deb, deb(5).
func writeDeb(ctx context.Context, p pkgfmt.Package, w io.Writer, j job) error {
	log, err := debChangelog(p)
	if err != nil {
		return err
	}
	p.Files = withParents(append(log, p.Files...), func(string) bool { return true })
	p.Compression = usual(p.Format, p.Compression)
	var facts debFacts
	data, err := newPayload(ctx, j.scratch, p.Compression, func(ctx context.Context, w io.Writer) error {
		facts, err = dataTar(ctx, p, w)
		return err
	})
	if err != nil {
		return err
	}
	defer data.Close()
	control, err := debControl(p, facts)
	if err != nil {
		return err
	}
	const format = "2.0\n"
	a := &arWriter{w: w, time: p.Time}
	a.global()
	a.member("debian-binary", int64(len(format)), bytes.NewReader([]byte(format)))
	a.member("control.tar.gz", int64(len(control)), bytes.NewReader(control))
	a.member("data.tar"+suffixes[p.Compression.Algorithm], data.size, data.reader())
	return a.err
}

// debFacts is what the control side tells of the files.
type debFacts struct {
	md5sums bytes.Buffer // deb-md5sums(5)
	blocks  int64        // of 1024 bytes, when it is installed
}

// dataTar writes the files as a tar archive.
func dataTar(ctx context.Context, p pkgfmt.Package, w io.Writer) (debFacts, error) {
	var facts debFacts
	t := tar.NewWriter(w)
	for _, f := range p.Files {
		if f.Kind == pkgfmt.Ghost { // dpkg owns nothing that it does not bring
			continue
		}
		if err := dataEntry(ctx, t, f, p.Time, &facts); err != nil {
			return facts, err
		}
	}
	return facts, t.Close()
}

func dataEntry(ctx context.Context, t *tar.Writer, f pkgfmt.File, when time.Time, facts *debFacts) error {
	h := &tar.Header{
		Name: "." + f.Path, Mode: int64(f.Mode.Perm()), ModTime: when, Uname: "root", Gname: "root",
		Typeflag: tar.TypeReg, Format: tar.FormatGNU,
	}
	// As dpkg-gencontrol counts, deb-substvars(5): a file takes whole blocks,
	// anything else one.
	facts.blocks++
	switch f.Kind {
	case pkgfmt.Directory:
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		return t.WriteHeader(h)
	case pkgfmt.Link:
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Target, 0o777
		return t.WriteHeader(h)
	}
	b, err := openBody(f)
	if err != nil {
		return err
	}
	facts.blocks += (b.size+1023)/1024 - 1
	h.Size = b.size
	if err := t.WriteHeader(h); err != nil {
		b.Close()
		return err
	}
	digest := md5.New() //nolint:gosec // deb-md5sums(5)
	if err := copyBody(ctx, io.MultiWriter(t, digest), f, b); err != nil {
		return err
	}
	fmt.Fprintf(&facts.md5sums, "%x  %s\n", digest.Sum(nil), f.Path[1:])
	return nil
}
