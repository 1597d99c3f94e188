package source

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// digests reads all files once, through a buffer. It returns the SHA-256 of
// each, and the names that git has for them (the SHA-1 of "blob SIZE\0" and the
// content), for those who want to know whether files differ from a commit.
func digests(ctx context.Context, root *os.Root, dir string, files []pkgfmt.File) (sums map[string][]byte, blobs map[string]string, err error) {
	sums, blobs = map[string][]byte{}, map[string]string{}
	var p problems
	buffer := make([]byte, 128<<10)
	for _, f := range files {
		if f.Kind != pkgfmt.Regular || p.full() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		content, blob := sha256.New(), sha1.New()
		if problem := digest(root, f, content, blob, buffer); problem != "" {
			p.add(f.Path, 0, "%s", problem)
			continue
		}
		sums[f.Path], blobs[f.Path] = content.Sum(nil), hex.EncodeToString(blob.Sum(nil))
	}
	return sums, blobs, p.err(dkms.ArchiveInvalid, dir, "cannot be packaged", "")
}

// digest feeds a file to both, and says what is wrong with it.
func digest(root *os.Root, f pkgfmt.File, content, blob hash.Hash, buffer []byte) string {
	in, err := openRegular(root, f.Path)
	if err != nil {
		return fmt.Sprintf("cannot be read: %v", system.Cause(err))
	}
	defer in.Close()
	fmt.Fprintf(blob, "blob %d\x00", f.Size)
	// Hidden, so that io.CopyBuffer uses the buffer.
	reader, writer := struct{ io.Reader }{io.LimitReader(in, f.Size+1)}, io.MultiWriter(content, blob)
	n, err := io.CopyBuffer(writer, reader, buffer)
	switch {
	case err != nil:
		return fmt.Sprintf("cannot be read: %v", system.Cause(err))
	case n != f.Size:
		return "changes while it is read"
	}
	return ""
}

// treeHash is the SHA-256 of names, kinds, modes and contents, in hexadecimal.
func treeHash(files []pkgfmt.File, sums map[string][]byte) string {
	h := sha256.New()
	for _, f := range files {
		sum := sums[f.Path]
		if f.Source == "" && f.Kind == pkgfmt.Regular {
			data := sha256.Sum256(f.Data)
			sum = data[:]
		}
		fmt.Fprintf(h, "%q %d %o %x %q\n", f.Path, f.Kind, f.Mode, sum, f.Target)
	}
	return hex.EncodeToString(h.Sum(nil))
}
