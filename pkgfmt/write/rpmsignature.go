package write

import (
	"bytes"
	"crypto/md5"  // rpm's, beside SHA-256
	"crypto/sha1" // the same
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Tags of the signatures, rpmtag.h.
const (
	sigSHA1        = 269
	sigSHA256      = 273
	sigSize        = 1000
	sigMD5         = 1004
	sigPayloadSize = 1007
)

// rpmSignatures makes what stands between lead and header: sizes and digests
// of header and payload, and the signatures, padded to eight bytes. rpmpack
// would want both in memory.
func rpmSignatures(p pkgfmt.Package, header []byte, data *payload, key *Key) ([]byte, error) {
	sha1Sum, sha256Sum, all := sha1.Sum(header), sha256.Sum256(header), md5.New()
	if _, err := io.Copy(all, io.MultiReader(bytes.NewReader(header), data.reader())); err != nil {
		return nil, err
	}
	entries := []entry{
		textEntry(sigSHA1, hex.EncodeToString(sha1Sum[:])),
		textEntry(sigSHA256, hex.EncodeToString(sha256Sum[:])),
		numberEntry(sigSize, uint32(int64(len(header))+data.size)),
		{tag: sigMD5, kind: typeBinary, count: md5.Size, data: all.Sum(nil)},
		numberEntry(sigPayloadSize, uint32(data.open)),
	}
	signed, err := key.rpmEntries(p.Time, header, data)
	if err != nil {
		return nil, err
	}
	out := index(regionSignatures, append(entries, signed...))
	return append(out, make([]byte, (8-len(out)%8)%8)...), nil
}

func textEntry(tag int32, s string) entry {
	return entry{tag: tag, kind: typeString, count: 1, data: append([]byte(s), 0)}
}

func numberEntry(tag int32, n uint32) entry {
	return entry{tag: tag, kind: typeInt32, count: 1, data: binary.BigEndian.AppendUint32(nil, n)}
}
