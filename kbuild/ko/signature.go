package ko

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
)

// magic ends a signed module (include/linux/module_signature.h).
const magic = "~Module signature appended~\n"

// trailerSize is sizeof(struct module_signature): algo, hash, id_type,
// signer_len, key_id_len, three bytes of padding, and sig_len in network
// order. All but id_type and sig_len are zero for PKCS#7.
const trailerSize = 12

// idPKCS7 is PKEY_ID_PKCS7, the only id_type that kernels since 4.3 accept.
const idPKCS7 = 2

// Signature is what a module's appended signature says of itself. It has not
// been verified: only the kernel knows which keys it trusts.
type Signature struct {
	// Signer is the common name of the certificate's issuer, which for the
	// self-signed certificates in use is its owner; modinfo's "signer".
	Signer string
	// KeyID is the certificate's serial number (or its key identifier) as
	// modinfo's "sig_key" prints it: 1A:2B:…
	KeyID string
	// Hash is the digest, such as sha256; modinfo's "sig_hashalgo".
	Hash string
	// Problem tells why the fields above are empty: not PKCS#7, or malformed.
	Problem string
}

// Unsigned returns the module data without an appended signature; it shares
// data's memory. More than one signature in a row is cut off too.
func Unsigned(data []byte) []byte {
	for {
		body, sig := splitSignature(data)
		if sig == nil {
			return data
		}
		data = body
	}
}

// splitSignature cuts data into the module and the PKCS#7 (or other) signature
// block; sig is nil when there is none, or when its length is impossible.
func splitSignature(data []byte) (body, sig []byte) {
	rest, ok := bytes.CutSuffix(data, []byte(magic))
	if !ok || len(rest) < trailerSize {
		return data, nil
	}
	trailer := rest[len(rest)-trailerSize:]
	rest = rest[:len(rest)-trailerSize]
	// signer_len and key_id_len are from the formats before PKCS#7.
	n := uint64(binary.BigEndian.Uint32(trailer[8:])) + uint64(trailer[3]) + uint64(trailer[4])
	if n > uint64(len(rest)) {
		return data, nil
	}
	cut := len(rest) - int(n)
	return rest[:cut:cut], rest[cut:]
}

// parseSignature returns nil for an unsigned module.
func parseSignature(data []byte) *Signature {
	_, block := splitSignature(data)
	if block == nil {
		return nil
	}
	if id := data[len(data)-len(magic)-trailerSize+2]; id != idPKCS7 {
		return &Signature{Problem: fmt.Sprintf("is of type %d, not PKCS#7", id)}
	}
	s, err := parsePKCS7(block)
	if err != nil {
		return &Signature{Problem: err.Error()}
	}
	return s
}

// The parts of PKCS#7 (RFC 2315, RFC 5652) that a module signature uses.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

type signedData struct {
	Version          int
	DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	Content          contentInfo
	Certificates     asn1.RawValue `asn1:"optional,tag:0"`
	CRLs             asn1.RawValue `asn1:"optional,tag:1"`
	Signers          []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version         int
	ID              asn1.RawValue // issuerAndSerial, or [0] subject key identifier
	Digest          pkix.AlgorithmIdentifier
	SignedAttrs     asn1.RawValue `asn1:"optional,tag:0"`
	SignatureMethod pkix.AlgorithmIdentifier
	Signature       []byte
	UnsignedAttrs   asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

func parsePKCS7(der []byte) (s *Signature, err error) {
	defer recovered(&err)
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	if !outer.Type.Equal(oidSignedData) || len(outer.Content.Signers) == 0 {
		return nil, fmt.Errorf("is PKCS#7 without a signer")
	}
	signer := outer.Content.Signers[0]
	s = &Signature{Hash: hashName(signer.Digest.Algorithm)}
	if signer.ID.Class == asn1.ClassContextSpecific {
		s.KeyID = colonHex(signer.ID.Bytes)
		return s, nil
	}
	var id issuerAndSerial
	if _, err := asn1.Unmarshal(signer.ID.FullBytes, &id); err != nil {
		return nil, err
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(id.Issuer.FullBytes, &name); err != nil {
		return nil, err
	}
	var issuer pkix.Name
	issuer.FillFromRDNSequence(&name)
	s.Signer = issuer.CommonName
	s.KeyID = colonHex(id.Serial.Bytes())
	return s, nil
}

func colonHex(b []byte) string {
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = fmt.Sprintf("%02X", c)
	}
	return strings.Join(parts, ":")
}
