package ko

import (
	"crypto"
	"encoding/asn1"

	// The digests that CONFIG_MODULE_SIG_HASH may name.
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
)

// digest is a hash by the name that the kernel's configuration has for it.
type digest struct {
	name  string
	hash  crypto.Hash
	oid   asn1.ObjectIdentifier
	ecdsa asn1.ObjectIdentifier // ecdsa-with-…
}

var (
	nistHash      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2}
	nistSignature = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3}
	ansiECDSA     = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3}
)

func under(arc asn1.ObjectIdentifier, n int) asn1.ObjectIdentifier {
	return append(append(asn1.ObjectIdentifier{}, arc...), n)
}

// digests are those of kernel/module/Kconfig, all versions of it.
var digests = []digest{
	{"sha1", crypto.SHA1, asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}},
	{"sha224", crypto.SHA224, under(nistHash, 4), under(ansiECDSA, 1)},
	{"sha256", crypto.SHA256, under(nistHash, 1), under(ansiECDSA, 2)},
	{"sha384", crypto.SHA384, under(nistHash, 2), under(ansiECDSA, 3)},
	{"sha512", crypto.SHA512, under(nistHash, 3), under(ansiECDSA, 4)},
	{"sha3-256", crypto.SHA3_256, under(nistHash, 8), under(nistSignature, 10)},
	{"sha3-384", crypto.SHA3_384, under(nistHash, 9), under(nistSignature, 11)},
	{"sha3-512", crypto.SHA3_512, under(nistHash, 10), under(nistSignature, 12)},
}

func digestOf(name string) (digest, bool) {
	for _, d := range digests {
		if d.name == name {
			return d, true
		}
	}
	return digest{}, false
}

// hashName returns the kernel's name of the digest, or its number in dots.
func hashName(oid asn1.ObjectIdentifier) string {
	for _, d := range digests {
		if d.oid.Equal(oid) {
			return d.name
		}
	}
	return oid.String()
}
