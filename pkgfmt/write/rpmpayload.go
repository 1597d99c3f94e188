package write

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/cavaliergopher/cpio"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// rpmFacts is what the header tells of the files, in their order.
type rpmFacts struct {
	sizes   []uint32
	digests []string
	flags   []uint32
	total   uint32 // bytes of files and links
}

// payloadCpio writes the files as a cpio archive. Names have a dot before the
// slash, as rpmbuild has them: who unpacks by rpm2cpio p.rpm | cpio -i would
// else write over the machine's own files. A source package has bare names.
func payloadCpio(k *packer, p pkgfmt.Package, w io.Writer) (rpmFacts, error) {
	var facts rpmFacts
	c := cpio.NewWriter(w)
	for i, f := range p.Files {
		h := &cpio.Header{Name: "." + f.Path, Mode: cpio.FileMode(rpmMode(f)), ModTime: p.Time, Inode: int64(i + 1), Links: 1}
		if p.Format == pkgfmt.SourceRPM {
			h.Name = f.Path
		}
		size, digest, err := payloadFile(k, c, h, f)
		if err != nil {
			return facts, err
		}
		facts.sizes, facts.digests = append(facts.sizes, size), append(facts.digests, digest)
		flags := rpmFlags(f)
		if p.Format == pkgfmt.SourceRPM && isSpec(f) {
			flags = fileSpec
		}
		facts.flags = append(facts.flags, flags)
		if f.Kind != pkgfmt.Directory {
			facts.total += size
		}
	}
	return facts, c.Close()
}

// payloadFile writes one file and returns the size and the digest that the
// header has for it; only regular files have one.
func payloadFile(k *packer, c *cpio.Writer, h *cpio.Header, f pkgfmt.File) (uint32, string, error) {
	const directorySize = 4096 // rpmpack's, and most file systems'
	switch f.Kind {
	case pkgfmt.Ghost:
		return 0, "", nil
	case pkgfmt.Directory:
		h.Links = 2
		return directorySize, "", c.WriteHeader(h)
	case pkgfmt.Link:
		h.Size = int64(len(f.Target))
		if err := c.WriteHeader(h); err != nil {
			return 0, "", err
		}
		_, err := io.WriteString(c, f.Target)
		return uint32(len(f.Target)), "", err
	}
	b, err := openBody(f)
	if err != nil {
		return 0, "", err
	}
	h.Size = b.size
	if err := c.WriteHeader(h); err != nil {
		b.close()
		return 0, "", err
	}
	digest := sha256.New()
	err = k.copy(c, digest, f, b)
	return uint32(b.size), hex.EncodeToString(digest.Sum(nil)), err
}
