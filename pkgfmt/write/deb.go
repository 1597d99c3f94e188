package write

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5" // deb-md5sums(5)
	"fmt"
	"io"
	"slices"
	"strings"
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
	// dpkg owns nothing that it does not bring.
	brought := slices.DeleteFunc(append(log, p.Files...), func(f pkgfmt.File) bool { return f.Kind == pkgfmt.Ghost })
	p.Files = withParents(brought, func(string) bool { return true })
	p.Compression = usual(p.Format, p.Compression)
	var facts debFacts
	data, err := newPayload(j.scratch, p.Compression, func(w io.Writer) (err error) {
		facts, err = dataTar(newPacker(ctx, j.records), p, w)
		return err
	})
	if err != nil {
		return err
	}
	defer data.close()
	control, err := debControl(p, facts)
	if err != nil {
		return err
	}
	const format = "2.0\n"
	signature, err := j.sign.debsig(p.Time, io.MultiReader(strings.NewReader(format), bytes.NewReader(control), data.reader()))
	if err != nil {
		return err
	}
	a := &arWriter{w: w, time: p.Time}
	a.global()
	a.member("debian-binary", int64(len(format)), strings.NewReader(format))
	a.member("control.tar.gz", int64(len(control)), bytes.NewReader(control))
	a.member("data.tar"+suffixes[p.Compression.Algorithm], data.size, data.reader())
	if signature != nil {
		a.member("_gpgorigin", int64(len(signature)), bytes.NewReader(signature))
	}
	return a.err
}

// debFacts is what the control side tells of the files.
type debFacts struct {
	md5sums bytes.Buffer // deb-md5sums(5)
	blocks  int64        // of 1024 bytes, when it is installed
}

// dataTar writes the files as a tar archive.
func dataTar(k *packer, p pkgfmt.Package, w io.Writer) (debFacts, error) {
	var facts debFacts
	t := tar.NewWriter(w)
	for _, f := range p.Files {
		if err := dataEntry(k, t, f, p.Time, &facts); err != nil {
			return facts, err
		}
	}
	return facts, t.Close()
}

func dataEntry(k *packer, t *tar.Writer, f pkgfmt.File, when time.Time, facts *debFacts) error {
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
		b.close()
		return err
	}
	digest := md5.New() // deb-md5sums(5)
	if err := k.copy(t, digest, f, b); err != nil {
		return err
	}
	fmt.Fprintf(&facts.md5sums, "%x  %s\n", digest.Sum(nil), f.Path[1:])
	return nil
}
